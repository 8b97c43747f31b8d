"""Where an experiment stands, as one of a few states: whoever puts it into words has one sentence for each."""

from __future__ import annotations

from enum import StrEnum

from recommend.experiments.models import Experiment
from recommend.experiments.services.reading import Comparison, Report


class Standing(StrEnum):
    """The one thing to be said of an experiment now."""

    DRAFT = "draft"
    ROLLED_OUT = "rolled out"
    #: The shoppers are not divided as planned.
    MISDIVIDED = "misdivided"
    #: It leans on money, and the money is of two currencies.
    MIXED = "mixed"
    MIXED_AT_END = "mixed at the end"
    SHIP = "ship"
    WORSE = "worse"
    HARMED = "harmed"
    #: A change as large as hoped for is ruled out, up and down.
    ALIKE = "alike"
    ALIKE_AT_END = "alike at the end"
    #: Stopped before it was decided.
    UNDECIDED_AT_END = "undecided at the end"
    #: The goal is better, a guard-rail not yet safe.
    UNGUARDED = "unguarded"
    TOO_EARLY = "too early"
    #: As many shoppers as planned, and a rise as large as hoped for is ruled out.
    NO_RISE = "no rise"
    #: As many shoppers as planned, and nothing is ruled out.
    PLAN_USED_UP = "plan used up"
    OPEN = "open"


def wanted_of(experiment: Experiment, report: Report) -> int:
    """Shoppers in all that the plan counts on."""
    return experiment.needed * (1 + len(report.comparisons))


def standing_of(experiment: Experiment, report: Report) -> Standing:
    """The first of these that holds, gravest first."""
    status, says, compared = Experiment.Status, report.conclusion, report.comparisons
    is_over = experiment.status in {status.STOPPED, status.DECIDED}
    is_alike = bool(compared) and all(_rules_out(experiment, report, one, fall=True) for one in compared)
    is_planned = report.shoppers >= wanted_of(experiment, report)
    is_worse = bool(compared) and compared[0].goal.verdict == "worse"
    ordered = (
        (Standing.DRAFT, experiment.status == status.DRAFT),
        (Standing.ROLLED_OUT, experiment.status == status.DECIDED and experiment.winner is not None),
        (Standing.MISDIVIDED, report.ratio.mismatch),
        (Standing.MIXED_AT_END, says == "distrust" and is_over),
        (Standing.MIXED, says == "distrust"),
        (Standing.SHIP, says == "ship"),
        # Of several challengers “stop” is the conclusion only where it is that of each.
        (Standing.WORSE, says == "stop" and is_worse),
        (Standing.HARMED, says == "stop"),
        (Standing.ALIKE_AT_END, is_alike and is_over),
        (Standing.ALIKE, is_alike),
        (Standing.UNDECIDED_AT_END, is_over),
        (Standing.UNGUARDED, any(one.goal.verdict == "better" for one in compared)),
        (Standing.TOO_EARLY, all(one.goal.verdict == "too early" for one in compared)),
        (Standing.NO_RISE, is_planned and all(_rules_out(experiment, report, one) for one in compared)),
        (Standing.PLAN_USED_UP, is_planned),
    )
    return next((standing for standing, holds in ordered if holds), Standing.OPEN)


def _rules_out(experiment: Experiment, report: Report, one: Comparison, *, fall: bool = False) -> bool:
    """Whether a rise (with ``fall`` also a fall) as large as the smallest one worth knowing is ruled out."""
    relative = one.relative(report.control)
    if relative is None:
        return False
    _middle, low, high = relative
    return high < experiment.uplift and (not fall or low > -experiment.uplift)
