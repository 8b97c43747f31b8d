"""What shoppers did by category, style and week, as far as it may leave the house (``privacy.k_anonymity``).

Weeks are whole and over: a week that still runs, read twice, would tell what one day added. Each week and each measure is a
table of its own, of categories by styles, with its totals; there are no totals over weeks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Category, Merchant
from recommend.models import Interaction
from recommend.privacy.k_anonymity import TOTAL, Cell, Place, protect
from styling.models import Style

KINDS = Interaction.Kind
MOST_WEEKS = 26
#: Measures and the events that they count. ``shoppers`` is how many did any of it.
COUNTED: dict[str, tuple[str, ...]] = {
    "impressions": (KINDS.IMPRESSION,),
    "looks": (KINDS.VIEW, KINDS.CLICK),
    "added_to_bag": (KINDS.ADD_TO_CART,),
    "purchases": (KINDS.PURCHASE,),
}
MEASURES = ("shoppers", *COUNTED)
#: Address and name.
Name = tuple[str | None, str]


@dataclass(frozen=True)
class Line:
    """One category and style in one week. An empty slug is “without a category”, or the original photo; None all of them."""

    #: The Monday that the week begins with.
    week: date
    category: str | None
    category_name: str
    style: str | None
    style_name: str
    #: By measure; None is withheld, because it speaks of too few shoppers or would give away what does.
    numbers: dict[str, int | None]


def weeks_from(text: str, *, default: int) -> int:
    """How many weeks an address asks for, within bounds; ``default`` where it says nothing sensible."""
    return min(max(int(text), 1), MOST_WEEKS) if text.isascii() and text.isdecimal() and len(text) < 6 else default


def last_weeks(count: int) -> list[date]:
    """The Mondays of the last whole weeks, the newest first."""
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=number) for number in range(1, count + 1)]


def by_category_style_and_week(*, merchant: Merchant, weeks: int) -> Iterator[Line]:
    """The lines of the last whole weeks, each week's totals first. Where nobody did anything there is no line."""
    categories: dict[Hashable, Name] = {
        row.pk: (row.slug, row.display_name) for row in Category.objects.filter(merchant=merchant)
    }
    styles: dict[Hashable, Name] = {
        row.pk: (row.slug, row.display_name) for row in Style.objects.filter(merchant=merchant)
    }
    categories |= {None: ("", _("Without a category")), TOTAL: (None, _("All categories"))}
    styles |= {None: ("", _("Original photo")), TOTAL: (None, _("All styles"))}
    for week in last_weeks(weeks):
        numbers = _week(merchant, week)
        named = [(categories[row], styles[column], values) for (row, column), values in numbers.items()]
        for (category, category_name), (style, style_name), values in sorted(named, key=_totals_first):
            yield Line(week, category, category_name, style, style_name, values)


def _week(merchant: Merchant, week: date) -> dict[Place, dict[str, int | None]]:
    """The protected numbers of one week by (category, style) and measure."""
    tables: dict[str, dict[Place, Cell]] = {measure: defaultdict(Cell) for measure in MEASURES}
    first, last = _midnight(week), _midnight(week + timedelta(days=7))
    happened = Interaction.objects.filter(merchant=merchant, occurred_at__gte=first, occurred_at__lt=last)
    rows: Any = (
        happened.order_by()
        .values("product__category_id", "style_id", "shopper_id")
        .annotate(**{measure: Count("pk", filter=Q(kind__in=kinds)) for measure, kinds in COUNTED.items()})
    )
    for row in rows.iterator():
        place, shopper = (row["product__category_id"], row["style_id"]), row["shopper_id"]
        tables["shoppers"][place].shoppers.add(shopper)
        for measure in COUNTED:
            if row[measure]:
                tables[measure][place].add(row[measure], shopper)
    for cell in tables["shoppers"].values():
        cell.value = len(cell.shoppers)
    least = settings.STATISTICS_MINIMUM_GROUP
    published = {measure: protect(table, k=least) for measure, table in tables.items()}
    # Somebody may stand in several cells, so heads do not add up: their totals are counted, not summed.
    published["shoppers"] = _heads(tables["shoppers"], published["shoppers"])
    places = {place for table in published.values() for place in table}
    return {place: {measure: published[measure].get(place, 0) for measure in MEASURES} for place in places}


def _heads(cells: dict[Place, Cell], published: dict[Place, int | None]) -> dict[Place, int | None]:
    heads: dict[Place, set[int]] = defaultdict(set)
    for (row, column), cell in cells.items():
        for place in ((row, column), (row, TOTAL), (TOTAL, column), (TOTAL, TOTAL)):
            heads[place] |= cell.shoppers
    return {place: None if value is None else len(heads[place]) for place, value in published.items()}


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _totals_first(line: tuple[Name, Name, Any]) -> tuple[Hashable, ...]:
    (category, category_name), (style, style_name), _values = line
    return category is not None, category_name, style is not None, style_name
