"""A trained translator on pictures of every size and mode: sizes stay, options do what they say."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageChops

from styling.cyclegan.devices import choose
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import Generator
from styling.cyclegan.translating import TranslateOptions, Translator


@pytest.fixture(scope="module")
def translator() -> Translator:
    generator = Generator(width=8, blocks=1).eval()
    return Translator(generator, {"image_size": 64}, choose("cpu", precision="float32"))


@pytest.mark.parametrize("size", [(64, 64), (97, 33), (300, 120), (1, 1)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK"])
def test_a_rendering_has_the_size_of_its_picture(translator, size, mode):
    rendered = translator.translate([Image.new(mode, size)])[0]
    assert (rendered.size, rendered.mode) == (size, "RGB")


def test_strength_zero_is_the_picture_itself(translator):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    rendered = translator.translate([noise], options=TranslateOptions(strength=0))[0]
    assert ImageChops.difference(noise, rendered).getbbox() is None


def test_options_out_of_range_are_refused():
    with pytest.raises(CycleGANError):
        TranslateOptions(strength=1.5)
