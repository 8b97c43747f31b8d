"""Looks: what is alike to the eye is alike in the vector."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from recommend.engine.style import STYLE_SIZE, mean_style, style_profile, style_similarity, style_vector


def stripes(colour: str, *, upright: bool = True, step: int = 24, backdrop: str = "white") -> Image.Image:
    image = Image.new("RGB", (240, 240), backdrop)
    draw = ImageDraw.Draw(image)
    for start in range(0, 240, step):
        end = start + step // 2
        draw.rectangle((start, 0, end, 240) if upright else (0, start, 240, end), fill=colour)
    return image


def test_a_vector_is_of_unit_length_and_the_same_every_time() -> None:
    vector = style_vector(stripes("red"))

    assert vector.shape == (STYLE_SIZE,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_array_equal(vector, style_vector(stripes("red")))


def test_colour_direction_and_scale_each_make_a_difference() -> None:
    base = style_vector(stripes("red"))

    near = float(base @ style_vector(stripes("#f01010")))
    for other in (
        stripes("blue"),
        stripes("red", upright=False),
        stripes("red", step=120),
        stripes("red", backdrop="black"),
    ):
        assert float(base @ style_vector(other)) < near - 0.01


def test_size_hardly_matters_and_transparency_is_white() -> None:
    base = stripes("green")
    clear = Image.new("RGBA", base.size, (0, 0, 0, 0))
    clear.paste(base.convert("RGBA"), mask=base.convert("L").point(lambda value: 255 if value < 200 else 0))

    assert float(style_vector(base) @ style_vector(base.resize((480, 480), Image.Resampling.BOX))) > 0.98
    assert float(style_vector(base) @ style_vector(clear)) > 0.999


@pytest.mark.parametrize(
    "image", [Image.new("RGB", (1, 1), "white"), Image.new("L", (300, 2), 0), Image.new("P", (8, 8))]
)
def test_flat_and_tiny_pictures_have_a_finite_vector(image: Image.Image) -> None:
    assert np.isfinite(style_vector(image)).all()


def test_a_profile_follows_the_latest_likes() -> None:
    looks = np.eye(3, dtype=np.float32)

    profile = style_profile(looks, np.array([0.0, 10.0, 10.0]), np.array([1.0, 1.0, 0.0]), half_life=5.0)

    np.testing.assert_allclose(profile, np.array([4, 1, 0]) / np.sqrt(17), atol=1e-6)
    assert not style_profile(looks[:0], np.zeros(0), np.zeros(0), half_life=5.0).any()


def test_a_centre_takes_off_what_all_pictures_share() -> None:
    looks = np.array([[1, 0.2], [1, -0.2]], dtype=np.float32)

    assert style_similarity(looks[0], looks).min() > 0.9
    assert style_similarity(looks[0], looks, centre=looks.mean(axis=0)).tolist() == pytest.approx([1.0, -1.0])
    assert mean_style([stripes("red"), stripes("red")]) @ style_vector(stripes("red")) == pytest.approx(1.0, abs=1e-5)
