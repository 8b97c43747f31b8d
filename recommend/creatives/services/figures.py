"""What came back: impressions as reported, clicks as counted, click-through with its interval, orders by consent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.access import require_role
from catalog.models import Membership, Merchant
from jobs.errors import NotFound, UserError
from recommend.creatives.models import Creative, DailyClicks, DailyImpressions, TrackedLink
from recommend.engine.intervals import wilson
from recommend.models import Interaction
from recommend.privacy.k_anonymity import Cell

#: An order within this time after a click is the creative's.
ATTRIBUTED_WITHIN = timedelta(days=7)
MOST_IMPRESSIONS = 2_000_000_000
MOST_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Figures:
    """One creative's return."""

    creative: Creative
    impressions: int
    clicks: int
    repeats: int
    robots: int
    #: Clicks on the days whose impressions are known: the numerator of ``ctr``.
    matched_clicks: int
    #: None where fewer than ``STATISTICS_MINIMUM_GROUP`` shoppers, but some, ordered.
    orders: int | None

    @property
    def ctr(self) -> float | None:
        """Click-through rate on the days whose impressions are known; None where none are."""
        return self.matched_clicks / self.impressions if self.impressions else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The rate's 95 % Wilson interval; None where there is no rate, or where clicks exceed the impressions reported."""
        if not self.impressions or self.matched_clicks > self.impressions:
            return None
        return wilson(self.matched_clicks, self.impressions)


def figures_of(creatives: Iterable[Creative]) -> list[Figures]:
    """The return of each creative, in a number of queries that does not grow. Creatives come with their links."""
    rows = list(creatives)
    links = [creative.link_id for creative in rows]
    shown: dict[int, dict[date, int]] = defaultdict(dict)
    for link, day, impressions in DailyImpressions.objects.filter(link__in=links).values_list(
        "link_id", "day", "impressions"
    ):
        shown[link][day] = impressions
    counted: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for link, day, clicks, repeats, robots in DailyClicks.objects.filter(link__in=links).values_list(
        "link_id", "day", "clicks", "repeats", "robots"
    ):
        totals = counted[link]
        matched = clicks if shown[link].get(day) else 0
        for index, more in enumerate((clicks, repeats, robots, matched)):
            totals[index] += more
    orders = _orders({creative.link.attribution for creative in rows})
    return [
        Figures(
            creative=creative,
            impressions=sum(shown[creative.link_id].values()),
            clicks=counted[creative.link_id][0],
            repeats=counted[creative.link_id][1],
            robots=counted[creative.link_id][2],
            matched_clicks=counted[creative.link_id][3],
            orders=orders.get(creative.link.attribution, 0),
        )
        for creative in rows
    ]


def _orders(attributions: set[UUID]) -> dict[UUID, int | None]:
    """Orders of consented shoppers who came through a link and bought its product soon after; each order once.

    None where they are of too few shoppers to be told.
    """
    came: dict[tuple[int, int], list[tuple[datetime, UUID]]] = defaultdict(list)
    clicks = Interaction.objects.filter(slate_id__in=attributions, kind=Interaction.Kind.CLICK)
    for shopper, product, moment, attribution in clicks.values_list(
        "shopper_id", "product_id", "occurred_at", "slate_id"
    ):
        if attribution is not None:
            came[shopper, product].append((moment, attribution))
    found: dict[UUID, Cell] = defaultdict(Cell)
    bought = Interaction.objects.filter(
        kind=Interaction.Kind.PURCHASE,
        shopper__in={shopper for shopper, _product in came},
        product__in={product for _shopper, product in came},
    )
    for shopper, product, moment in bought.values_list("shopper_id", "product_id", "occurred_at"):
        before = [
            (clicked, attribution)
            for clicked, attribution in came.get((shopper, product), [])
            if clicked <= moment <= clicked + ATTRIBUTED_WITHIN
        ]
        if before:
            found[max(before)[1]].add(1, shopper)  # the last click before the order
    return {link: cell.published(settings.STATISTICS_MINIMUM_GROUP) for link, cell in found.items()}


@dataclass(frozen=True, slots=True)
class ReportedDay:
    """How often the creative behind a code was shown on a day."""

    code: str
    day: date
    impressions: int


def report_impressions(*, merchant: Merchant, by: Any, days: Sequence[ReportedDay]) -> int:
    """Store what advertising places report. The same code and day again replaces the figure; all or nothing is taken."""
    require_role(by, merchant, Membership.Role.EDITOR)
    if len(days) > MOST_ROWS:
        raise UserError(
            "too-many-rows", _("More than %(limit)d rows at once.") % {"limit": MOST_ROWS}, _("Send several requests.")
        )
    links = _links(merchant, {row.code for row in days})
    tomorrow = timezone.now().date() + timedelta(days=1)
    latest: dict[tuple[str, date], int] = {}
    for row in days:
        if not 0 <= row.impressions <= MOST_IMPRESSIONS:
            raise UserError("bad-impressions", _("Impressions are a whole number, not below 0."))
        if row.day > tomorrow:
            raise UserError("day-in-future", _("%(day)s lies in the future.") % {"day": row.day.isoformat()})
        latest[row.code, row.day] = row.impressions
    with transaction.atomic():
        DailyImpressions.objects.bulk_create(
            (
                DailyImpressions(link=links[code], day=day, impressions=impressions)
                for (code, day), impressions in latest.items()
            ),
            update_conflicts=True,
            unique_fields=["link", "day"],
            update_fields=["impressions"],
        )
    return len(latest)


def _links(merchant: Merchant, codes: set[str]) -> Mapping[str, TrackedLink]:
    found = {link.code: link for link in TrackedLink.objects.filter(merchant=merchant, code__in=codes)}
    unknown = sorted(codes - set(found))
    if unknown:
        raise NotFound("no-such-code", _("There is no link with the code “%(code)s”.") % {"code": unknown[0][:20]})
    return found
