"""Revenue on an experiment's page: what shoppers spent in each variant, and whether that differs."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from recommend.admin_charts import interval_bar
from recommend.experiments.amounts import bounds_of, currency_of, level_text
from recommend.experiments.metrics import METRICS, REVENUE
from recommend.experiments.models import Experiment
from recommend.experiments.services.reading import Comparison, Report

TONES = ("blue", "accent", "warn", "good")


def revenue_of(experiment: Experiment, report: Report) -> dict[str, Any] | None:
    """For the template; None where revenue is not read. Where it is the goal, the page shows the arms as any goal's."""
    if not experiment.spend or experiment.started_at is None:
        return None
    money, currency = METRICS[REVENUE], currency_of(experiment)
    arms = [report.control, *(one.challenger for one in report.comparisons)]
    bounds = [bounds_of(money, arm.revenue, arm.buyers) for arm in arms]
    most = max([high for _low, high in bounds] + [0.01])
    return {
        "is_goal": experiment.metric == REVENUE,
        "cap": level_text(money, experiment.spend["cap"], currency),
        "is_mixed": experiment.status == Experiment.Status.RUNNING and experiment.merchant.currency != currency,
        "purchases": report.purchases,
        "unpriced": report.unpriced,
        "arms": [
            {
                "letter": "ABCD"[number],
                "tone": TONES[number],
                "variant": arm.variant,
                "buyers": arm.buyers,
                "shoppers": arm.shoppers,
                "mean": level_text(money, arm.revenue.mean, currency) if arm.shoppers else "–",
                "bar": interval_bar(arm.revenue.mean, low, high, most=most, tone=TONES[number]) if arm.shoppers else "",
            }
            for number, (arm, (low, high)) in enumerate(zip(arms, bounds, strict=True))
        ],
        "verdicts": [_sentence(one, currency) for one in report.comparisons],
    }


def _sentence(one: Comparison, currency: str) -> dict[str, str]:
    """One challenger's revenue against the control's."""
    reading, name = one.revenue, {"variant": one.challenger.variant.display_name}
    if reading is None or reading.verdict == "too early":
        text = _("“%(variant)s”: too few purchases yet to compare what is spent.")
        return {"tone": "", "text": text % name}
    text = {
        "better": _("“%(variant)s” brings in more: between %(low)s and %(high)s per shopper."),
        "worse": _("“%(variant)s” brings in less: between %(low)s and %(high)s per shopper."),
        "undecided": _("Not sure yet: “%(variant)s” brings in between %(low)s and %(high)s per shopper."),
    }[reading.verdict]
    tone = {"better": "good", "worse": "bad"}.get(reading.verdict, "")
    span = {"low": _signed(reading.low, currency), "high": _signed(reading.high, currency)}
    return {"tone": tone, "text": text % {**name, **span}}


def _signed(amount: float, currency: str) -> str:
    return ("+" if amount > 0 else "−") + level_text(METRICS[REVENUE], abs(amount), currency)
