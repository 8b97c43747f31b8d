"""The documented examples of the other domains, at toy size: the two commands, from folder to folder."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from PIL import Image

from styling.cyclegan import artifact, presets
from tests.styling.cyclegan.conftest import shapes, write_pictures

TOY = {
    "width": 4,
    "blocks": 1,
    "discriminator_width": 4,
    "discriminator_layers": 1,
    "image_size": 32,
    "crop_size": 16,
    "batch_size": 1,
    "precision": "float32",
}


def deep(picture: np.ndarray) -> np.ndarray:
    """A drawing as a 16-bit grey scan whose low bytes carry values."""
    return picture[..., 0].astype(np.uint16) * 201 + np.arange(picture.shape[1], dtype=np.uint16)


@pytest.mark.parametrize(
    ("name", "mode", "notice"),
    [("teaching", "RGB", "check labels"), ("medical", "I;16", "Not for diagnosis"), ("art-restoration", "RGB", "proposal")],
)  # fmt: skip
def test_pictures_of_the_domain_come_out_as_they_went_in_with_its_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, mode: str, notice: str
) -> None:
    monkeypatch.setitem(presets.PRESETS, name, replace(presets.PRESETS[name], **TOY))
    for folder, seed in (("source", 1), ("target", 2)):
        drawn = shapes(8, seed=seed)
        write_pictures(tmp_path / folder, [deep(picture) for picture in drawn] if mode == "I;16" else drawn)
    places = {folder: str(tmp_path / folder) for folder in ("source", "target", "model", "rendered")}

    call_command(
        "train_style", "--preset", name, "--steps", "2", "--source", places["source"], "--target", places["target"],
        "--out", places["model"], stdout=StringIO(),
    )  # fmt: skip
    call_command(
        "stylize", "--model", places["model"], "--input", places["source"], "--output", places["rendered"],
        stdout=StringIO(),
    )  # fmt: skip

    assert artifact.read_config(tmp_path / "model")["domain"]["never_auto_publish"] is True
    for source in sorted((tmp_path / "source").iterdir()):
        with Image.open(tmp_path / "rendered" / source.name) as rendered:
            assert (rendered.mode, rendered.size) == (mode, (40, 40))
            assert notice in rendered.text["Disclaimer"]
            values = np.asarray(rendered)
    assert mode != "I;16" or len(np.unique(values % 256)) > 30
