"""What an experiment says, for somebody without statistics: one sentence that says what to do, and one with the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from jobs.errors import Text
from recommend.experiments.amounts import currency_of, level_text
from recommend.experiments.metrics import METRICS
from recommend.experiments.models import Experiment, Variant
from recommend.experiments.services.reading import Report
from recommend.experiments.services.standing import Standing, standing_of


class Sentence(NamedTuple):
    """A sentence, the icon before it, and its tone."""

    icon: str
    tone: str
    text: Text


_DISTRUST, _SHIP, _STOP = ("report", "bad"), ("rocket_launch", "good"), ("front_hand", "bad")
_ALIKE, _WAIT = ("balance", "info"), ("hourglass_top", "info")
SENTENCES: Mapping[Standing, Sentence] = {
    Standing.DRAFT: Sentence(
        "edit_note",
        "info",
        _("A draft: shoppers see nothing of it yet. Look at what an answer takes, then start it."),
    ),
    Standing.ROLLED_OUT: Sentence("task_alt", "good", _("Everybody gets “%(variant)s”.")),
    Standing.MISDIVIDED: Sentence(
        *_DISTRUST,
        _("Do not trust the figures: the shoppers are not divided as planned. Find the fault, then begin anew."),
    ),
    Standing.MIXED: Sentence(
        *_DISTRUST,
        _(
            "The shop's currency was changed while this runs: amounts in two currencies are added up, so revenue says "
            "nothing. Stop it, and begin anew."
        ),
    ),
    Standing.MIXED_AT_END: Sentence(
        *_DISTRUST,
        _(
            "The shop's currency was changed while this ran: amounts in two currencies were added up, so revenue says "
            "nothing."
        ),
    ),
    Standing.SHIP: Sentence(*_SHIP, _("“%(variant)s” is better, and nothing that you guard got worse. Roll it out.")),
    Standing.WORSE: Sentence(*_STOP, _("Stop: “%(variant)s” is worse. Keep “%(control)s”.")),
    Standing.HARMED: Sentence(*_STOP, _("Stop: “%(variant)s” harms what you guard (%(harmed)s). Keep “%(control)s”.")),
    Standing.ALIKE: Sentence(
        *_ALIKE,
        _("The ways do about the same: none rises or falls by %(uplift)s. Stop it, and keep whichever you like."),
    ),
    Standing.ALIKE_AT_END: Sentence(
        *_ALIKE, _("The ways do about the same: none rises or falls by %(uplift)s. Keep whichever you like.")
    ),
    Standing.UNDECIDED_AT_END: Sentence(
        *_WAIT,
        _(
            "It was stopped before it was decided: neither way is shown to be better. Roll out the one that you like, or "
            "ask again for longer."
        ),
    ),
    Standing.UNGUARDED: Sentence(
        *_WAIT, _("It looks better, but it is not yet sure that nothing you guard got worse. Let it run.")
    ),
    Standing.TOO_EARLY: Sentence(*_WAIT, _("Too early to say anything. Let it run.")),
    Standing.NO_RISE: Sentence(
        *_WAIT,
        _(
            "As many shoppers as planned took part, and no difference shows: it is hardly a rise of %(uplift)s. "
            "Stop it, or let it run on."
        ),
    ),
    Standing.PLAN_USED_UP: Sentence(
        *_WAIT,
        _(
            "As many shoppers as planned took part, but they do not tell yet whether there is a rise of %(uplift)s: the "
            "plan may have counted on another rate, and one plan in five is too short by chance. Let it run on."
        ),
    ),
    Standing.OPEN: Sentence(*_WAIT, _("Not decided yet. Let it run; looking every day does no harm.")),
}


def verdict_of(experiment: Experiment, report: Report) -> dict[str, Any]:
    """The one sentence, its sign, and the numbers behind it in another."""
    standing = standing_of(experiment, report)
    icon, tone, text = SENTENCES[standing]
    said = str(text) % _names(standing, experiment, report)
    return {"icon": icon, "tone": tone, "text": said, "numbers": _numbers(experiment, report)}


def _names(standing: Standing, experiment: Experiment, report: Report) -> dict[str, str]:
    """Whatever a sentence may name."""
    best = report.best
    first = report.comparisons[0] if report.comparisons else None
    variant: Variant | None = first.challenger.variant if first else None
    if standing == Standing.ROLLED_OUT:
        variant = experiment.winner
    elif standing == Standing.SHIP and best is not None:
        variant = best.challenger.variant
    harmed = [rail.guardrail.name for rail in first.guardrails if rail.state == "harmed"] if first else []
    return {
        "uplift": f"{100 * experiment.uplift:.0f}%",
        "variant": variant.display_name if variant else "",
        "control": report.control.variant.display_name,
        "harmed": ", ".join(str(METRICS[name].name) for name in harmed),
    }


def _numbers(experiment: Experiment, report: Report) -> str:
    """The control against the best-placed challenger, in numbers that can be pictured."""
    one = max(report.comparisons, key=lambda comparison: comparison.challenger.rate, default=None)
    metric, currency = METRICS[experiment.metric], currency_of(experiment)
    if (
        one is None
        or not (report.control.shoppers and one.challenger.shoppers)
        or (metric.in_money and report.is_mixed)
    ):
        return ""
    ours, theirs = (
        level_text(metric, level, currency) if metric.in_money else f"{100 * level:.1f}"
        for level in (report.control.rate, one.challenger.rate)
    )
    return str(metric.in_numbers) % {
        "challenger": one.challenger.variant.display_name,
        "control": report.control.variant.display_name,
        "ours": ours,
        "theirs": theirs,
    }
