"""How renderings, shelves and places do: impressions, clicks and purchases, each rate with its Wilson interval.

A click-through rate is per impression. Conversion is per shopper (of those who looked at something there, how many
bought it afterwards), since one shopper's purchases are not independent of one another. Rates of fewer shoppers than
``STATISTICS_MINIMUM_GROUP`` are not shown: they would say little, and too much about somebody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog.models import Category, Merchant
from recommend.admin_charts import area, interval_bar
from recommend.labels import place_name
from recommend.models import Interaction
from styling.models import Style

SPANS = (7, 28, 90)
#: Two-sided 95 %.
Z = 1.959964
KINDS = Interaction.Kind
LOOKS = [KINDS.VIEW, KINDS.CLICK]


@dataclass(frozen=True)
class Rate:
    """``hits`` of ``trials`` with the Wilson score interval at 95 %."""

    hits: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.hits / self.trials

    @property
    def text(self) -> str:
        return f"{100 * self.value:.1f}%"

    @property
    def span(self) -> str:
        return f"{100 * self.low:.1f}–{100 * self.high:.1f}%"


@dataclass(frozen=True)
class Line:
    """One style, category or place."""

    name: str
    impressions: int
    looks: int
    purchases: int
    people: int
    click_through: Rate | None
    conversion: Rate | None
    click_bar: SafeString | str = ""
    conversion_bar: SafeString | str = ""


@dataclass(frozen=True)
class Activity:
    """What happened day by day."""

    chart: SafeString
    first: Any
    last: Any
    totals: Mapping[str, int]


def wilson(hits: int, trials: int) -> Rate | None:
    """A rate with its interval (Wilson 1927; sound for small counts); None without trials."""
    if trials <= 0:
        return None
    hits = min(hits, trials)  # a click whose impression was not told would count more clicks than showings
    share, spread = hits / trials, Z**2 / trials
    centre = (share + spread / 2) / (1 + spread)
    reach = Z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return Rate(hits, trials, max(0.0, centre - reach), min(1.0, centre + reach))


def by_style(shop: Merchant, days: int) -> list[Line]:
    """Renderings of each style, and original photos, against each other."""
    names = {style.pk: style.display_name for style in Style.objects.filter(merchant=shop)}
    return _lines(shop, days, "style_id", lambda key: names.get(key, _("Original photo")))


def by_category(shop: Merchant, days: int) -> list[Line]:
    """Products of each category."""
    names = {category.pk: category.display_name for category in Category.objects.filter(merchant=shop)}
    return _lines(shop, days, "product__category_id", lambda key: names.get(key, _("Without a category")))


def by_slot(shop: Merchant, days: int) -> list[Line]:
    """Places of the storefront; what came in without a place is left to the other tables."""
    lines = _lines(shop, days, "slot", lambda key: str(place_name(key)) if key else "")
    return [line for line in lines if line.name]


def activity(shop: Merchant, days: int) -> Activity:
    """Impressions, looks and purchases per day, the empty days too."""
    rows = (
        _events(shop, days)
        .annotate(day=TruncDate("occurred_at"))
        .order_by()
        .values("day")
        .annotate(
            impressions=Count("pk", filter=Q(kind=KINDS.IMPRESSION)),
            looks=Count("pk", filter=Q(kind__in=LOOKS)),
            bags=Count("pk", filter=Q(kind=KINDS.ADD_TO_CART)),
            purchases=Count("pk", filter=Q(kind=KINDS.PURCHASE)),
        )
    )
    by_day = {row["day"]: row for row in rows}
    first = _first_day(days)
    calendar = [first + timedelta(days=number) for number in range(days)]
    names = ("impressions", "looks", "bags", "purchases")
    series = {name: [by_day.get(day, {}).get(name, 0) for day in calendar] for name in names}
    # Impressions are a hundred times the rest: they are told as a number, or they would flatten every other line.
    drawn = [("accent", series["looks"]), ("warn", series["bags"]), ("good", series["purchases"])]
    return Activity(area(drawn), calendar[0], calendar[-1], {name: sum(values) for name, values in series.items()})


def _first_day(days: int) -> date:
    """The first of so many whole days that end with today."""
    return timezone.localdate() - timedelta(days=days - 1)


def _events(shop: Merchant, days: int) -> Any:
    midnight = timezone.make_aware(datetime.combine(_first_day(days), time.min))
    return Interaction.objects.filter(merchant=shop, occurred_at__gte=midnight)


def _lines(shop: Merchant, days: int, key: str, name_of: Any) -> list[Line]:
    bought = Interaction.objects.filter(
        shopper=OuterRef("shopper"),
        product=OuterRef("product"),
        kind=KINDS.PURCHASE,
        occurred_at__gte=OuterRef("occurred_at"),
    )
    rows = list(
        _events(shop, days)
        .annotate(bought=Exists(bought))
        .order_by()
        .values(key)
        .annotate(
            impressions=Count("pk", filter=Q(kind=KINDS.IMPRESSION)),
            clicks=Count("pk", filter=Q(kind=KINDS.CLICK)),
            looks=Count("pk", filter=Q(kind__in=LOOKS)),
            purchases=Count("pk", filter=Q(kind=KINDS.PURCHASE)),
            people=Count("shopper", distinct=True),
            lookers=Count("shopper", filter=Q(kind__in=LOOKS), distinct=True),
            buyers=Count("shopper", filter=Q(kind__in=LOOKS, bought=True), distinct=True),
        )
    )
    least = settings.STATISTICS_MINIMUM_GROUP
    found = [
        (
            row,
            wilson(row["clicks"], row["impressions"]) if row["people"] >= least else None,
            wilson(row["buyers"], row["lookers"]) if row["lookers"] >= least else None,
        )
        for row in rows
    ]
    widest_click = max([rate.high for _row, rate, _c in found if rate] + [0.001])
    widest_sale = max([rate.high for _row, _c, rate in found if rate] + [0.001])
    lines = [
        Line(
            name_of(row[key]),
            row["impressions"],
            row["looks"],
            row["purchases"],
            row["people"],
            click,
            sale,
            interval_bar(click.value, click.low, click.high, most=widest_click) if click else "",
            interval_bar(sale.value, sale.low, sale.high, most=widest_sale, tone="good") if sale else "",
        )
        for row, click, sale in found
    ]
    return sorted(lines, key=lambda line: (-line.looks - line.impressions, line.name))
