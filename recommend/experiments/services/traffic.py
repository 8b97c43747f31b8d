"""Who visits the shop of late, and which share of them reach a goal."""

from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone

from catalog.models import Merchant
from recommend.experiments.metrics import Metric
from recommend.models import Interaction, Shopper

#: The days whose shoppers say what is usual.
LOOK_BACK = timedelta(days=28)
#: Stands in where the shop has too few shoppers to measure.
ASSUMED_RATE = 0.05
CACHED_SECONDS = 600


def active_shoppers(merchant: Merchant) -> QuerySet[Shopper]:
    """Those who agreed and were here within the last four weeks."""
    since = timezone.now() - LOOK_BACK
    return Shopper.objects.filter(merchant=merchant, last_seen_at__gte=since, consent=Shopper.Consent.GRANTED)


def reached_of_late(merchant: Merchant, metric: Metric) -> tuple[int, int]:
    """(active shoppers, those of them who reached the metric), some minutes old at most."""
    key = f"experiments:usual:{merchant.pk}:{merchant.created_at:%s}:{metric.code}"
    known: tuple[int, int] | None = cache.get(key)
    if known is None:
        since, active = timezone.now() - LOOK_BACK, active_shoppers(merchant)
        reached = Interaction.objects.filter(
            merchant=merchant, kind__in=metric.kinds, occurred_at__gte=since, shopper__in=active
        )
        if metric.after:
            reached = reached.filter(shopper__created_at__lte=timezone.now() - metric.after)
        known = (active.count(), reached.order_by().values("shopper").distinct().count())
        cache.set(key, known, CACHED_SECONDS)
    return known
