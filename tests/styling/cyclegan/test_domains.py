"""The three domains beside the shop's, each on drawn data with a known answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from styling.cyclegan import artifact
from styling.cyclegan.data import open_picture, to_image
from styling.cyclegan.domains import DOMAINS
from styling.cyclegan.notices import jpeg_options, notice_of, png_options
from styling.cyclegan.presets import PRESETS
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.training import train
from tests.styling.cyclegan.conftest import shapes, write_pictures

Toy = Callable[..., TrainingSettings]
FAST = {"steps": 150, "learning_rate": 4e-3, "discriminator_learning_rate": 2e-3, "ema": 0.9}


def _translated(model: Path, values: np.ndarray) -> np.ndarray:
    """H×W×C in [0, 255] through the trained model."""
    generator, _ = artifact.load_generator(model)
    with torch.no_grad():
        picture = torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
        result: np.ndarray = ((generator(picture)[0] + 1) * 127.5).permute(1, 2, 0).numpy()
    return result


def _board(picture: np.ndarray) -> np.ndarray:
    """A drawing as chalk on a dark green board: the teaching material's style."""
    strength = (picture[..., :1].astype(np.float32) - 110) / 120
    return (np.array([30, 70, 50]) + strength * np.array([160, 130, 150])).clip(0, 255).astype(np.uint8)


def test_teaching_material_goes_onto_the_board_and_keeps_its_figures(toy: Toy, tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "plain", shapes(24, seed=1))
    target = write_pictures(tmp_path / "board", [_board(picture) for picture in shapes(24, seed=2)])

    result = train(source=source, target=target, out=tmp_path / "out", settings=toy("teaching", **FAST))

    picture = shapes(1, seed=99)[0]
    translated = _translated(tmp_path / "out", picture)
    before = np.abs(picture.astype(np.float32) - _board(picture)).mean()
    assert np.abs(translated - _board(picture)).mean() < 0.7 * before
    assert result.metrics["retrieval"] == 1
    assert PRESETS["teaching"].mirror is False  # writing is never mirrored


def _scan(picture: np.ndarray, *, window: float) -> np.ndarray:
    """A 16-bit grey scan of a drawing; ``window`` is how bright the scanner shows it."""
    grey = ndimage.gaussian_filter(picture[..., 0].astype(np.float32), 1.0)
    return np.rint(grey / 255 * window * 65535).astype(np.uint16)


def test_medical_pictures_keep_sixteen_bits_and_their_structures(toy: Toy, tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "ct", [_scan(picture, window=0.9) for picture in shapes(24, seed=1)])
    target = write_pictures(tmp_path / "mr", [_scan(picture, window=0.45) for picture in shapes(24, seed=2)])
    settings = toy("medical", **(FAST | {"identity_start": 1.0, "identity_end": 0.5, "steps": 200}))

    result = train(source=source, target=target, out=tmp_path / "out", settings=settings)

    values = open_picture(
        write_pictures(tmp_path / "new", [_scan(shapes(1, seed=99)[0], window=0.9)])[0], channels=1, bit_depth=16
    )
    translated = _translated(tmp_path / "out", values)
    assert translated.mean() < 0.85 * values.mean()  # towards the darker scanner
    assert np.corrcoef(translated.ravel(), values.ravel())[0, 1] > 0.9  # and the same structures
    written = to_image(torch.from_numpy(translated).permute(2, 0, 1) / 127.5 - 1, bit_depth=16)
    assert written.mode == "I;16"
    assert len(np.unique(np.asarray(written) % 256)) > 50  # the low byte carries values, not zeros
    assert "Not for diagnosis" in result.metrics["notice"]
    assert artifact.read_config(tmp_path / "out")["domain"]["never_auto_publish"] is True


def _damaged(picture: np.ndarray) -> np.ndarray:
    """Yellowed and faded by age."""
    return (60 + 0.6 * picture * np.array([1.0, 0.9, 0.55])).clip(0, 255).astype(np.uint8)


def test_damaged_art_moves_towards_its_restoration(toy: Toy, tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "damaged", [_damaged(picture) for picture in shapes(24, seed=1)])
    target = write_pictures(tmp_path / "restored", shapes(24, seed=2))
    settings = toy("art-restoration", **(FAST | {"steps": 200, "identity_end": 1.0}))

    result = train(source=source, target=target, out=tmp_path / "out", settings=settings)

    sound = shapes(1, seed=99)[0]
    before = np.abs(_damaged(sound).astype(np.float32) - sound).mean()
    after = np.abs(_translated(tmp_path / "out", _damaged(sound)) - sound).mean()
    assert after < 0.75 * before
    assert result.metrics["content_score"] > 0.6


def test_a_notice_travels_in_the_files_of_renderings(tmp_path: Path) -> None:
    notice = notice_of({"domain": DOMAINS["medical"].to_dict()})
    scan = Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * 163)

    scan.save(tmp_path / "scan.png", **png_options(notice))
    scan.convert("L").save(tmp_path / "scan.jpg", **jpeg_options(notice))

    with Image.open(tmp_path / "scan.png") as saved:
        assert saved.text["Disclaimer"].startswith("Not for diagnosis.")
        assert saved.mode == "I;16"
        assert (np.asarray(saved) == np.asarray(scan)).all()
    with Image.open(tmp_path / "scan.jpg") as saved:
        assert saved.getexif()[0x010E] == notice


def test_a_shops_renderings_carry_none() -> None:
    assert notice_of({"domain": DOMAINS["shop"].to_dict()}) == notice_of({}) == ""
    assert png_options("") == jpeg_options("") == {}


def test_grey_eight_bit_pictures_are_read_for_a_sixteen_bit_model(tmp_path: Path) -> None:
    Image.new("L", (20, 20), 200).save(tmp_path / "old.png")

    assert open_picture(tmp_path / "old.png", channels=1, bit_depth=16).max() == 200


@pytest.mark.parametrize("name", ["teaching", "medical", "art-restoration"])
def test_only_the_shops_pictures_may_publish_themselves(name: str) -> None:
    domain = DOMAINS[PRESETS[name].domain]

    assert domain.never_auto_publish
    assert domain.notice
    assert not DOMAINS["shop"].never_auto_publish
