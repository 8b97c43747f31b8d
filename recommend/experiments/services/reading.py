"""Reading an experiment: who leads by how much, is the split right, is anything harmed, and what to do now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommend.engine.experiments import SampleRatio, sample_ratio
from recommend.engine.experiments import Variant as Share
from recommend.engine.guardrails import Guardrail, GuardrailReading, check, conclude
from recommend.engine.sequential import Reading, Sample, read
from recommend.experiments.metrics import METRICS, REVENUE
from recommend.experiments.models import Experiment, Variant
from recommend.experiments.services.outcomes import current_outcomes, is_mixed

ALPHA = 0.05
#: One variant's cumulated counts by day, by name: see ``services.outcomes``.
Counts = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class VariantOutcome:
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

    ``revenue`` is read beside whatever the goal is (where it is the goal, it is the goal's reading); None where the
    experiment began before revenue was read.
    """

    challenger: VariantOutcome
    goal: Reading
    guardrails: Sequence[GuardrailReading]
    conclusion: str
    course: Sequence[tuple[str, Reading]]
    revenue: Reading | None

    def relative(self, control: VariantOutcome) -> tuple[float, float, float] | None:
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

    control: VariantOutcome
    comparisons: Sequence[Comparison]
    ratio: SampleRatio
    days: Sequence[str]
    #: Purchases of everybody in it, and how many of them came without an amount.
    purchases: int = 0
    unpriced: int = 0
    #: Amounts of two currencies were added up, so money says nothing.
    is_mixed: bool = False

    @property
    def outcomes(self) -> list[VariantOutcome]:
        """Every variant's, the control's first."""
        return [self.control, *(one.challenger for one in self.comparisons)]

    @property
    def shoppers(self) -> int:
        return sum(outcome.shoppers for outcome in self.outcomes)

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
    counts: Mapping[str, Counts] = outcomes["variants"]
    control, *challengers = [_outcome(variant, counts, experiment.metric) for variant in variants]
    ratio = sample_ratio(
        {str(outcome.variant.pk): outcome.shoppers for outcome in (control, *challengers)},
        [Share(str(variant.pk), variant.share) for variant in variants],
    )
    alpha, mixed = ALPHA / max(len(challengers), 1), is_mixed(experiment, outcomes)
    comparisons = []
    for challenger in challengers:
        course = _course(experiment, control, challenger, outcomes, alpha)
        rails = _guardrails(experiment, control, challenger, counts, alpha)
        goal = course[-1][1]
        comparisons.append(
            Comparison(
                challenger,
                goal,
                rails,
                "distrust" if mixed and _leans_on_money(experiment) else conclude(goal, rails, ratio),
                # Before the first day there is a reading (“too early”), and no course.
                course[: len(outcomes["days"])],
                _revenue(experiment, control, challenger, goal, alpha),
            )
        )
    purchases, unpriced = (
        sum(int(_last(counts.get(str(variant.pk), {}), name)) for variant in variants)
        for name in ("purchases", "unpriced")
    )
    return Report(control, comparisons, ratio, outcomes["days"], purchases, unpriced, mixed)


def _outcome(variant: Variant, counts: Mapping[str, Counts], metric: str) -> VariantOutcome:
    of_variant = counts.get(str(variant.pk), {})
    # Of money the shoppers are counted who bought.
    hits, buyers = (
        int(_last(of_variant, name)) for name in ("bought" if METRICS[metric].in_money else metric, "bought")
    )
    goal, revenue = _sample(of_variant, metric, -1), _sample(of_variant, REVENUE, -1)
    return VariantOutcome(variant, int(_last(of_variant, "shoppers")), hits, goal, revenue, buyers)


def _last(of_variant: Counts, name: str) -> float:
    values = of_variant.get(name, ())
    return values[-1] if values else 0


def _course(
    experiment: Experiment,
    control: VariantOutcome,
    challenger: VariantOutcome,
    outcomes: Mapping[str, Any],
    alpha: float,
) -> list[tuple[str, Reading]]:
    """The goal's reading at the end of each day; where there is no day yet, one of nothing."""
    counts = outcomes["variants"]
    ours, theirs = (counts.get(str(one.variant.pk), {}) for one in (control, challenger))
    effect = experiment.base_rate * experiment.uplift
    return [
        (
            day,
            read(
                _sample(ours, experiment.metric, place),
                _sample(theirs, experiment.metric, place),
                smallest_effect=effect,
                alpha=alpha,
            ),
        )
        for place, day in enumerate(outcomes["days"] or [""])
    ]


def _guardrails(
    experiment: Experiment,
    control: VariantOutcome,
    challenger: VariantOutcome,
    counts: Mapping[str, Counts],
    alpha: float,
) -> list[GuardrailReading]:
    ours, theirs = (counts.get(str(one.variant.pk), {}) for one in (control, challenger))
    return [
        check(
            Guardrail(code, margin, METRICS[code].more_is_better),
            _sample(ours, code, -1),
            _sample(theirs, code, -1),
            alpha=alpha,
        )
        for code, margin in experiment.guardrails.items()
        if code in METRICS
    ]


def _revenue(
    experiment: Experiment, control: VariantOutcome, challenger: VariantOutcome, goal: Reading, alpha: float
) -> Reading | None:
    """Revenue beside the goal, as strictly; the same money is never read twice."""
    if METRICS[experiment.metric].in_money:
        return goal
    if not experiment.spend:
        return None
    effect = experiment.spend["mean"] * experiment.uplift
    return read(control.revenue, challenger.revenue, smallest_effect=effect, alpha=alpha)


def _leans_on_money(experiment: Experiment) -> bool:
    return any(METRICS[code].in_money for code in (experiment.metric, *experiment.guardrails) if code in METRICS)


def _sample(of_variant: Counts, metric: str, place: int) -> Sample:
    shoppers, reached = of_variant.get("shoppers", ()), of_variant.get(metric, ())
    if not shoppers or not reached:
        return Sample.of_rate(0, 0)
    count = int(shoppers[place])
    if METRICS[metric].in_money:
        return Sample.of_values(count, reached[place], of_variant[f"{metric}_squares"][place])
    return Sample.of_rate(min(int(reached[place]), count), count)
