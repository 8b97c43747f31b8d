"""The demo shop's assortment: complete, bilingual, deterministic, and worth looking at."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import numpy as np
import pytest

from catalog.demo import VIEWS, assortment
from catalog.demo.colour import develop, linear
from catalog.demo.solids import Rod, Solid, Wall
from catalog.demo.tracing import soft_shadow, trace

pytestmark = pytest.mark.pure

SMALL = 40


def pixels(image: object) -> np.ndarray:
    return np.asarray(image, dtype=np.float32)


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_the_shop_has_forty_eight_products_on_six_shelves() -> None:
    products = assortment(3)

    assert len(products) >= 48
    assert len({product.sku for product in products}) == len(products)
    assert len({product.name for product in products}) == len(products)
    shelves = Counter(product.category for product in products)
    assert len(shelves) == 6
    assert min(shelves.values()) >= 8
    assert len({(product.category, product.category_name, product.category_name_zh) for product in products}) == 6


def test_every_product_is_told_in_both_languages_and_has_a_price() -> None:
    for product in assortment(3):
        assert is_chinese(product.name_zh)
        assert is_chinese(product.description_zh)
        assert is_chinese(product.category_name_zh)
        assert not is_chinese(product.name + product.description)
        assert len(product.description) > 40
        assert isinstance(product.price, Decimal)
        assert 10 < product.price < 500
        assert product.currency == "EUR"
        assert product.stock > 0


def test_one_seed_gives_one_shop_and_another_seed_other_glazes() -> None:
    assert assortment(5) == assortment(5)
    first, other = assortment(5)[0], assortment(6)[0]

    assert np.array_equal(pixels(first.draw(SMALL)), pixels(assortment(5)[0].draw(SMALL)))
    assert not np.array_equal(pixels(first.draw(SMALL)), pixels(other.draw(SMALL)))
    assert first.sku == other.sku
    assert first.name == other.name


def test_no_picture_is_blank_and_no_two_are_alike() -> None:
    pictures = [pixels(product.draw(SMALL)) for product in assortment(1)]

    for picture in pictures:
        assert picture.shape == (SMALL, SMALL, 3)
        assert picture.std() > 8
    flat = np.stack([picture.ravel() for picture in pictures])
    apart = np.abs(flat[:, None, :] - flat[None, :, :]).mean(axis=2)
    assert apart[~np.eye(len(flat), dtype=bool)].min() > 2


@pytest.mark.parametrize("shelf", ["vases", "mugs", "bowls", "teapots", "glass", "lamps"])
def test_each_view_is_another_picture_of_the_asked_size(shelf: str) -> None:
    product = next(product for product in assortment(1) if product.category == shelf)

    views = [product.draw(48, view=view) for view in range(VIEWS)]

    assert all(view.size == (48, 48) and view.mode == "RGB" for view in views)
    assert np.abs(pixels(views[0]) - pixels(views[1])).mean() > 4


def test_a_ray_stops_at_a_turned_wall() -> None:
    # A cylinder of radius .4 (to the middle of its wall), .04 thick: the outer face is at y = -.42.
    cylinder = Solid([Wall(((0.4, 0.0), (0.4, 1.0)), thickness=0.04)])
    eye = np.array([0, -3, 0.5], dtype=np.float32)
    rays = np.array([[0, 1, 0], [0.6, 0.8, 0]], dtype=np.float32)

    reached = trace(cylinder, eye, rays)

    assert reached[0] == pytest.approx(3 - 0.42, abs=0.004)
    assert np.isinf(reached[1])
    surface = cylinder.surface(eye + rays[:1] * reached[:1, None])
    assert surface.normals[0] == pytest.approx([0, -1, 0], abs=0.02)
    assert surface.outside[0] == pytest.approx(1)


def test_a_handle_is_where_the_pot_is_turned_to() -> None:
    wall, handle = Wall(((0.2, 0.0), (0.2, 1.0))), Rod(((0.2, 0.8), (0.6, 0.5), (0.2, 0.2)), (0.05, 0.05))
    # The middle of this quadratic spline lies at x = .4.
    spot = np.array([[0.4, 0.0, 0.5], [0.0, 0.4, 0.5]], dtype=np.float32)

    ahead, turned = (Solid([wall], [handle], yaw=yaw).distance(*spot.T) for yaw in (0.0, np.pi / 2))

    assert ahead[0] == pytest.approx(-0.05, abs=0.01)
    assert ahead[1] > 0.1
    assert turned[1] == pytest.approx(ahead[0], abs=0.01)


def test_shade_falls_behind_the_pot_and_not_before_it() -> None:
    pot = Solid([Wall(((0.0, 0.02), (0.3, 0.02), (0.3, 0.5), (0.3, 1.0)))])
    light = np.array([-0.8, 0, 0.6], dtype=np.float32)
    ground = np.array([[0.7, 0, 0], [-0.9, 0, 0]], dtype=np.float32)

    behind, before = soft_shadow(pot, ground, light, hardness=3, full=True)

    assert behind == pytest.approx(0, abs=0.01)
    assert before == pytest.approx(1, abs=0.05)


def test_colours_are_linear_light_and_highlights_are_rolled_off() -> None:
    assert linear("#ffffff") == pytest.approx([1, 1, 1])
    assert linear("#808080")[0] == pytest.approx(0.2159, abs=1e-3)

    film = pixels(develop(np.array([[[0.0] * 3, [0.18] * 3, [1.0] * 3, [50.0] * 3]], dtype=np.float32)))[0, :, 0]

    assert film[0] == 0
    assert np.all(np.diff(film) > 0)
    assert film[2] < 240
    assert film[3] >= 253
