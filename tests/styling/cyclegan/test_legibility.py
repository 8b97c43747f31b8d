"""Lettering on drawn products: found where there is some, and readable or not as it plainly is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from styling.cyclegan.legibility import find_lettering, legibility

SIDE = 600


def mug(text: str = "STYLE REC", *, size: int = 40, ink=(245, 240, 230)) -> Image.Image:
    picture = Image.new("RGB", (SIDE, SIDE), (225, 222, 215))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((100, 80, 500, 520), 40, fill=(50, 80, 140))
    draw.text((300, 300), text, font=ImageFont.load_default(size), fill=ink, anchor="mm")
    return picture


def noisy(picture: Image.Image) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 40, (SIDE, SIDE, 3))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("size", [16, 24, 40, 70, 100])
@pytest.mark.parametrize("invert", [False, True])
def test_lettering_is_found_at_every_size_light_on_dark_and_dark_on_light(size, invert):
    picture = ImageOps.invert(mug(size=size)) if invert else mug(size=size)
    (line,) = find_lettering(picture)
    assert 5 <= len(line.marks) <= 8  # STYLE REC; letters that touch are one mark
    assert legibility(picture, picture, [line]) > 0.95


def test_a_plain_product_has_none():
    assert find_lettering(mug("")) == []


def test_a_striped_product_has_none():
    picture = mug("")
    for top in range(120, 480, 40):
        ImageDraw.Draw(picture).rectangle((100, top, 500, top + 12), fill=(240, 240, 240))
    assert find_lettering(picture) == []


def test_only_lettering_on_the_product_counts():
    above = np.zeros((100, 100), dtype=bool)
    above[:40] = True
    assert find_lettering(mug(), above) == []
    assert len(find_lettering(mug(), ~above)) == 1


READABLE = {
    "inverted": ImageOps.invert,
    "in four tones": lambda picture: ImageOps.posterize(picture, 2),
    "outlined": lambda picture: picture.filter(ImageFilter.FIND_EDGES),
    "in another colour": lambda _picture: mug(ink=(230, 200, 60)),
    "under noise": noisy,
    "hardly blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(1)),
}
UNREADABLE = {
    "erased": lambda _picture: mug(""),
    "faint": lambda _picture: mug(ink=(60, 90, 150)),
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(5)),
    "another text": lambda _picture: mug("KINGS PUB"),
    "only noise": lambda _picture: noisy(mug("")),
}


@pytest.mark.parametrize("change", READABLE)
def test_what_can_be_read_scores_high(change):
    original = mug()
    assert legibility(original, READABLE[change](original), find_lettering(original)) > 0.8


@pytest.mark.parametrize("change", UNREADABLE)
def test_what_cannot_be_read_scores_low(change):
    original = mug()
    assert legibility(original, UNREADABLE[change](original), find_lettering(original)) < 0.25


def test_one_lost_word_of_three_counts():
    original = mug("ONE TWO SIX")
    ruined = original.copy()
    ImageDraw.Draw(ruined).rectangle((360, 270, 450, 330), fill=(50, 80, 140))
    assert legibility(original, ruined, find_lettering(original)) < 0.25


def test_a_rendering_of_another_size_is_compared_in_place():
    original = mug()
    assert legibility(original, original.resize((450, 450)), find_lettering(original)) > 0.9
