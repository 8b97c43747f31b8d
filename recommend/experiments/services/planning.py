"""Before the start: what the goal stands at, how many shoppers an answer takes, and how long this shop needs for them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from catalog.models import Merchant
from jobs.errors import UserError
from recommend.engine.errors import EngineError
from recommend.engine.sequential import sequential_sample_size, sequential_sample_size_of_means
from recommend.experiments.metrics import GOALS, METRICS
from recommend.experiments.services.spending import spending_of
from recommend.experiments.services.traffic import ASSUMED_RATE, LOOK_BACK, reached_of_late

#: With fewer shoppers than this their rate says nothing, and the usual one of shops stands in.
FEWEST_SHOPPERS = 50
#: Nor with fewer who reached the goal: none of eighty is no rate, and perhaps such events are not sent at all.
FEWEST_HITS = 10
#: An experiment of this length still meets the shop that it began in.
BEARABLE_DAYS = 56
#: Rates nearer to 0 or 1 cannot be planned with.
LEAST_RATE, MOST_RATE = 0.001, 0.95


@dataclass(frozen=True)
class Usual:
    """The shop's shoppers of the last weeks: how many, and where the goal stands.

    ``rate``: the share of them who reached it, of revenue the mean in the shop's currency; ``variance``: between shoppers.
    """

    shoppers: int
    rate: float
    variance: float
    is_measured: bool

    @property
    def per_day(self) -> float:
        return self.shoppers / LOOK_BACK.days


@dataclass(frozen=True)
class Plan:
    """What an answer takes. ``days`` is None where the shop has no shoppers to count with."""

    usual: Usual
    per_variant: int
    total: int
    days: int | None


def usual_of(merchant: Merchant, metric: str) -> Usual:
    """What is usual in the shop, some minutes old at most."""
    shoppers, hits = reached_of_late(merchant, METRICS[metric])
    if METRICS[metric].in_money:
        spending = spending_of(merchant)
        return Usual(shoppers, spending.mean, spending.variance, spending.is_measured)
    is_measured = shoppers >= FEWEST_SHOPPERS and hits >= FEWEST_HITS
    rate = min(max(hits / shoppers, LEAST_RATE), MOST_RATE) if is_measured else ASSUMED_RATE
    return Usual(shoppers, rate, rate * (1 - rate), is_measured)


def plan(
    merchant: Merchant,
    *,
    metric: str,
    uplift: float,
    taking_part: float = 1.0,
    variants: int = 2,
    base_rate: float | None = None,
) -> Plan:
    """Shoppers per variant until an uplift of this size shows, with power 80 % at 5 %, read at any time.

    ``uplift`` is relative; ``taking_part`` is the share of shoppers in the experiment; ``base_rate`` replaces the
    shop's own. Raises ``UserError`` (``uplift-impossible``) where the uplifted rate would not be one.
    """
    usual = usual_of(merchant, metric)
    alpha = 0.05 / max(variants - 1, 1)
    rate = base_rate if base_rate is not None else usual.rate
    if METRICS[metric].in_money:
        # Another mean than the shop's own is taken to come with as much more or less variance: what counts is relative.
        per_variant = sequential_sample_size_of_means(
            mean=usual.rate, variance=usual.variance, relative_uplift=uplift, alpha=alpha
        )
    else:
        per_variant = _shoppers_for_rate(rate, uplift, alpha)
    total = per_variant * variants
    each_day = usual.per_day * taking_part
    return Plan(usual, per_variant, total, math.ceil(total / each_day) if each_day else None)


def suggested_goal(merchant: Merchant, *, uplift: float) -> str:
    """The first goal that can rise so far: where nearly every shopper clicks, clicks are none."""
    for code in GOALS:
        try:
            plan(merchant, metric=code, uplift=uplift)
        except UserError:
            continue
        return code
    return GOALS[0]


def reachable_uplift(
    merchant: Merchant,
    *,
    metric: str,
    taking_part: float = 1.0,
    variants: int = 2,
    base_rate: float | None = None,
) -> float | None:
    """The smallest uplift, in steps of 5 %, that this shop's traffic shows within eight weeks; None up to 100 %.

    The rest is as of ``plan``: what is advised must hold for the experiment that it is advised for.
    """
    for step in range(1, 21):
        try:
            days = plan(
                merchant,
                metric=metric,
                uplift=step / 20,
                taking_part=taking_part,
                variants=variants,
                base_rate=base_rate,
            ).days
        except UserError:  # beyond what the rate can rise by
            return None
        if days is not None and days <= BEARABLE_DAYS:
            return step / 20
    return None


def _shoppers_for_rate(rate: float, uplift: float, alpha: float) -> int:
    try:
        return sequential_sample_size(base_rate=rate, relative_uplift=uplift, alpha=alpha)
    except EngineError as error:
        raise UserError(
            "uplift-impossible",
            _("A rate of %(rate)s cannot rise by %(uplift)s.")
            % {"rate": f"{100 * rate:.1f}%", "uplift": f"{100 * uplift:.0f}%"},
            _("Choose a smaller uplift, or another goal."),
        ) from error
