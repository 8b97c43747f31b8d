"""Spend: the cap, sums that grow with time, and a reading that errs no more often on heavy tails than it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recommend.engine.errors import EngineError
from recommend.engine.sequential import (
    FEWEST_OUTCOMES,
    Sample,
    read,
    sequential_sample_size,
    sequential_sample_size_of_means,
)
from recommend.engine.spend import CappedSpend, cap_of


def test_the_cap_lets_99_of_100_buyers_count_in_full_and_tells_nobodys_amount():
    assert cap_of([float(n) for n in range(1, 1001)], usual_price=1) == 990  # the 990th of them
    assert cap_of([123.45] * 200, usual_price=1) == 130


def test_with_few_buyers_ten_usual_prices_are_the_cap():
    assert cap_of([90_000.0] * 99, usual_price=34.5) == 350
    assert cap_of([], usual_price=0.0) == 0


@pytest.mark.parametrize("largest", [100.0, 10_000.0, 1_000_000.0])
def test_one_order_neither_sets_the_cap_nor_is_told_by_it(largest):
    assert cap_of([40.0] * 99 + [largest], usual_price=40) == 40


def test_where_a_hundred_buyers_paid_nothing_ten_usual_prices_are_the_cap():
    assert cap_of([0.0] * 100, usual_price=20.0) == 200


def test_sums_stop_growing_at_the_cap_and_are_those_of_the_capped_spend_at_every_moment():
    purchases = [(1, 30.0), (2, 500.0), (1, 50.0), (1, 60.0), (2, 5.0)]
    spent = CappedSpend(cap=100.0)
    steps = [spent.add(shopper, amount) for shopper, amount in purchases]

    assert steps == [(30, 900), (100, 10_000), (50, 6_400 - 900), (20, 10_000 - 6_400), (0, 0)]
    assert sum(more for more, _squared in steps) == 200


def test_amounts_of_nought_and_one_read_as_the_rate_they_are():
    assert Sample.of_values(1000, 120, 120) == Sample.of_rate(120, 1000)


def test_a_hundred_buyers_of_whom_one_spent_nearly_all_count_as_few():
    spends = [10_000.0] + [1.0] * 99
    sample = Sample.of_values(5000, sum(spends), sum(spend**2 for spend in spends))

    assert sample.outcomes == 1
    assert read(sample, sample, smallest_effect=0.1).verdict == "too early"


def test_a_plan_of_means_is_the_plan_of_rates_where_amounts_are_nought_or_one():
    of_rates = sequential_sample_size(base_rate=0.05, relative_uplift=0.1)
    of_means = sequential_sample_size_of_means(mean=0.05, variance=0.05 * 0.95, relative_uplift=0.1)

    assert of_means == pytest.approx(of_rates, rel=0.06)  # a rate's variance grows slower than a scaled amount's
    larger = sequential_sample_size_of_means(mean=5.0, variance=25 * 19, relative_uplift=0.1)
    assert larger == pytest.approx(of_means, rel=1e-3)  # the unit of money does not matter
    with pytest.raises(EngineError):
        sequential_sample_size_of_means(mean=0.0, variance=1.0, relative_uplift=0.1)


RUNS, SHOPPERS, LOOKS = 400, 4000, 20


def spends(rng: np.random.Generator, tail: str, shape: tuple[int, int]) -> np.ndarray:
    """What shoppers spend on one visit: 5 % of them something, and a few of these very much."""
    sizes = rng.lognormal(3.0, 1.5, shape) if tail == "lognormal" else 20 * (1 + rng.pareto(1.5, shape))
    return (rng.random(shape) < 0.05) * sizes


def looked_at(rng: np.random.Generator, tail: str, cap: float) -> list[list[Sample]]:
    """One variant of 400 experiments at 20 looks each: shoppers arrive evenly, a third of the buyers come back later."""
    first = spends(rng, tail, (RUNS, SHOPPERS))
    again = first * (rng.random((RUNS, SHOPPERS)) < 1 / 3)
    back = np.arange(SHOPPERS) / SHOPPERS + rng.exponential(0.3, (RUNS, SHOPPERS))
    samples: list[list[Sample]] = [[] for _ in range(RUNS)]
    for look in range(1, LOOKS + 1):
        count = SHOPPERS * look // LOOKS
        spent = np.minimum(first[:, :count] + again[:, :count] * (back[:, :count] <= look / LOOKS), cap)
        for run, row in enumerate(spent):
            samples[run].append(Sample.of_values(count, float(row.sum()), float((row**2).sum())))
    return samples


@pytest.mark.parametrize("tail", ["lognormal", "pareto"])
def test_twenty_looks_at_equal_heavy_tailed_spend_seldom_find_a_difference_where_a_fixed_sample_test_often_does(tail):
    rng = np.random.default_rng(5)
    sequential = fixed = 0
    for ours, theirs in zip(looked_at(rng, tail, 600.0), looked_at(rng, tail, 600.0), strict=True):
        pairs = list(zip(ours, theirs, strict=True))
        # A hoped-for effect of about three standard errors at the end is where the test is sharpest.
        sequential += any(read(*pair, smallest_effect=2.0).p_value <= 0.05 for pair in pairs)
        fixed += any(
            abs(b.mean - a.mean) > 1.96 * math.sqrt(a.variance / a.count + b.variance / b.count)
            for a, b in pairs
            if min(a.outcomes, b.outcomes) >= FEWEST_OUTCOMES
        )

    assert sequential / RUNS <= 0.05
    assert fixed / RUNS > 0.07


def test_the_planned_number_of_shoppers_finds_the_uplift_with_the_promised_power():
    rng = np.random.default_rng(6)
    usual = np.minimum(spends(rng, "lognormal", (1, 200_000)), 600.0)
    mean, variance = float(usual.mean()), float(usual.var())
    count = sequential_sample_size_of_means(mean=mean, variance=variance, relative_uplift=0.5)
    ours = np.minimum(spends(rng, "lognormal", (RUNS, count)), 600.0)
    theirs = 1.5 * np.minimum(spends(rng, "lognormal", (RUNS, count)), 600.0)
    readings = [
        read(
            *(Sample.of_values(count, float(row.sum()), float((row**2).sum())) for row in pair),
            smallest_effect=0.5 * mean,
        )
        for pair in zip(ours, theirs, strict=True)
    ]

    assert np.mean([reading.verdict == "better" for reading in readings]) == pytest.approx(0.8, abs=0.08)
    assert np.mean([reading.low <= 0.5 * mean <= reading.high for reading in readings]) >= 0.95
