"""Revenue on an experiment's page: what shoppers spent in each variant, and whether that differs."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from recommend.admin_charts import interval_bar
from recommend.experiments.amounts import bounds_of, currency_of, level_text
from recommend.experiments.metrics import METRICS, REVENUE
from recommend.experiments.models import Experiment
from recommend.experiments.services.reading import Comparison, Report
from recommend.experiments.services.standing import Standing
from recommend.experiments.views.verdicts import SENTENCES

TONES = ("blue", "accent", "warn", "good")


def revenue_of(experiment: Experiment, report: Report) -> dict[str, Any] | None:
    """For the template; None where revenue is not read. Where it is the goal, the page shows the arms as any goal's."""
    if not experiment.spend or experiment.started_at is None:
        return None
    money, currency = METRICS[REVENUE], currency_of(experiment)
    arms = report.outcomes
    bounds = [bounds_of(money, arm.revenue, arm.buyers) for arm in arms]
    most = max([high for _low, high in bounds] + [0.01])
    return {
        "is_goal": experiment.metric == REVENUE,
        "cap": level_text(money, experiment.spend["cap"], currency),
        "mixed": _mixed(experiment) if report.is_mixed else "",
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
        "verdicts": [] if report.is_mixed else [_sentence(one, currency) for one in report.comparisons],
    }


def _mixed(experiment: Experiment) -> str:
    """That the money is of two currencies, as the verdict says it where it leans on money."""
    standing = Standing.MIXED if experiment.status == Experiment.Status.RUNNING else Standing.MIXED_AT_END
    return str(SENTENCES[standing].text)


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
    """With its sign; what is nothing as it is shown has none."""
    text, nothing = (level_text(METRICS[REVENUE], shown, currency) for shown in (abs(amount), 0.0))
    if text == nothing:
        return text
    return ("+" if amount > 0 else "−") + text
