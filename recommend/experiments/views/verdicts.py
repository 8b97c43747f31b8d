"""What an experiment says, for somebody without statistics: one sentence that says what to do, and one with the numbers."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from jobs.errors import Text
from recommend.experiments.amounts import currency_of, level_text
from recommend.experiments.metrics import METRICS
from recommend.experiments.models import Experiment
from recommend.experiments.services.reading import Comparison, Report

#: Icons and tones of the conclusions.
SIGNS = {
    "distrust": ("report", "bad"),
    "stop": ("front_hand", "bad"),
    "ship": ("rocket_launch", "good"),
    "continue": ("hourglass_top", "info"),
    "alike": ("balance", "info"),
}


def wanted_of(experiment: Experiment, report: Report) -> int:
    """Shoppers in all that the plan counts on."""
    return experiment.needed * (1 + len(report.comparisons))


def verdict_of(experiment: Experiment, report: Report) -> dict[str, Any]:
    """The one sentence, its sign, and the numbers behind it in another."""
    if experiment.status == Experiment.Status.DRAFT:
        text = _("A draft: shoppers see nothing of it yet. Look at what an answer takes, then start it.")
        return {"icon": "edit_note", "tone": "info", "text": text, "numbers": ""}
    numbers = _numbers(experiment, report)
    if experiment.status == Experiment.Status.DECIDED and (winner := experiment.winner) is not None:
        text = _("Everybody gets “%(variant)s”.") % {"variant": winner.display_name}
        return {"icon": "task_alt", "tone": "good", "text": text, "numbers": numbers}
    sign, said = _conclusion(experiment, report)
    icon, tone = SIGNS[sign]
    return {"icon": icon, "tone": tone, "text": said, "numbers": numbers}


def _conclusion(experiment: Experiment, report: Report) -> tuple[str, Text]:
    best, uplift = report.best, {"uplift": f"{100 * experiment.uplift:.0f}%"}
    if report.conclusion == "distrust":
        text = _("Do not trust the figures: the shoppers are not divided as planned. Find the fault, then begin anew.")
        return "distrust", text
    if report.conclusion == "ship" and best is not None:
        name = {"variant": best.challenger.variant.display_name}
        return "ship", _("“%(variant)s” is better, and nothing that you guard got worse. Roll it out.") % name
    if report.conclusion == "stop":
        return "stop", _harm(report)
    if report.comparisons and all(_is_alike(experiment, report, one) for one in report.comparisons):
        return "alike", (
            _("The ways do about the same: none rises or falls by %(uplift)s. Stop it, and keep whichever you like.")
            if experiment.status == Experiment.Status.RUNNING
            else _("The ways do about the same: none rises or falls by %(uplift)s. Keep whichever you like.")
        ) % uplift
    if experiment.status == Experiment.Status.STOPPED:
        text = _(
            "It was stopped before it was decided: neither way is shown to be better. Roll out the one that you like, or "
            "ask again for longer."
        )
        return "continue", text
    if report.comparisons and any(one.goal.verdict == "better" for one in report.comparisons):
        return "continue", _("It looks better, but it is not yet sure that nothing you guard got worse. Let it run.")
    if report.shoppers >= wanted_of(experiment, report):
        text = _(
            "As many shoppers as planned took part, and no difference shows: it is hardly a rise of %(uplift)s. "
            "Stop it, or let it run on."
        )
        return "continue", text % uplift
    if report.comparisons and all(one.goal.verdict == "too early" for one in report.comparisons):
        return "continue", _("Too early to say anything. Let it run.")
    return "continue", _("Not decided yet. Let it run; looking every day does no harm.")


def _harm(report: Report) -> Text:
    """What is worse, by name."""
    for one in report.comparisons:
        harmed = [str(METRICS[rail.guardrail.name].name) for rail in one.guardrails if rail.state == "harmed"]
        if one.goal.verdict == "worse":
            text = _("Stop: “%(variant)s” is worse. Keep “%(control)s”.")
            return text % {
                "variant": one.challenger.variant.display_name,
                "control": report.control.variant.display_name,
            }
        if harmed:
            text = _("Stop: “%(variant)s” harms what you guard (%(harmed)s). Keep “%(control)s”.")
            return text % {
                "variant": one.challenger.variant.display_name,
                "harmed": ", ".join(harmed),
                "control": report.control.variant.display_name,
            }
    return _("Stop: the other way is worse, or something that you guard is harmed.")


def _is_alike(experiment: Experiment, report: Report, one: Comparison) -> bool:
    """Whether a change as large as the smallest one worth knowing is ruled out, up and down."""
    relative = one.relative(report.control)
    return relative is not None and -experiment.uplift < relative[1] and relative[2] < experiment.uplift


def _numbers(experiment: Experiment, report: Report) -> str:
    """The control against the best-placed challenger, in numbers that can be pictured."""
    one = max(report.comparisons, key=lambda comparison: comparison.challenger.rate, default=None)
    if one is None or not (report.control.shoppers and one.challenger.shoppers):
        return ""
    metric, currency = METRICS[experiment.metric], currency_of(experiment)
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
