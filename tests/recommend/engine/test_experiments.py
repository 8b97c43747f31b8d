"""Experiments: sticky and fair assignment, known sample sizes, and an error rate that survives daily looks."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from recommend.engine.errors import EngineError
from recommend.engine.experiments import SampleRatio, Variant, assign, sample_ratio, sample_size
from recommend.engine.guardrails import Guardrail, GuardrailReading, check, conclude
from recommend.engine.sequential import Reading, Sample, read, sequential_sample_size

KEY = b"a key for tests"
HALVES = [Variant("control", 0.5), Variant("treatment", 0.5)]


def place(unit, *, experiment="ink", variants=HALVES, key=KEY):
    return assign(experiment=experiment, unit=unit, variants=variants, key=key)


def test_a_shopper_keeps_the_variant_and_the_split_is_as_planned():
    units = [f"shopper {n}" for n in range(10_000)]
    first = [place(unit) for unit in units]

    assert [place(unit) for unit in units] == first
    assert not sample_ratio(Counter(first), HALVES).mismatch
    assert Counter(first)["treatment"] == pytest.approx(5000, abs=200)


def test_two_experiments_and_two_keys_split_independently():
    units = [f"shopper {n}" for n in range(4000)]
    first = np.array([place(unit) == "treatment" for unit in units])

    for other in ({"experiment": "neon"}, {"key": b"another key"}):
        second = np.array([place(unit, **other) == "treatment" for unit in units])
        assert np.corrcoef(first, second)[0, 1] == pytest.approx(0, abs=0.05)


def test_raising_the_last_share_moves_nobody_out():
    units = [f"shopper {n}" for n in range(3000)]
    narrow = [Variant("control", 0.1), Variant("treatment", 0.1)]
    wide = [Variant("control", 0.1), Variant("treatment", 0.9)]

    before = {unit: place(unit, variants=narrow) for unit in units}

    inside = {unit: variant for unit, variant in before.items() if variant}
    assert len(inside) == pytest.approx(600, abs=80)
    assert all(place(unit, variants=wide) == variant for unit, variant in inside.items())
    assert all(place(unit, variants=wide) for unit in units)


@pytest.mark.parametrize(
    "variants",
    [[], [Variant("a", 0.7), Variant("b", 0.4)], [Variant("a", -0.1)], [Variant("a", 0.5), Variant("a", 0.5)]],
)
def test_impossible_shares_are_refused(variants):
    with pytest.raises(EngineError) as caught:
        place("shopper", variants=variants)

    assert caught.value.code == "bad-settings"


def test_a_sample_size_from_the_textbook():
    # Fleiss, Levin & Paik: 0.10 against 0.12 at 5 % and 80 % takes 3,841 each without continuity correction.
    assert sample_size(base_rate=0.10, relative_uplift=0.2) == 3841
    assert sample_size(base_rate=0.10, relative_uplift=0.1) > 3.8 * 3841
    assert 3841 < sequential_sample_size(base_rate=0.10, relative_uplift=0.2) < 3 * 3841


@pytest.mark.parametrize("wrong", [{"base_rate": 0}, {"relative_uplift": 0}, {"relative_uplift": 20}, {"power": 1}])
def test_an_impossible_plan_is_refused(wrong):
    with pytest.raises(EngineError):
        sample_size(**{"base_rate": 0.1, "relative_uplift": 0.1, **wrong})


def looks(rng, control_rate, treatment_rate, *, shoppers=6000, every=200):
    """The readings of one experiment that is looked at after every 200 shoppers of each variant."""
    control = (rng.random(shoppers) < control_rate).cumsum()
    treatment = (rng.random(shoppers) < treatment_rate).cumsum()
    for count in range(every, shoppers + 1, every):
        yield (
            Sample.of_rate(int(control[count - 1]), count),
            Sample.of_rate(int(treatment[count - 1]), count),
        )


def test_thirty_looks_at_nothing_rarely_find_something_where_a_fixed_test_often_does():
    rng = np.random.default_rng(20)
    sequential, fixed, runs = 0, 0, 200
    for _ in range(runs):
        pairs = list(looks(rng, 0.1, 0.1))
        sequential += any(read(*pair, smallest_effect=0.02).p_value <= 0.05 for pair in pairs)
        fixed += any(
            abs(b.mean - a.mean) > 1.96 * math.sqrt(a.variance / a.count + b.variance / b.count) for a, b in pairs
        )

    assert sequential / runs <= 0.05
    assert fixed / runs > 0.15


def test_a_real_uplift_is_found_and_the_intervals_hold_at_all_looks_together():
    rng = np.random.default_rng(21)
    found, held, runs = 0, 0, 100
    for _ in range(runs):
        readings = [read(*pair, smallest_effect=0.03) for pair in looks(rng, 0.10, 0.13)]
        found += any(reading.verdict == "better" for reading in readings)
        held += all(reading.low <= 0.03 <= reading.high for reading in readings)

    assert found / runs >= 0.9
    assert held / runs >= 0.95


def test_the_interval_excludes_zero_exactly_when_the_p_value_decides():
    for successes in range(100, 200, 3):
        reading = read(Sample.of_rate(100, 1000), Sample.of_rate(successes, 1000), smallest_effect=0.02)

        assert (reading.low > 0) == (reading.p_value <= 0.05)


def test_few_outcomes_are_too_early_whatever_they_say():
    reading = read(Sample.of_rate(0, 1000), Sample.of_rate(500, 1000), smallest_effect=0.01)

    assert (reading.verdict, reading.p_value) == ("too early", 1.0)
    nobody = Sample.of_values(0, 0, 0)
    assert read(nobody, nobody, smallest_effect=1).verdict == "too early"
    same = Sample.of_values(100, 500, 2500)
    assert read(same, same, smallest_effect=1).verdict == "too early"


def test_a_broken_split_is_seen_and_a_fair_one_is_not():
    assert sample_ratio({"control": 5300, "treatment": 4700}, HALVES).mismatch
    assert not sample_ratio({"control": 5100, "treatment": 4900}, HALVES).mismatch
    assert sample_ratio(
        {"control": 9000, "treatment": 1010}, [Variant("control", 0.09), Variant("treatment", 0.01)]
    ) == (SampleRatio(p_value=pytest.approx(0.7643, abs=1e-3), mismatch=False))
    assert not sample_ratio({}, HALVES).mismatch


@pytest.mark.parametrize(
    ("margin", "treatment", "more_is_better", "state"),
    [
        (0.10, 5000, True, "safe"),
        (0.01, 4950, True, "unclear"),
        (0.06, 4000, True, "harmed"),
        (0.06, 6000, False, "harmed"),
        (0.06, 4000, False, "safe"),
    ],
)
def test_a_guardrail_is_safe_only_when_harm_is_ruled_out(margin, treatment, more_is_better, state):
    guardrail = Guardrail("orders", margin=margin, more_is_better=more_is_better)

    found = check(guardrail, Sample.of_rate(5000, 50_000), Sample.of_rate(treatment, 50_000))

    assert found.state == state


BETTER, WORSE, UNDECIDED = (Reading(0, 0, 0, 1, verdict) for verdict in ("better", "worse", "undecided"))
FAIR, BROKEN = SampleRatio(0.5, False), SampleRatio(1e-9, True)


def rail(state):
    return GuardrailReading(Guardrail("orders", 0.02), UNDECIDED, state)


@pytest.mark.parametrize(
    ("goal", "rails", "ratio", "conclusion"),
    [
        (BETTER, ["safe"], BROKEN, "distrust"),
        (BETTER, ["safe", "harmed"], FAIR, "stop"),
        (WORSE, ["safe"], FAIR, "stop"),
        (BETTER, ["safe"], FAIR, "ship"),
        (BETTER, ["unclear"], FAIR, "continue"),
        (UNDECIDED, ["safe"], FAIR, "continue"),
    ],
)
def test_one_conclusion_by_what_weighs_most(goal, rails, ratio, conclusion):
    assert conclude(goal, [rail(state) for state in rails], ratio) == conclusion
