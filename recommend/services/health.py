"""Is the recommender still the one that was fitted? Its age, what it answers, what is clicked, and who comes.

Everything is read from sums by day and from the newest shelves, so that a shop with many events costs no more than one
with few. The findings are kept for some minutes; the front page reads them and computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from catalog.models import Category, Merchant, Product
from recommend import serving
from recommend.engine.drift import Shift, population_shift
from recommend.engine.intervals import wilson
from recommend.models import Recommender, Slate
from recommend.services import fitting
from recommend.services.daily_rates import Counts, daily_rates
from recommend.services.live_score import hits_since
from styling.models import Style

#: The days before a fit, and those until now, that are compared.
BEFORE = timedelta(days=28)
RECENT = timedelta(days=7)
#: Older than this, with something new to learn, a version is stale; the schedule fits daily.
STALE_AFTER = timedelta(days=7)
#: So much new, in parts of what it was fitted on, makes a version stale whatever its age.
STALE_SHARE = 0.5
#: The newest shelves of the last day that are looked at.
SHELVES, SHELVES_SINCE = 500, timedelta(days=1)
FALLBACK_REASON = "new-arrival"
#: A larger share of places filled without the recommender is an alarm; fewer shelves than this are none.
MOST_FALLBACK, FEWEST_SHELVES = 0.2, 20
#: Impressions on either side that a click rate is compared with.
FEWEST_IMPRESSIONS = 500
KEPT_SECONDS = 3 * 3600


@dataclass(frozen=True)
class Rate:
    """A click-through rate with its Wilson interval."""

    clicks: int
    impressions: int

    @property
    def value(self) -> float:
        return min(self.clicks / self.impressions, 1.0) if self.impressions else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        return wilson(min(self.clicks, self.impressions), self.impressions) if self.impressions else (0.0, 1.0)


@dataclass(frozen=True)
class Answers:
    """The newest shelves: how many, their places, those filled by the fallback, and the products that appear."""

    shelves: int
    places: int
    fallback: int
    products: int
    on_sale: int

    @property
    def fallback_share(self) -> float:
        return self.fallback / self.places if self.places else 0.0

    @property
    def coverage(self) -> float:
        return min(self.products / self.on_sale, 1.0) if self.on_sale else 0.0


@dataclass(frozen=True)
class Health:
    """What is to be said of a shop's recommender. ``version`` is None where none is in use."""

    version: Recommender | None
    age: timedelta
    new_events: int
    answers: Answers
    days: Sequence[tuple[date, Rate]]
    before: Rate
    recent: Rate
    #: (hits, people) of the fit's own score, taken again on what has happened since.
    hits: tuple[int, int]
    categories: Shift
    styles: Shift
    names: Mapping[str, Mapping[str, str]]
    #: Codes of what is wrong, the gravest first: ``stale``, ``fallback``, ``clicks-down``, ``categories``, ``styles``.
    warnings: Sequence[str]


def health_of(merchant: Merchant) -> Health:
    """Look the recommender over, and keep what is wrong for the front page."""
    version = Recommender.objects.filter(merchant=merchant, status=Recommender.Status.DEPLOYED).first()
    now = timezone.now()
    fitted_at = version.created_at if version is not None else merchant.created_at
    before, since = _spans(fitted_at, now)
    fresh = fitting.freshness(merchant=merchant, version=version)
    reference = daily_rates(merchant, *before)
    current = daily_rates(merchant, since)
    chart = daily_rates(merchant, timezone.localdate() - BEFORE)
    answers = _answers(merchant)
    earlier, recent = _rate(reference.total), _rate(current.total)
    categories = population_shift(_looks(reference.categories), _looks(current.categories))
    styles = population_shift(_looks(reference.styles), _looks(current.styles))
    warnings = [
        code
        for code, holds in (
            ("stale", version is not None and _is_stale(version, now - fitted_at, fresh.new_events)),
            ("fallback", answers.shelves >= FEWEST_SHELVES and answers.fallback_share > MOST_FALLBACK),
            ("clicks-down", _has_fallen(earlier, recent)),
            ("categories", categories.has_moved),
            ("styles", styles.has_moved),
        )
        if holds and version is not None
    ]
    cache.set(_key(merchant), warnings, KEPT_SECONDS)
    return Health(
        version=version,
        age=now - fitted_at,
        new_events=fresh.new_events,
        answers=answers,
        days=[(day, _rate(chart.by_day.get(day, Counts()))) for day in _calendar(BEFORE)],
        before=earlier,
        recent=recent,
        hits=_hits(merchant, version),
        categories=categories,
        styles=styles,
        names={
            "category": {str(row.pk): row.display_name for row in Category.objects.filter(merchant=merchant)},
            "style": {str(row.pk): row.display_name for row in Style.objects.filter(merchant=merchant)},
        },
        warnings=warnings,
    )


def _hits(merchant: Merchant, version: Recommender | None) -> tuple[int, int]:
    served = serving.deployed(merchant) if version is not None else None
    if version is None or served is None or served.recommender_id != version.pk:
        return 0, 0
    return hits_since(merchant, served.fitted, version.created_at)


def known_warnings(merchant: Merchant) -> list[str]:
    """What was wrong when somebody, or the schedule, looked last; nothing where nobody did."""
    found: Any = cache.get(_key(merchant))
    return list(found) if isinstance(found, list) else []


def _key(merchant: Merchant) -> str:
    return f"recommend:health:{merchant.pk}:{merchant.created_at:%s}"


def _spans(fitted_at: datetime, now: datetime) -> tuple[tuple[date, date], date]:
    """The days that the fit had seen, and the first of those that count as now: since the fit, a week at most."""
    fitted = timezone.localdate(fitted_at)
    since = max(fitted, timezone.localdate(now - RECENT))
    return (fitted - BEFORE, fitted - timedelta(days=1)), since


def _is_stale(version: Recommender, age: timedelta, new_events: int) -> bool:
    learned = int(version.metrics.get("events") or 0)
    return bool(new_events) and (
        age > STALE_AFTER or new_events > max(STALE_SHARE * learned, fitting.ENOUGH_NEW_EVENTS)
    )


def _has_fallen(before: Rate, recent: Rate) -> bool:
    """Whether the click rate has left the interval of the days that the fit had seen, downwards."""
    if min(before.impressions, recent.impressions) < FEWEST_IMPRESSIONS:
        return False
    return recent.bounds[1] < before.bounds[0]


def _rate(counts: Counts) -> Rate:
    return Rate(counts.clicks, counts.impressions)


def _looks(counts: Mapping[str, Counts]) -> dict[str, int]:
    return {key: one.looks + one.bags + one.purchases for key, one in counts.items()}


def _calendar(span: timedelta) -> list[date]:
    today = timezone.localdate()
    return [today - timedelta(days=number) for number in range(span.days - 1, -1, -1)]


def _answers(merchant: Merchant) -> Answers:
    """The newest shelves of the last day; the shelf of new products is not the recommender's."""
    slates = Slate.objects.filter(merchant=merchant, created_at__gte=timezone.now() - SHELVES_SINCE).exclude(slot="new")
    rows = list(slates.order_by("-created_at").values_list("items", flat=True)[:SHELVES])
    items = [item for row in rows for item in row]
    return Answers(
        shelves=len(rows),
        places=len(items),
        fallback=sum(item.get("reason") == FALLBACK_REASON for item in items),
        products=len({item["product"] for item in items}),
        on_sale=Product.objects.filter(merchant=merchant).on_sale().count(),
    )
