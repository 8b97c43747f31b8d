"""Before the start: what the goal stands at, how many shoppers an answer takes, and how long this shop needs for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Merchant
from jobs.errors import UserError
from recommend.engine.errors import EngineError
from recommend.engine.sequential import sequential_sample_size
from recommend.experiments.metrics import METRICS
from recommend.models import Interaction, Shopper

#: The days whose shoppers say what is usual.
LOOK_BACK = timedelta(days=28)
#: With fewer shoppers than this their rate says nothing, and the usual one of shops stands in.
FEWEST_SHOPPERS = 50
ASSUMED_RATE = 0.05
#: Rates nearer to 0 or 1 cannot be planned with.
LEAST_RATE, MOST_RATE = 0.001, 0.95
CACHED_SECONDS = 600


@dataclass(frozen=True)
class Usual:
    """The shop's shoppers of the last weeks: how many, and which share of them reached the goal."""

    shoppers: int
    rate: float
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
    key = f"experiments:usual:{merchant.pk}:{merchant.created_at:%s}:{metric}"
    known: tuple[int, int] | None = cache.get(key)
    if known is None:
        since = timezone.now() - LOOK_BACK
        active = Shopper.objects.filter(merchant=merchant, last_seen_at__gte=since, consent=Shopper.Consent.GRANTED)
        reached = Interaction.objects.filter(
            merchant=merchant, kind__in=METRICS[metric].kinds, occurred_at__gte=since, shopper__in=active
        )
        if METRICS[metric].after:
            reached = reached.filter(shopper__created_at__lte=timezone.now() - METRICS[metric].after)
        known = (active.count(), reached.order_by().values("shopper").distinct().count())
        cache.set(key, known, CACHED_SECONDS)
    shoppers, hits = known
    if shoppers < FEWEST_SHOPPERS:
        return Usual(shoppers, ASSUMED_RATE, is_measured=False)
    return Usual(shoppers, min(max(hits / shoppers, LEAST_RATE), MOST_RATE), is_measured=True)


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
    rate = base_rate if base_rate is not None else usual.rate
    challengers = max(variants - 1, 1)
    try:
        per_variant = sequential_sample_size(base_rate=rate, relative_uplift=uplift, alpha=0.05 / challengers)
    except EngineError as error:
        raise UserError(
            "uplift-impossible",
            _("A rate of %(rate)s cannot rise by %(uplift)s.")
            % {"rate": f"{100 * rate:.1f}%", "uplift": f"{100 * uplift:.0f}%"},
            _("Choose a smaller uplift, or another goal."),
        ) from error
    total = per_variant * variants
    each_day = usual.per_day * taking_part
    return Plan(usual, per_variant, total, math.ceil(total / each_day) if each_day else None)
