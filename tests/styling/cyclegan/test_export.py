"""ONNX export: a file that ONNX Runtime runs at any size with the pictures of PyTorch, or no file."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from django.core.management import CommandError, call_command

from styling.cyclegan import artifact, export
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import Generator
from styling.cyclegan.presets import preset


def trained(folder, toy, name="draft", **changes):
    """An artifact with random weights."""
    torch.manual_seed(5)
    settings = toy(name, **changes)
    generator = Generator(
        architecture=settings.architecture,
        width=settings.width,
        blocks=settings.blocks,
        channels=settings.channels,
        upsampling=settings.upsampling,
        color_keep=settings.color_keep,
    )
    artifact.write(
        folder, settings=settings, weights=generator.state_dict(), metrics={}, losses=[], samples=b"not looked at"
    )
    return folder


@pytest.mark.parametrize(
    ("name", "changes"),
    [("draft", {"color_keep": 0.5}), ("paper", {}), ("medical", {})],
)
def test_onnx_runtime_gives_the_pictures_of_pytorch(tmp_path, toy, name, changes):
    directory = trained(tmp_path / "model", toy, name, **changes)
    report = export.export_onnx(directory, tmp_path / "out" / "model.onnx")
    assert report.max_difference <= export.TOLERANCE
    assert report.size == report.path.stat().st_size

    channels = preset(name).channels
    pictures = export.probe(2, channels, 56, 88)
    session = onnxruntime.InferenceSession(str(report.path), providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {"picture": pictures.numpy()})
    generator, _config = artifact.load_generator(directory)
    with torch.inference_mode():
        assert np.abs(answer - generator(pictures).numpy()).max() <= export.TOLERANCE


def test_the_file_says_what_it_is_and_carries_the_domain_s_notice(tmp_path, toy):
    report = export.export_onnx(trained(tmp_path / "model", toy, "medical"), tmp_path / "model.onnx")
    model = onnx.load(report.path)
    assert "Not for diagnosis" in {entry.key: entry.value for entry in model.metadata_props}["notice"]
    assert [axis.dim_param for axis in model.graph.input[0].type.tensor_type.shape.dim][2:] == ["height", "width"]


def test_a_file_that_differs_is_not_written(tmp_path, toy, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(CycleGANError) as refusal:
        export.export_onnx(trained(tmp_path / "model", toy), tmp_path / "model.onnx")
    assert refusal.value.code == "export-differs"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_command_writes_the_file_and_says_how_near_it_is(tmp_path, toy, capsys):
    directory, out = trained(tmp_path / "model", toy), tmp_path / "model.onnx"
    call_command("export_onnx", model=directory, out=out)
    assert "from PyTorch" in capsys.readouterr().out
    assert out.is_file()


def test_the_command_names_what_is_missing(tmp_path):
    with pytest.raises(CommandError, match="no trained model"):
        call_command("export_onnx", model=tmp_path, out=tmp_path / "model.onnx")
