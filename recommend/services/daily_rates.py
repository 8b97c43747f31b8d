"""What happened by day, style, category and place, counted once: reading a quarter of a year reads some thousand rows.

Every interaction is counted into ``DailyCount`` exactly once, in the order of its key, whatever day it tells of, so that
late events and repeated runs are right. What has come in within the last moments is counted at each reading. A product's
events stay where they were counted should it later move to another category, and stay counted should it be deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F
from django.db.models.functions import TruncDate
from django.utils import timezone

from catalog.models import Merchant
from recommend.models import CountedUntil, DailyCount, Interaction

By = DailyCount.By
#: An event may become visible after one with a higher key; nothing younger than this is counted for good.
SETTLED = timedelta(minutes=1)
#: A reader counts what has come in since, where the schedule has not done it for so long.
COUNTED_WITHIN = timedelta(minutes=10)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
#: Rows that are written in one statement.
BATCH = 500
_FIELD: Mapping[str, str] = {
    Interaction.Kind.IMPRESSION: "impressions",
    Interaction.Kind.VIEW: "views",
    Interaction.Kind.CLICK: "clicks",
    Interaction.Kind.ADD_TO_CART: "bags",
    Interaction.Kind.PURCHASE: "purchases",
}
FIELDS = tuple(_FIELD.values())
#: (by, day, key, field, amount)
Row = tuple[str, date, str, str, int]


@dataclass(slots=True)
class Counts:
    """Events of some days."""

    impressions: int = 0
    views: int = 0
    clicks: int = 0
    bags: int = 0
    purchases: int = 0

    @property
    def looks(self) -> int:
        return self.views + self.clicks

    def add(self, name: str, amount: int) -> None:
        setattr(self, name, getattr(self, name) + amount)


@dataclass(frozen=True)
class DailyRates:
    """Counts since a day. Keys are ids as text, or places; empty where an event had none."""

    by_day: Mapping[date, Counts] = field(default_factory=dict)
    styles: Mapping[str, Counts] = field(default_factory=dict)
    categories: Mapping[str, Counts] = field(default_factory=dict)
    places: Mapping[str, Counts] = field(default_factory=dict)

    @property
    def total(self) -> Counts:
        return _sum(self.by_day.values())

    def between(self, first: date, last: date) -> Counts:
        """Everything from ``first`` to ``last``, both included."""
        return _sum(counts for day, counts in self.by_day.items() if first <= day <= last)


def daily_rates(merchant: Merchant, since: date, until: date | None = None) -> DailyRates:
    """The shop's counts from the day ``since`` on (to ``until``), up to this moment."""
    if timezone.now() - _state().at > COUNTED_WITHIN:
        count_up()
    rows: list[Row] = []
    upto = None
    while upto != (now := _state().interaction):  # somebody counted up between our two readings
        upto = now
        rows = [*_kept(merchant, since, until), *_since(merchant, upto, since, until)]
    days: dict[date, Counts] = defaultdict(Counts)
    keys: dict[str, dict[str, Counts]] = {by: defaultdict(Counts) for by in (By.STYLE, By.CATEGORY, By.PLACE)}
    for by, day, key, name, amount in rows:
        (days[day] if by == By.ALL else keys[by][key]).add(name, amount)
    return DailyRates(dict(days), dict(keys[By.STYLE]), dict(keys[By.CATEGORY]), dict(keys[By.PLACE]))


def _kept(merchant: Merchant, since: date, until: date | None) -> Iterator[Row]:
    kept = DailyCount.objects.filter(merchant=merchant, day__gte=since).order_by()
    if until is not None:
        kept = kept.filter(day__lte=until)
    for by, day, key, *amounts in kept.values_list("by", "day", "key", *FIELDS):
        for name, amount in zip(FIELDS, amounts, strict=True):
            if amount:
                yield by, day, key, name, amount


def _since(merchant: Merchant, counted_upto: int, since: date, until: date | None) -> Iterator[Row]:
    for shop, by, day, key, name, amount in _counted(above=counted_upto, upto=None):
        if shop == merchant.pk and day >= since and (until is None or day <= until):
            yield by, day, key, name, amount


def count_up() -> int:
    """Count every settled interaction that is not counted yet, of all shops; how many keys were passed."""
    _state()
    with transaction.atomic():
        state = CountedUntil.objects.select_for_update().get(pk=1)
        settled = Interaction.objects.filter(received_at__lte=timezone.now() - SETTLED)
        upto = settled.order_by("-pk").values_list("pk", flat=True).first() or 0
        passed = max(upto - state.interaction, 0)
        if passed:
            _write(_counted(above=state.interaction, upto=upto))
            state.interaction = upto
        state.at = timezone.now()
        state.save()
    return passed


def _state() -> CountedUntil:
    return CountedUntil.objects.get_or_create(pk=1, defaults={"at": LONG_AGO})[0]


def _counted(*, above: int, upto: int | None) -> Iterator[tuple[int, str, date, str, str, int]]:
    """(shop, by, day, key, field, amount) of the interactions with a key in this range.

    Asked by key alone, of all shops: the range is what makes it cheap, on either database.
    """
    rows = Interaction.objects.filter(pk__gt=above, kind__in=list(_FIELD))
    if upto is not None:
        rows = rows.filter(pk__lte=upto)
    grouped = (
        rows.annotate(day=TruncDate("occurred_at"))
        .order_by()
        .values_list("merchant_id", "day", "style_id", "product__category_id", "slot", "kind")
        .annotate(amount=Count("pk"))
    )
    for shop, day, style, category, slot, kind, amount in grouped:
        name = _FIELD[kind]
        yield shop, By.ALL, day, "", name, amount
        yield shop, By.STYLE, day, str(style or ""), name, amount
        yield shop, By.CATEGORY, day, str(category or ""), name, amount
        yield shop, By.PLACE, day, slot, name, amount


def _write(counted: Iterable[tuple[int, str, date, str, str, int]]) -> None:
    """Add to the rows that are there, and make those that are not; the caller holds the lock."""
    sums: dict[tuple[int, str, date, str], Counts] = defaultdict(Counts)
    for shop, by, day, key, name, amount in counted:
        sums[shop, by, day, key].add(name, amount)
    blank = [DailyCount(merchant_id=shop, by=by, day=day, key=key) for shop, by, day, key in sums]
    DailyCount.objects.bulk_create(blank, ignore_conflicts=True, batch_size=BATCH)
    for (shop, by, day, key), counts in sums.items():
        more: dict[str, Any] = {name: F(name) + getattr(counts, name) for name in FIELDS if getattr(counts, name)}
        DailyCount.objects.filter(merchant_id=shop, by=by, day=day, key=key).update(**more)


def _sum(counts: Iterable[Counts]) -> Counts:
    total = Counts()
    for one in counts:
        for name in FIELDS:
            total.add(name, getattr(one, name))
    return total
