"""The population stability index against figures worked out by hand, and against chance."""

from __future__ import annotations

import numpy as np
import pytest

from recommend.engine.drift import population_shift


def test_the_index_is_the_one_worked_out_by_hand():
    found = population_shift({"a": 5000, "b": 5000}, {"a": 8000, "b": 2000})
    expected = 0.3 * np.log(0.8 / 0.5) + (-0.3) * np.log(0.2 / 0.5)

    assert found.index == pytest.approx(expected, rel=1e-3)
    assert found.has_moved
    assert found.shares["a"] == (0.5, 0.8)


def test_the_same_distribution_has_not_moved_and_a_new_bin_breaks_nothing():
    same = population_shift({"a": 300, "b": 700}, {"a": 600, "b": 1400})
    new = population_shift({"a": 1000}, {"a": 1000, "b": 1000})

    assert same.index == pytest.approx(0.0, abs=1e-5)
    assert not same.has_moved
    assert new.has_moved


def test_chance_alone_raises_no_alarm():
    draw = np.random.default_rng(3)
    shares = draw.dirichlet(np.ones(12))
    moved = 0
    for _number in range(300):
        before, now = (draw.multinomial(120, shares) for _side in range(2))
        names = [f"c{place}" for place in range(12)]
        moved += population_shift(
            dict(zip(names, before.tolist(), strict=True)), dict(zip(names, now.tolist(), strict=True))
        ).has_moved

    assert moved == 0


@pytest.mark.parametrize(
    ("before", "now"),
    [({}, {}), ({"a": 500}, {"a": 700}), ({"a": 5, "b": 5}, {"a": 9, "b": 1}), ({"a": 9, "b": 500}, {})],
)
def test_what_cannot_be_compared_is_not_known(before, now):
    found = population_shift(before, now)

    assert not found.is_known
    assert not found.has_moved
