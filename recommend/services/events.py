"""Events: validated by hand, inserted in one statement, each client id once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from catalog.models import Merchant, Product
from jobs.errors import UserError
from recommend.models import Interaction, Shopper
from recommend.services.shoppers import LONGEST_VISITOR_ID
from styling.models import StyledImage

MOST_EVENTS = 1_000
#: Clocks of clients run a little ahead; beyond this an event claims to come from the future.
CLOCK_SKEW = timedelta(minutes=5)
OLDEST = timedelta(days=730)
#: More events than this of one shopper in a day are a robot's; they are dropped, not stored.
MOST_EVENTS_PER_SHOPPER_AND_DAY = 2_000
SEEN_WITHIN = timedelta(hours=1)
LARGEST_VALUE = 1e9
_KINDS = frozenset(Interaction.Kind.values)
_FIELDS = {
    "id", "shopper", "product", "kind", "value", "currency", "rendering", "slot", "slate", "position", "occurred_at",
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """One validated event. ``shopper`` is the client's own id of the person, never stored as it is.

    ``value``: a rating, or of a purchase what was paid for all pieces of the product, in the shop's currency.
    """

    id: uuid.UUID
    shopper: str
    product: str
    kind: str
    value: float | None
    rendering: int | None
    slot: str
    slate: uuid.UUID | None
    position: int | None
    occurred_at: datetime


@dataclass(frozen=True)
class Refused:
    """Why one event of a batch was not taken."""

    index: int
    code: str
    message: str


def parse_batch(payload: Any, *, currency: str = "") -> tuple[list[Event], list[Refused]]:
    """Check a request body ``{"events": […]}`` by hand: ten times cheaper than a serializer per event.

    ``currency`` is the shop's: an event that names another one is refused, for its amount could not be added to others.
    """
    events = payload.get("events") if isinstance(payload, dict) else None
    if not isinstance(events, list):
        raise UserError("events-missing", _("The body has no list “events”."), _("Send {“events”: […]}."))
    if len(events) > MOST_EVENTS:
        raise UserError(
            "too-many-events",
            _("More than %(limit)d events in one request.") % {"limit": MOST_EVENTS},
            _("Send several requests."),
        )
    taken: list[Event] = []
    refused: list[Refused] = []
    now = timezone.now()
    for index, raw in enumerate(events):
        try:
            taken.append(_parse(raw, now, currency))
        except ValueError as error:
            refused.append(Refused(index, str(error.args[0]), str(error.args[1])))
    return taken, refused


def _parse(raw: Any, now: datetime, currency: str) -> Event:
    if not isinstance(raw, dict) or not set(raw) <= _FIELDS:
        raise ValueError("event-malformed", _("An event is an object with the documented fields only."))
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError("kind-unknown", _("Unknown kind of event."))
    shopper, product, slot = raw.get("shopper"), raw.get("product"), raw.get("slot") or ""
    if not _is_text(shopper, LONGEST_VISITOR_ID):
        raise ValueError("shopper-missing", _("“shopper” is your own id of the person, up to 200 characters."))
    if not _is_text(product, 64):
        raise ValueError("product-missing", _("“product” is a SKU."))
    if slot and not _is_text(slot, 20):
        raise ValueError("slot-unreadable", _("“slot” is a text of up to 20 characters."))
    value = _value(raw.get("value"))
    if kind == Interaction.Kind.PURCHASE and value is not None and value < 0:
        raise ValueError("amount-negative", _("“value” of a purchase is what was paid: 0 or more."))
    if raw.get("currency") not in (None, currency):
        raise ValueError("currency-other", _("“currency” is not the shop's; amounts are not converted."))
    return Event(
        id=_uuid(raw.get("id")),
        shopper=shopper,
        product=product,
        kind=kind,
        value=value,
        rendering=_whole(raw.get("rendering"), 2**62),
        slot=slot,
        slate=_uuid(raw["slate"]) if raw.get("slate") else None,
        position=_whole(raw.get("position"), 32_767),
        occurred_at=_moment(raw.get("occurred_at"), now),
    )


def _is_text(text: Any, longest: int) -> TypeGuard[str]:
    """A text that any database takes: neither NUL nor half a character."""
    return isinstance(text, str) and 0 < len(text) <= longest and text.isprintable()


def _uuid(text: Any) -> uuid.UUID:
    try:
        if not isinstance(text, str):
            raise ValueError
        return uuid.UUID(text)
    except ValueError:
        raise ValueError("id-missing", _("Every event needs an id of its own, a UUID.")) from None


def _value(number: Any) -> float | None:
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError("value-unreadable", _("“value” is a finite number."))
    if not abs(number) <= LARGEST_VALUE:  # also what is not a number, and integers that no float can hold
        raise ValueError("value-unreadable", _("“value” is out of range."))
    return float(number)


def _whole(number: Any, most: int) -> int | None:
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= most:
        raise ValueError("number-unreadable", _("“rendering” and “position” are whole numbers."))
    return number


def _moment(text: Any, now: datetime) -> datetime:
    if text is None:
        return now
    try:
        moment = parse_datetime(text) if isinstance(text, str) and len(text) < 60 else None
        if moment is not None:
            moment = moment.replace(tzinfo=UTC) if timezone.is_naive(moment) else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # year 1 in a zone east of Greenwich lies before time began
        moment = None
    if moment is None:
        raise ValueError("time-unreadable", _("“occurred_at” is an ISO 8601 time."))
    if not now - OLDEST < moment <= now + CLOCK_SKEW:
        raise ValueError("time-out-of-range", _("“occurred_at” lies in the future or more than two years back."))
    return min(moment, now)


def store_events(*, merchant: Merchant, events: Sequence[Event], shoppers: Mapping[str, Shopper]) -> int:
    """Insert events of known, consented shoppers in one statement; ids that are there already change nothing.

    Events of other shoppers and of products that the shop does not have are passed over. How many were put to the
    database, repetitions included.
    """
    skus = {event.product for event in events}
    products = dict(Product.objects.filter(merchant=merchant, sku__in=skus).values_list("sku", "pk"))
    shown = {event.rendering for event in events if event.rendering is not None}
    renderings = (
        dict(StyledImage.objects.filter(merchant=merchant, pk__in=shown).values_list("pk", "style_id")) if shown else {}
    )
    rows = [
        Interaction(
            merchant=merchant,
            event_id=event.id,
            shopper=shoppers[event.shopper],
            product_id=products[event.product],
            kind=event.kind,
            value=event.value,
            style_id=renderings.get(event.rendering) if event.rendering else None,
            styled_image_id=event.rendering if event.rendering in renderings else None,
            slot=event.slot,
            slate_id=event.slate,
            position=event.position,
            occurred_at=event.occurred_at,
        )
        for event in events
        if event.shopper in shoppers and event.product in products
    ]
    return insert(rows=_without_robots(rows))


def insert(*, rows: Iterable[Interaction]) -> int:
    """Insert rows, those with a known event id left out; how many were given."""
    rows = list(rows)
    if not rows:
        return 0
    with transaction.atomic():
        Interaction.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        touch({row.shopper_id for row in rows})
    return len(rows)


def touch(shopper_ids: Iterable[int]) -> None:
    """Remember that shoppers were here; the hour is exact enough, and keeps a write out of most requests."""
    now = timezone.now()
    Shopper.objects.filter(pk__in=set(shopper_ids), last_seen_at__lt=now - SEEN_WITHIN).update(last_seen_at=now)


def _without_robots(rows: list[Interaction]) -> list[Interaction]:
    """Drop what goes beyond the daily limit of a shopper."""
    since = timezone.now() - timedelta(days=1)
    today = Interaction.objects.filter(shopper__in={row.shopper_id for row in rows}, received_at__gt=since)
    counts = dict(today.order_by().values_list("shopper_id").annotate(Count("pk"))) if rows else {}
    kept = []
    for row in rows:
        counts[row.shopper_id] = counts.get(row.shopper_id, 0) + 1
        if counts[row.shopper_id] <= MOST_EVENTS_PER_SHOPPER_AND_DAY:
            kept.append(row)
    return kept
