"""Drawn domains with known answers, and settings small enough to train in a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from styling.cyclegan.presets import preset
from styling.cyclegan.settings import TrainingSettings


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Toy pictures are too small to share between cores, and other tests run beside these."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def shapes(count: int, *, seed: int, side: int = 40) -> list[np.ndarray]:
    """``count`` pictures (side×side×3, uint8) of light shapes on mid grey, at random places."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    pictures = []
    for _ in range(count):
        picture = np.full((side, side, 3), 110, dtype=np.float32)
        for _ in range(3):
            y, x, radius = draw.integers(6, side - 6), draw.integers(6, side - 6), draw.integers(3, 9)
            inside = (
                (rows - y) ** 2 + (columns - x) ** 2 < radius**2
                if draw.random() < 0.5
                else (abs(rows - y) < radius) & (abs(columns - x) < radius)
            )
            picture[inside] = draw.integers(160, 230)
        pictures.append(picture.astype(np.uint8))
    return pictures


def darkened(picture: np.ndarray) -> np.ndarray:
    """The drawn style: darker, and blue."""
    return (picture * np.array([0.35, 0.4, 0.75])).astype(np.uint8)


def write_pictures(folder: Path, pictures: list[np.ndarray]) -> list[Path]:
    """The pictures as PNG files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, picture in enumerate(pictures):
        paths.append(folder / f"{index:03d}.png")
        Image.fromarray(picture).save(paths[-1])
    return paths


@pytest.fixture
def domains(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """24 drawn sources, and 24 *other* drawings in the dark blue style."""
    return (
        write_pictures(tmp_path / "source", shapes(24, seed=1)),
        write_pictures(tmp_path / "target", [darkened(picture) for picture in shapes(24, seed=2)]),
    )


@pytest.fixture
def toy() -> Callable[..., TrainingSettings]:
    """A maker of toy settings: 16 px crops of 32 px pictures, float32, and what the caller changes."""

    def make(name: str = "draft", **changes: object) -> TrainingSettings:
        small: dict[str, object] = {
            "width": 6,
            "blocks": 1,
            "discriminator_width": 8,
            "discriminator_layers": 1,
            "image_size": 32,
            "crop_size": 16,
            "batch_size": 2,
            "steps": 6,
            "pool_size": 8,
            "previews": 2,
            "evaluations": 2,
            "precision": "float32",
        }
        return replace(preset(name), **(small | changes))

    return make
