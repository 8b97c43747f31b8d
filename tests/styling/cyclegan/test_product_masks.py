"""The product's mask against drawn products, whose true mask is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from styling.cyclegan.colors import to_lab
from styling.cyclegan.product_masks import product_mask

SIDE, SEEN = 240, 192
Shape = tuple[str, tuple[int, int, int, int], tuple[int, int, int]]


def studio() -> Image.Image:
    """A backdrop that grows lighter downwards."""
    return Image.linear_gradient("L").resize((SIDE, SIDE)).point(lambda level: 170 + level // 4).convert("RGB")


def room() -> Image.Image:
    picture = Image.new("RGB", (SIDE, SIDE), (205, 200, 190))
    ImageDraw.Draw(picture).rectangle((0, 160, SIDE, SIDE), fill=(120, 85, 60))
    return picture


def carpet() -> Image.Image:
    coarse = np.random.default_rng(1).uniform(60, 200, (SIDE // 12, SIDE // 12, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def shaded() -> Image.Image:
    picture = studio()
    ImageDraw.Draw(picture).ellipse((60, 180, 220, 215), fill=(150, 150, 155))
    return picture


def pale() -> Image.Image:
    return Image.new("RGB", (SIDE, SIDE), (235, 235, 235))


def overlap(ground: Image.Image, shapes: Sequence[Shape]) -> tuple[float, float]:
    """Intersection over union of the found and the true mask, and the confidence."""
    picture, truth = ground.copy(), Image.new("1", (SIDE, SIDE))
    for kind, box, fill in shapes:
        getattr(ImageDraw.Draw(picture), kind)(box, fill=fill)
        getattr(ImageDraw.Draw(truth), kind)(box, fill=1)
    mask, confidence = product_mask(to_lab(picture, (SEEN, SEEN)))
    wanted = np.asarray(truth.resize((SEEN, SEEN)))
    return float((mask & wanted).sum() / (mask | wanted).sum()), confidence


@pytest.mark.parametrize(
    ("ground", "shapes", "least"),
    [
        (studio, [("ellipse", (60, 40, 180, 210), (40, 90, 150))], 0.9),
        # A pair is one product.
        (studio, [("ellipse", (30, 70, 105, 190), (130, 70, 40)), ("ellipse", (135, 70, 210, 190), (130, 70, 40))], 0.9),
        # One of two colours is too.
        (studio, [("rectangle", (70, 40, 170, 120), (220, 180, 40)), ("rectangle", (70, 120, 170, 200), (40, 60, 140))], 0.9),
        # It may stand on the picture's edge,
        (studio, [("rectangle", (70, 90, 170, 240), (60, 60, 70))], 0.9),
        # before floor and wall, on a pattern,
        (room, [("ellipse", (70, 60, 170, 220), (40, 110, 70))], 0.9),
        (carpet, [("rectangle", (60, 50, 180, 200), (235, 225, 230))], 0.9),
        # hardly darker than its ground, or with a shadow, which is taken for a part of it.
        (pale, [("ellipse", (60, 40, 180, 210), (215, 212, 205))], 0.9),
        (shaded, [("ellipse", (70, 40, 170, 200), (180, 40, 50))], 0.7),
    ],
)  # fmt: skip
def test_the_drawn_product_is_found(ground, shapes, least):
    found, confidence = overlap(ground(), shapes)
    assert found > least
    assert confidence > 0.5


def test_nothing_on_nothing_is_found_with_no_confidence():
    mask, confidence = product_mask(to_lab(Image.new("RGB", (64, 64), "white"), (SEEN, SEEN)))
    assert confidence == 0
    assert mask.mean() == pytest.approx(0.25, abs=0.01)
