"""How renderings, shelves and places do: impressions, clicks and purchases, each rate with its Wilson interval.

A click-through rate is per impression. Conversion is per shopper (of those who looked at something there, how many
bought it afterwards), since one shopper's purchases are not independent of one another. Rates of fewer shoppers than
``STATISTICS_MINIMUM_GROUP`` are not shown: they would say little, and too much about somebody.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog.models import Category, Merchant
from recommend.admin_charts import area, interval_bar
from recommend.labels import place_name
from recommend.models import Interaction
from recommend.services.daily_rates import Counts, daily_rates
from styling.models import Style

SPANS = (7, 28, 90)
#: Two-sided 95 %.
Z = 1.959964
KINDS = Interaction.Kind
LOOKS = [KINDS.VIEW, KINDS.CLICK]
#: What the tables are by.
KEYS = ("style_id", "product__category_id", "slot")


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


def tables(shop: Merchant, days: int) -> dict[str, list[Line]]:
    """The shop's styles (and original photos), categories and places, each against its like, the busiest first.

    Styles and categories that are gone have no line any more, and what came in without a place has none.
    """
    styles: dict[int | None, str] = {None: _("Original photo")}
    styles |= {style.pk: style.display_name for style in Style.objects.filter(merchant=shop)}
    categories: dict[int | None, str] = {None: _("Without a category")}
    categories |= {category.pk: category.display_name for category in Category.objects.filter(merchant=shop)}
    counted = daily_rates(shop, _first_day(days))
    people = _people(shop, days)
    named = {
        "style_id": _named(counted.styles, styles),
        "product__category_id": _named(counted.categories, categories),
        "slot": {place: (str(place_name(place)), counts) for place, counts in counted.places.items() if place},
    }
    found = {key: _lines(shop, days, key, rows, people[key]) for key, rows in named.items()}
    return {"style": found["style_id"], "category": found["product__category_id"], "slot": found["slot"]}


def _named(counted: Mapping[str, Counts], names: Mapping[int | None, str]) -> dict[Any, tuple[str, Counts]]:
    """The counts by the ids that the rows of interactions carry, with their names."""
    by_id = {int(key) if key else None: counts for key, counts in counted.items()}
    return {key: (names[key], counts) for key, counts in by_id.items() if key in names}


def activity(shop: Merchant, days: int) -> Activity:
    """Impressions, looks and purchases per day, the empty days too."""
    counted = daily_rates(shop, _first_day(days))
    first = _first_day(days)
    calendar = [first + timedelta(days=number) for number in range(days)]
    names = ("looks", "bags", "purchases")
    by_day = [counted.by_day.get(day, Counts()) for day in calendar]
    series = {name: [getattr(counts, name) for counts in by_day] for name in names}
    totals = {name: sum(values) for name, values in series.items()}
    # Impressions are many times the rest: they are told as a number, or they would flatten every other line.
    totals["impressions"] = sum(counts.impressions for counts in by_day)
    drawn = [("accent", series["looks"]), ("warn", series["bags"]), ("good", series["purchases"])]
    return Activity(area(drawn), calendar[0], calendar[-1], totals)


def _first_day(days: int) -> date:
    """The first of so many whole days that end with today."""
    return timezone.localdate() - timedelta(days=days - 1)


def _events(shop: Merchant, days: int) -> Any:
    midnight = timezone.make_aware(datetime.combine(_first_day(days), time.min))
    return Interaction.objects.filter(merchant=shop, occurred_at__gte=midnight)


@dataclass
class _People:
    """How many shoppers looked, by where, and those who bought what they had looked at there."""

    lookers: Mapping[Any, int]
    buyers: Mapping[Any, set[int]]


def _people(shop: Merchant, days: int) -> dict[str, _People]:
    """Lookers are counted by the database; the looks of those who bought are gone through once for all tables.

    The database would look up the purchase of every look on its own, and most shoppers buy nothing.
    """
    happened = _events(shop, days).order_by()
    purchases = happened.filter(kind=KINDS.PURCHASE)
    bought: dict[tuple[int, int], datetime] = {}
    for shopper, product, moment in purchases.values_list("shopper_id", "product_id", "occurred_at").iterator():
        bought[shopper, product] = max(moment, bought.get((shopper, product), moment))
    looks = happened.filter(kind__in=LOOKS)
    of_buyers = looks.filter(shopper__in=purchases.values("shopper"), product__in=purchases.values("product"))
    buyers: dict[str, dict[Any, set[int]]] = {key: defaultdict(set) for key in KEYS}
    for shopper, product, moment, *places in of_buyers.values_list(
        "shopper_id", "product_id", "occurred_at", *KEYS
    ).iterator():
        purchase = bought.get((shopper, product))
        if purchase is not None and purchase >= moment:
            for key, place in zip(KEYS, places, strict=True):
                buyers[key][place].add(shopper)
    counted = {key: looks.values_list(key).annotate(people=Count("shopper", distinct=True)) for key in KEYS}
    return {key: _People(dict(counted[key]), buyers[key]) for key in KEYS}


def _lines(
    shop: Merchant, days: int, key: str, counted: Mapping[Any, tuple[str, Counts]], people: _People
) -> list[Line]:
    least = settings.STATISTICS_MINIMUM_GROUP
    quiet = [place for place in counted if people.lookers.get(place, 0) < least]
    enough = set(counted) - set(quiet) | _seen_by_enough(shop, days, key, quiet)
    found = []
    for place, (name, counts) in counted.items():
        lookers, buyers = people.lookers.get(place, 0), len(people.buyers.get(place, ()))
        click = wilson(counts.clicks, counts.impressions) if place in enough else None
        found.append((name, counts, click, wilson(buyers, lookers) if lookers >= least else None))
    widest_click = max([rate.high for *_, rate, _sale in found if rate] + [0.001])
    widest_sale = max([rate.high for *_, rate in found if rate] + [0.001])
    lines = [
        Line(
            name,
            counts.impressions,
            counts.looks,
            counts.purchases,
            click,
            sale,
            interval_bar(click.value, click.low, click.high, most=widest_click) if click else "",
            interval_bar(sale.value, sale.low, sale.high, most=widest_sale, tone="good") if sale else "",
        )
        for name, counts, click, sale in found
    ]
    return sorted(lines, key=lambda line: (-line.looks - line.impressions, line.name))


def _seen_by_enough(shop: Merchant, days: int, key: str, places: Sequence[Any]) -> set[Any]:
    """Of the places that too few people looked at, those that enough people saw all the same."""
    if not places:
        return set()
    named = Q(**{f"{key}__in": [place for place in places if place is not None]})
    rows = _events(shop, days).filter(named | Q(**{f"{key}__isnull": True}) if None in places else named)
    seen = rows.order_by().values(key).annotate(people=Count("shopper", distinct=True))
    return {row[key] for row in seen if row["people"] >= settings.STATISTICS_MINIMUM_GROUP}
