"""What a shopper did lately, as the recommender and the pages need it.

Every page asks how many events there are and which is the newest, which an index answers. While neither changes, the
events and what follows from them (the folded-in taste, whole shelves) are taken from this process's memory. Where some came
and none went, they alone are read; otherwise the newest of all are.

Whoever is erased is forgotten there, too: at once in the process that erases, even by a page that is under way, and with
the next page (anybody's) in every other process of the machine, which sees that the list of erasures has grown. (They serve
nothing of it in between: the shopper is gone. Other machines' processes let go of it with their first page after
``KEPT_SECONDS``.)
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Sum

from catalog.prepared import PreparedRead
from recommend.engine.query import HistoryEvent
from recommend.models import Interaction, Shopper
from recommend.services import erasures

#: The newest events that speak for a shopper.
NEWEST = 200
LIKES = frozenset({"view", "click", "add_to_cart", "purchase", "like"})
#: What an event counts for a style, of what the next newer one does.
FADING = 0.95
#: Shoppers whose history is kept in a process, and for how many seconds after their last page.
MOST_KEPT = 1_000
KEPT_SECONDS = 600.0


@dataclass(frozen=True, eq=False)
class History:
    """The newest events, newest first."""

    events: tuple[HistoryEvent, ...] = ()
    #: What was worked out from these very events (``services.shelves``); nothing that anything else can change.
    worked_out: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def bought(self) -> frozenset[int]:
        return frozenset(int(event.item_id) for event in self.events if event.event == "purchase")

    @cached_property
    def _seen(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(int(event.item_id) for event in self.events if event.event in LIKES))

    def recently_seen(self, n: int) -> list[int]:
        """Products looked at, the latest first, each once."""
        return list(self._seen[:n])

    def style_shares(self, hidden: Collection[int]) -> dict[int, float]:
        """Share of each style among the renderings that the shopper responded to, later ones counting more.

        Keys are style ids, 0 is the original photo. Styles that the shopper took out of the profile are left out.
        """
        total: dict[int, float] = {}
        counts = 1.0
        for event in self.events:
            if event.event in LIKES:
                style = int(event.style_id or 0)
                if style not in hidden:
                    total[style] = total.get(style, 0.0) + counts
                counts *= FADING
        everything = sum(total.values())
        return {style: weight / everything for style, weight in total.items()}


def _events(**wanted: Any) -> Any:
    told = Interaction.objects.filter(**wanted).telling().order_by("-occurred_at")
    return told.values_list("pk", "product_id", "kind", "occurred_at", "style_id", "value")[:NEWEST]


_NEWEST = PreparedRead(lambda shopper_id: _events(shopper_id=shopper_id))
_SINCE = PreparedRead(lambda shopper_id, newest: _events(shopper_id=shopper_id, pk__gt=newest))
#: (how many, the newest one's key, the keys' sum): events that come or go change it, whenever they happened. A style that is
#: deleted does not; what it weighed is weighed for nothing then, until the shopper's next event.
State = tuple[int, int, int]
_STATE = PreparedRead(
    lambda shopper_id: (
        Interaction.objects.filter(shopper_id=shopper_id)
        .telling()
        .order_by()
        .values("shopper_id")
        .annotate(count=Count("pk"), newest=Max("pk"), total=Sum("pk"))
        .values_list("count", "newest", "total")
    )
)


@dataclass(frozen=True)
class _Kept:
    """A shopper's history, and the state that it was read in."""

    used: float
    #: The shopper's own, which no other one ever has; row numbers come again after a restore.
    key: UUID
    state: State | None
    history: History


#: The least lately used first.
_kept: OrderedDict[int, _Kept] = OrderedDict()
_lock = threading.Lock()


class _Forgettings:
    """What tells a page that something was forgotten while it read."""

    #: Times that anything was forgotten in this process.
    count = 0
    #: Of the list of erasures when it was last looked at.
    size = 0


def history_of(shopper: Shopper | None) -> History:
    """The shopper's newest events (none for a stranger); the same object as last time while they are the same."""
    now = time.monotonic()
    _notice_erasures()
    if shopper is None:
        with _lock:
            _let_go(now)
        return History()
    forgettings = _Forgettings.count
    state: Any = next(iter(_STATE.raw(shopper.pk)), None)
    before = _kept.get(shopper.pk)
    if before is not None and before.key != shopper.key_id:
        before = None
    if before is not None and before.state == state:
        kept = replace(before, used=now)
    else:  # the state first: an event that comes between the two reads is read again, not missed
        events = None
        if before is not None and before.state is not None and state is not None:
            events = _with_those_since(shopper.pk, before.history.events, before.state, state)
        if events is None:
            events = tuple(_event(*row) for row in _NEWEST.rows(shopper.pk)) if state is not None else ()
        kept = _Kept(now, shopper.key_id, state, History(events))
    with _lock:
        if forgettings != _Forgettings.count:  # what was read may be of somebody who has been erased meanwhile
            return kept.history
        _kept[shopper.pk] = kept
        _kept.move_to_end(shopper.pk)
        _let_go(now)
    return kept.history


def _let_go(now: float) -> None:
    """Keep no more histories than may be, and none that no page asked for of late. Under the lock."""
    while _kept and (len(_kept) > MOST_KEPT or next(iter(_kept.values())).used < now - KEPT_SECONDS):
        _kept.popitem(last=False)


def _with_those_since(
    shopper_id: int, known: tuple[HistoryEvent, ...], before: State, now: State
) -> tuple[HistoryEvent, ...] | None:
    """The newest events, where all that happened is that some came; None where any went, or very many came."""
    came = now[0] - before[0]
    if not 0 < came < NEWEST:
        return None
    rows = _SINCE.rows(shopper_id, before[1])
    if len(rows) != came or sum(row[0] for row in rows) != now[2] - before[2]:
        return None
    together = sorted((*(_event(*row) for row in rows), *known), key=lambda event: event.timestamp, reverse=True)
    return tuple(together[:NEWEST])


def _event(_pk: int, product: int, kind: str, moment: Any, style: int | None, value: float | None) -> HistoryEvent:
    return HistoryEvent(str(product), kind, moment.timestamp(), str(style) if style else None, value)


def forget(shopper_id: int | None = None) -> None:
    """Keep nothing of a shopper (who erased what they did), or of nobody."""
    with _lock:
        _Forgettings.count += 1
        if shopper_id is None:
            _kept.clear()
        else:
            _kept.pop(shopper_id, None)


def _notice_erasures() -> None:
    """Forget everybody where another process has erased somebody; it is rare, and one page each reads anew."""
    size = erasures.size()
    if size != _Forgettings.size:
        _Forgettings.size = size
        forget()
