"""The demo's looks: enough references, deterministic, and apart by plain statistics."""

from __future__ import annotations

import numpy as np
import pytest

from styling.demo import LOOKS
from styling.demo.objects import SUBJECTS
from styling.demo.outlines import Motif, Part
from styling.demo.sketch import rasterise

pytestmark = pytest.mark.pure

SMALL = 64


def unit(slug: str, index: int, *, seed: int = 4) -> np.ndarray:
    return np.asarray(LOOKS[slug].draw(index, seed, SMALL), dtype=np.float32) / 255


def saturation(picture: np.ndarray) -> float:
    top = picture.max(axis=2)
    return float(((top - picture.min(axis=2)) / np.maximum(top, 0.05)).mean())


def test_three_looks_with_texts_in_both_languages() -> None:
    assert list(LOOKS) == ["ink", "pop-art", "neon"]
    for slug, look in LOOKS.items():
        assert look.slug == slug
        assert look.name
        assert look.description
        assert any("\u4e00" <= letter <= "\u9fff" for letter in look.name_zh)
        assert any("\u4e00" <= letter <= "\u9fff" for letter in look.description_zh)


@pytest.mark.parametrize("slug", ["ink", "pop-art", "neon"])
def test_sixty_references_none_blank_none_twice(slug: str) -> None:
    pictures = np.stack([unit(slug, index) for index in range(60)])

    assert pictures.shape == (60, SMALL, SMALL, 3)
    assert pictures.std(axis=(1, 2, 3)).min() > 0.04
    flat = pictures.reshape(60, -1)
    apart = np.array([np.abs(flat - one).mean(axis=1) for one in flat])
    assert apart[~np.eye(60, dtype=bool)].min() > 0.005


@pytest.mark.parametrize("slug", ["ink", "pop-art", "neon"])
def test_equal_arguments_give_equal_pixels(slug: str) -> None:
    assert np.array_equal(unit(slug, 2), unit(slug, 2))
    assert not np.array_equal(unit(slug, 2), unit(slug, 2, seed=5))
    assert not np.array_equal(unit(slug, 2), unit(slug, 2 + len(SUBJECTS)))
    assert LOOKS[slug].draw(0, 1, 96).size == (96, 96)


def test_looks_differ_by_brightness_and_saturation() -> None:
    brightness = {slug: np.mean([unit(slug, index).mean() for index in range(17)]) for slug in LOOKS}
    colourful = {slug: np.mean([saturation(unit(slug, index)) for index in range(17)]) for slug in LOOKS}

    assert brightness["neon"] < 0.33
    assert brightness["ink"] > 0.7
    assert colourful["ink"] < 0.2
    assert colourful["pop-art"] > 0.5


def test_a_sketch_is_lit_from_the_upper_left() -> None:
    around = np.linspace(0, 2 * np.pi, 60)
    ball = Motif([Part([(float(np.cos(a)), float(np.sin(a))) for a in around])])

    sketch = rasterise(ball, size=96, rng=np.random.default_rng(0))

    rows, columns = np.nonzero(sketch.part == 2)
    top, left = int(rows.mean()), int(columns.mean())
    assert sketch.light[top - 18, left - 18] > sketch.light[top + 18, left + 18] + 0.2
    assert sketch.line[top, left] > 20
    assert sketch.shadow_side[rows.max(), left] > 0.7 > 0.3 > sketch.shadow_side[rows.min(), left]
