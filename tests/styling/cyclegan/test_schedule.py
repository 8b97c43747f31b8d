"""Budgets, rates and weights over a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from styling.cyclegan.presets import preset
from styling.cyclegan.schedule import annealed, fraction_done, rate_factor

DRAFT = replace(preset("draft"), steps=100, decay_from=0.5, anneal_until=0.5)


def test_the_budget_that_ends_first_counts() -> None:
    both = replace(DRAFT, minutes=1.0)

    assert fraction_done(DRAFT, step=25, seconds=1e9) == 0.25
    assert fraction_done(both, step=25, seconds=30) == 0.5
    assert fraction_done(both, step=75, seconds=30) == 0.75
    assert fraction_done(replace(DRAFT, steps=None, minutes=1.0), step=10**6, seconds=90) == 1


@pytest.mark.parametrize(("fraction", "factor"), [(0, 1), (0.5, 1), (0.75, 0.5), (1, 0)])
def test_the_rate_is_constant_and_then_falls_to_zero(fraction: float, factor: float) -> None:
    assert rate_factor(DRAFT, fraction) == factor


@pytest.mark.parametrize(("fraction", "weight"), [(0, 8), (0.25, 6), (0.5, 4), (1, 4)])
def test_weights_are_annealed_and_then_stay(fraction: float, weight: float) -> None:
    assert annealed(DRAFT, fraction, start=8, end=4) == weight
