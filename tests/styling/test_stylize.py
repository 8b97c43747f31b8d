"""``manage.py stylize``: every picture of a folder rendered, bad ones named, none lost to another's name."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from PIL import Image

from styling.cyclegan import artifact
from styling.cyclegan.networks import build_generator
from styling.cyclegan.presets import preset


def model(folder, name="draft"):
    """An artifact with random weights of the preset's network."""
    torch.manual_seed(6)
    settings = preset(name)
    weights = build_generator(artifact.generator_config(settings)).state_dict()
    artifact.write(folder, settings=settings, weights=weights, metrics={}, losses=[], samples=b"not looked at")
    return folder


def test_a_folder_is_rendered_and_what_cannot_be_read_is_named(tmp_path, capsys):
    source = tmp_path / "source"
    (source / "more").mkdir(parents=True)
    Image.new("RGB", (40, 30), "teal").save(source / "one.png")
    Image.new("RGBA", (1, 1)).save(source / "dot.png")
    Image.new("L", (50, 20), 90).save(source / "more" / "one.jpg")
    sideways = Image.Exif()
    sideways[0x0112] = 6
    Image.new("RGB", (60, 20)).save(source / "sideways.jpg", exif=sideways)
    (source / "broken.jpg").write_bytes(b"\xff\xd8 and no more")
    call_command("stylize", model=model(tmp_path / "model"), input=source, output=tmp_path / "out")
    said = capsys.readouterr()
    assert "4 of 5 pictures" in said.out
    assert "broken.jpg" in said.err
    sizes = {}
    for path in (tmp_path / "out").iterdir():
        with Image.open(path) as rendered:
            sizes[path.name] = rendered.size
    assert sizes == {"one.png": (50, 20), "source-one.png": (40, 30), "dot.png": (1, 1), "sideways.png": (20, 60)}


def test_a_medical_rendering_keeps_16_bits_and_says_what_it_is_not_for(tmp_path):
    deep = np.linspace(0, 65535, 48 * 48).reshape(48, 48).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "scan.png")
    call_command(
        "stylize", model=model(tmp_path / "model", "medical"), input=tmp_path / "scan.png", output=tmp_path / "out"
    )
    with Image.open(tmp_path / "out" / "scan.png") as rendered:
        assert rendered.mode == "I;16"
        assert "Not for diagnosis" in rendered.text["Disclaimer"]


def test_a_picture_that_is_too_large_is_refused_by_name(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("styling.cyclegan.pixels.LARGEST_PIXELS", 100)
    Image.new("RGB", (40, 30)).save(tmp_path / "vast.png")
    with pytest.raises(CommandError, match="No picture could be rendered"):
        call_command("stylize", model=model(tmp_path / "m"), input=tmp_path / "vast.png", output=tmp_path / "out")
    assert "vast.png: The picture has 40 × 30 pixels" in capsys.readouterr().err


def test_a_folder_without_a_model_or_pictures_is_refused(tmp_path):
    with pytest.raises(CommandError, match="no picture"):
        call_command("stylize", model=tmp_path, input=tmp_path, output=tmp_path / "out")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(CommandError, match="no trained model"):
        call_command("stylize", model=tmp_path, input=tmp_path, output=tmp_path / "out")
