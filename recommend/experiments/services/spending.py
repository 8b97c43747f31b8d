"""What the shop's shoppers spent before an experiment: the mean to plan with, and the cap that its spend is read with."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from statistics import median
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Sum
from django.db.models.functions import Greatest
from django.utils import timezone

from catalog.models import Merchant, Product
from recommend.engine.spend import FEWEST_BUYERS, cap_of
from recommend.experiments.services.currency import currency_changed_at
from recommend.experiments.services.traffic import ASSUMED_RATE, CACHED_SECONDS, LOOK_BACK, active_shoppers
from recommend.models import Interaction

#: Where nothing was measured: buyers' spend deviates by as much as its mean.
_ASSUMED_VARIATION = 1.0
#: Where not even prices are known.
_ASSUMED_PRICE = 50.0


@dataclass(frozen=True)
class Spending:
    """Capped spend per shopper of the last four weeks, in the shop's currency, buyers or not.

    ``variance`` and ``mean`` are assumed where too few buyers had an amount, or all paid nothing or the same. ``unpriced``
    of ``purchases`` came without. Amounts of before the shop's currency was changed are left out (``is_since_change``).
    """

    mean: float
    variance: float
    cap: float
    is_measured: bool
    purchases: int
    unpriced: int
    is_since_change: bool

    def as_fixed(self, currency: str) -> dict[str, Any]:
        """What an experiment keeps of it: ``Experiment.spend``."""
        return {"cap": self.cap, "mean": self.mean, "currency": currency}


def spending_of(merchant: Merchant) -> Spending:
    """What is usual in the shop, some minutes old at most."""
    key = f"experiments:spent:{merchant.pk}:{merchant.created_at:%s}:{merchant.currency}"
    known: tuple[Any, ...] | None = cache.get(key)
    if known is None:
        known = astuple(_read(merchant))
        cache.set(key, known, CACHED_SECONDS)
    return Spending(*known)


def _read(merchant: Merchant) -> Spending:
    since, changed_at = timezone.now() - LOOK_BACK, currency_changed_at(merchant)
    is_since_change = changed_at is not None and changed_at > since
    if changed_at is not None and is_since_change:
        since = changed_at
    active = active_shoppers(merchant).filter(last_seen_at__gte=since)
    bought = Interaction.objects.filter(
        merchant=merchant,
        kind=Interaction.Kind.PURCHASE,
        occurred_at__gte=since,
        shopper__in=active,
    ).order_by()
    counts = bought.aggregate(purchases=Count("pk"), priced=Count("value"))
    unpriced = counts["purchases"] - counts["priced"]
    # Amounts below 0 are not taken any more, and some may be stored.
    spends = list(
        bought.exclude(value=None)
        .values("shopper")
        .annotate(spent=Sum(Greatest("value", 0.0)))
        .values_list("spent", flat=True)
    )
    price = _usual_price(merchant)
    cap = cap_of(spends, usual_price=price)
    mean = variance = 0.0
    if len(spends) >= FEWEST_BUYERS:
        shoppers, capped = active.count(), [min(spent, cap) for spent in spends]
        mean = sum(capped) / shoppers
        variance = sum(spent**2 for spent in capped) / shoppers - mean**2
    # Where every shopper bought the same there is a variance of next to nothing, by rounding even below.
    is_measured = mean > 0 and variance > 1e-9 * mean**2
    if not is_measured:
        mean = ASSUMED_RATE * price
        variance = mean**2 * ((1 + _ASSUMED_VARIATION**2) / ASSUMED_RATE - 1)
    return Spending(mean, variance, cap, is_measured, counts["purchases"], unpriced, is_since_change)


def _usual_price(merchant: Merchant) -> float:
    prices = list(Product.objects.filter(merchant=merchant).on_sale().values_list("price", flat=True))
    return float(median(prices)) or _ASSUMED_PRICE if prices else _ASSUMED_PRICE
