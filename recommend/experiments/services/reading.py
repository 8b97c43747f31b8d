"""Reading an experiment: who leads by how much, is the split right, is anything harmed, and what to do now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommend.engine.experiments import SampleRatio, sample_ratio
from recommend.engine.experiments import Variant as Arm
from recommend.engine.guardrails import Guardrail, GuardrailReading, check, conclude
from recommend.engine.sequential import Reading, Sample, read
from recommend.experiments.metrics import METRICS, REVENUE
from recommend.experiments.models import Experiment, Variant
from recommend.experiments.services.outcomes import current_outcomes

ALPHA = 0.05


@dataclass(frozen=True)
class Arms:
    """One variant's shoppers, how many of them reached the goal (of revenue: bought), and how the goal and revenue stand."""

    variant: Variant
    shoppers: int
    hits: int
    goal: Sample
    revenue: Sample
    buyers: int

    @property
    def rate(self) -> float:
        """The share that reached the goal; of revenue the mean."""
        return self.goal.mean


@dataclass(frozen=True)
class Comparison:
    """One challenger against the control. ``course``: (day, reading) at the end of each day.

    ``revenue`` is read beside whatever the goal is; None where the experiment began before revenue was read.
    """

    challenger: Arms
    goal: Reading
    guardrails: Sequence[GuardrailReading]
    conclusion: str
    course: Sequence[tuple[str, Reading]]
    revenue: Reading | None

    def relative(self, control: Arms) -> tuple[float, float, float] | None:
        """The uplift and its interval in parts of the control's rate; None while there is none."""
        if not control.rate or not math.isfinite(self.goal.low):
            return None
        return (
            self.goal.difference / control.rate,
            self.goal.low / control.rate,
            self.goal.high / control.rate,
        )


@dataclass(frozen=True)
class Report:
    """Everything that is to be said of an experiment at the moment."""

    control: Arms
    comparisons: Sequence[Comparison]
    ratio: SampleRatio
    days: Sequence[str]
    #: Purchases of everybody in it, and how many of them came without an amount.
    purchases: int = 0
    unpriced: int = 0

    @property
    def shoppers(self) -> int:
        return self.control.shoppers + sum(one.challenger.shoppers for one in self.comparisons)

    @property
    def conclusion(self) -> str:
        """``distrust`` | ``ship`` | ``stop`` | ``continue``: of several challengers the best news that can be acted on."""
        found = [one.conclusion for one in self.comparisons]
        return next((name for name in ("distrust", "ship", "continue", "stop") if name in found), "continue")

    @property
    def best(self) -> Comparison | None:
        """The challenger to ship: of those that may be, the one with the largest difference."""
        ready = [one for one in self.comparisons if one.conclusion == "ship"]
        return max(ready, key=lambda one: one.goal.difference, default=None)


def report_of(experiment: Experiment) -> Report:
    """Read the experiment now; safe to do after every shopper."""
    outcomes = current_outcomes(experiment)
    variants = list(experiment.variants.all())
    counts: Mapping[str, Mapping[str, Sequence[int]]] = outcomes["variants"]
    control, *challengers = [_arms(variant, counts, experiment.metric) for variant in variants]
    ratio = sample_ratio(
        {str(arms.variant.pk): arms.shoppers for arms in (control, *challengers)},
        [Arm(str(variant.pk), variant.share) for variant in variants],
    )
    alpha = ALPHA / max(len(challengers), 1)
    comparisons = [
        _compare(experiment, control, challenger, counts, outcomes["days"], ratio, alpha) for challenger in challengers
    ]
    purchases, unpriced = (
        sum(int(_last(counts.get(str(variant.pk), {}), name)) for variant in variants)
        for name in ("purchases", "unpriced")
    )
    return Report(control, comparisons, ratio, outcomes["days"], purchases, unpriced)


def _arms(variant: Variant, counts: Mapping[str, Any], metric: str) -> Arms:
    of_variant = counts.get(str(variant.pk), {})
    hits, buyers = int(_last(of_variant, _counted(metric))), int(_last(of_variant, "bought"))
    shoppers = int(_last(of_variant, "shoppers"))
    return Arms(variant, shoppers, hits, _sample(of_variant, metric, -1), _sample(of_variant, REVENUE, -1), buyers)


def _counted(metric: str) -> str:
    """The metric that counts shoppers: of money, those who bought."""
    return "bought" if METRICS[metric].in_money else metric


def _last(of_variant: Mapping[str, Sequence[float]], name: str) -> float:
    values = of_variant.get(name, ())
    return values[-1] if values else 0


def _compare(
    experiment: Experiment,
    control: Arms,
    challenger: Arms,
    counts: Mapping[str, Any],
    days: Sequence[str],
    ratio: SampleRatio,
    alpha: float,
) -> Comparison:
    ours, theirs = counts.get(str(control.variant.pk), {}), counts.get(str(challenger.variant.pk), {})
    effect = experiment.base_rate * experiment.uplift
    course = [
        (
            day,
            read(
                _sample(ours, experiment.metric, place),
                _sample(theirs, experiment.metric, place),
                smallest_effect=effect,
                alpha=alpha,
            ),
        )
        for place, day in enumerate(days)
    ]
    nothing = Sample.of_rate(0, 0)
    goal = course[-1][1] if course else read(nothing, nothing, smallest_effect=effect, alpha=alpha)
    guardrails = [
        check(rail, _sample(ours, rail.name, -1), _sample(theirs, rail.name, -1), alpha=alpha)
        for rail in _guardrails_of(experiment)
    ]
    conclusion = conclude(goal, guardrails, ratio)
    return Comparison(challenger, goal, guardrails, conclusion, course, _revenue(experiment, control, challenger))


def _revenue(experiment: Experiment, control: Arms, challenger: Arms) -> Reading | None:
    """Revenue beside the goal; for information, so it is read at 5 % whatever else is."""
    if not experiment.spend:
        return None
    effect = experiment.spend["mean"] * experiment.uplift
    return read(control.revenue, challenger.revenue, smallest_effect=effect, alpha=ALPHA)


def _sample(of_variant: Mapping[str, Sequence[float]], metric: str, place: int) -> Sample:
    shoppers, reached = of_variant.get("shoppers", ()), of_variant.get(metric, ())
    if not shoppers or not reached:
        return Sample.of_rate(0, 0)
    count = int(shoppers[place])
    if METRICS[metric].in_money:
        return Sample.of_values(count, reached[place], of_variant[f"{metric}_squares"][place])
    return Sample.of_rate(min(int(reached[place]), count), count)


def _guardrails_of(experiment: Experiment) -> list[Guardrail]:
    return [
        Guardrail(code, margin, METRICS[code].more_is_better)
        for code, margin in experiment.guardrails.items()
        if code in METRICS
    ]
