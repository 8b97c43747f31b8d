"""The demo's shoppers on the shop's home page: real shelves, real choices of renderings, and what people do with them.

Every visit is served by the same code as a page of the storefront: the slate is kept, with the probability of each
choice. What the shopper saw and clicked then goes through the API as another shop's events would. Only the moment is
made up: a visit of last week is given last week's date.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalog.models import Merchant, Product
from recommend.engine.query import HistoryEvent
from recommend.models import Shopper, Slate
from recommend.services import shoppers
from recommend.services.history import NEWEST, History
from recommend.services.shelves import Shelves
from recommend.services.slates import Presenter, ShownProduct, ShownSlate
from stylerec_site.demo.crowd import Person
from styling.models import StyledImage

#: Another seed than the crowd's: the ids of events come from both.
SEED = 5
#: Shelves of the home page that somebody scrolls along, with their places.
SHELVES = (("home", 8), ("new", 4))
#: Chance to look at the next place, and to click on what is seen: of a category that they like, and of another.
READS_ON, LIKED, OTHER = 0.88, 0.2, 0.04
#: What a click becomes more likely by in the style that they like, and less likely in another.
OWN_STYLE, OTHER_STYLE = 1.6, 0.6
#: How long the first version has chosen what the home page shows.
SERVED = timedelta(days=21)
#: Chances of what follows a click.
TO_BAG, BOUGHT = 0.25, 0.5

Event = dict[str, Any]


@dataclass(frozen=True)
class Past:
    """What people came for: before the shop had a recommender, and while it had one."""

    early: list[Event]
    late: list[Event]

    @classmethod
    def of(cls, events: Sequence[Event]) -> Self:
        """Cut ``SERVED`` ago."""
        cut = (timezone.now() - SERVED).isoformat()
        return cls(
            [event for event in events if event["occurred_at"] < cut],
            [event for event in events if event["occurred_at"] >= cut],
        )


@dataclass
class Visitor:
    """Somebody with a taste, their row, and what they did so far (newest first)."""

    person: Person
    shopper: Shopper
    history: list[HistoryEvent] = field(default_factory=list)


def visitors_of(merchant: Merchant, people: Sequence[Person]) -> list[Visitor]:
    """The people with their rows; all of them have agreed."""
    rows = shoppers.find_many(merchant=merchant, visitor_ids=[person.name for person in people])
    return [Visitor(person, rows[person.name]) for person in people]


class HomePage:
    """The shop's home page as the demo's people see it."""

    def __init__(self, merchant: Merchant) -> None:
        self._merchant = merchant
        self._dice = random.Random(SEED)
        self._skus = dict(Product.objects.filter(merchant=merchant).values_list("pk", "sku"))
        self._numbers = {sku: number for number, sku in self._skus.items()}
        self._shelf_of = dict(Product.objects.filter(merchant=merchant).values_list("pk", "category_id"))
        self._style_of = dict(StyledImage.objects.filter(merchant=merchant).values_list("pk", "style_id"))

    def weeks(self, visitors: Sequence[Visitor], past: Past) -> list[Event]:
        """What people did while the shop had a recommender: whenever they come for something, they see its home first."""
        told: list[Event] = []
        for visitor in visitors:
            for event in _of(visitor, past.early):
                self._remember(visitor, event)
            with transaction.atomic():
                for event in _of(visitor, past.late):
                    if event["kind"] == "view":
                        came_at = parse_datetime(event["occurred_at"])
                        assert came_at is not None
                        told += self.visit(visitor, came_at - timedelta(minutes=5))
                    told.append(event)
                    self._remember(visitor, event)
        return told

    def visit(self, visitor: Visitor, moment: datetime) -> list[Event]:
        """One look at the home page at a moment; the events that follow, the impressions among them."""
        page = Shelves(self._merchant, visitor.shopper, history=History(tuple(visitor.history[:NEWEST])))
        shelves = {slot: page.shelf(slot, k) for slot, k in SHELVES}  # type: ignore[arg-type]
        slates = Presenter(page).slates(shelves)
        kept = [slate.id for slate in slates.values() if slate.id is not None]
        Slate.objects.filter(pk__in=kept).update(created_at=moment)
        told: list[Event] = []
        for slot, _k in SHELVES:
            told += self._look_along(visitor, slates[slot], moment)
        for event in told:
            if event["kind"] != "impression":
                self._remember(visitor, event)
        return told

    def _look_along(self, visitor: Visitor, slate: ShownSlate, moment: datetime) -> list[Event]:
        told: list[Event] = []
        for item in slate.items:
            assert slate.id is not None
            if self._dice.random() > READS_ON:
                break
            seen = self._event(visitor, slate, item, "impression", moment)
            told.append({**seen, "id": str(uuid.uuid5(slate.id, str(item.position)))})
            if self._dice.random() < self._wish(visitor.person, item):
                clicked = moment + timedelta(seconds=20 + 10 * item.position)
                told.append(self._event(visitor, slate, item, "click", clicked))
                for kind, chance, seconds in (("add_to_cart", TO_BAG, 40), ("purchase", BOUGHT, 90)):
                    if self._dice.random() > chance:
                        break
                    later = clicked + timedelta(seconds=seconds)
                    told.append(self._event(visitor, slate, item, kind, later))
        return told

    def _wish(self, person: Person, item: ShownProduct) -> float:
        """How likely this person clicks on what is shown here."""
        wish = LIKED if self._shelf_of[item.product.pk] in person.categories else OTHER
        style = item.rendering.style_id if item.rendering else None
        return wish * (OWN_STYLE if style == person.style else OTHER_STYLE)

    def _event(self, visitor: Visitor, slate: ShownSlate, item: ShownProduct, kind: str, moment: datetime) -> Event:
        event = {
            "id": str(uuid.UUID(int=self._dice.getrandbits(128))),
            "shopper": visitor.person.name,
            "product": self._skus[item.product.pk],
            "kind": kind,
            "slate": str(slate.id),
            "slot": slate.slot,
            "position": item.position,
            "occurred_at": min(moment, timezone.now()).isoformat(),
        }
        if kind == "purchase":
            event["value"] = float(item.product.price)
        return {**event, "rendering": item.rendering.pk} if item.rendering else event

    def _remember(self, visitor: Visitor, event: Event) -> None:
        moment = parse_datetime(event["occurred_at"])
        assert moment is not None
        style = self._style_of.get(event.get("rendering"))
        known = HistoryEvent(
            str(self._numbers[event["product"]]), event["kind"], moment.timestamp(), str(style) if style else None, None
        )
        visitor.history.insert(0, known)


def _of(visitor: Visitor, events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event["shopper"] == visitor.person.name]
