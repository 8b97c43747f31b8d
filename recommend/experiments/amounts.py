"""A goal's level in words: a share of shoppers in percent, or money per shopper in the shop's currency."""

from __future__ import annotations

import math
from decimal import Decimal

from recommend.engine.intervals import wilson
from recommend.engine.sequential import Sample
from recommend.experiments.metrics import Metric
from recommend.experiments.models import Experiment
from recommend.templatetags.shop import money


def currency_of(experiment: Experiment) -> str:
    """The currency of its amounts: the shop's when it was drafted."""
    return str(experiment.spend.get("currency", experiment.merchant.currency))


def level_text(metric: Metric, level: float, currency: str) -> str:
    """``level`` as people read it: “4.2%”, “€3.27”."""
    if metric.in_money:
        return money(Decimal(str(round(level, 2))), currency)
    return f"{100 * level:.1f}%"


def bounds_of(metric: Metric, sample: Sample, hits: int) -> tuple[float, float]:
    """Where the level may lie as of now (95 %): Wilson's interval for a share, the normal one for a mean."""
    if not sample.count:
        return 0.0, 0.0
    if not metric.in_money:
        return wilson(hits, sample.count)
    half = 1.96 * math.sqrt(sample.variance / sample.count)
    return max(sample.mean - half, 0.0), sample.mean + half
