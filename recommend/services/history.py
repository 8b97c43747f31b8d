"""What a shopper did lately, in one query, as the recommender and the pages read it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from catalog.prepared import PreparedRead
from recommend.engine.query import HistoryEvent
from recommend.models import Interaction, Shopper

#: The newest events that speak for a shopper.
NEWEST = 200
LIKES = frozenset({"view", "click", "add_to_cart", "purchase", "like"})


@dataclass(frozen=True)
class History:
    """The newest events, newest first."""

    events: tuple[HistoryEvent, ...] = ()

    @property
    def bought(self) -> set[int]:
        return {int(event.item_id) for event in self.events if event.event == "purchase"}

    def recently_seen(self, n: int) -> list[int]:
        """Products looked at, the latest first, each once."""
        seen = dict.fromkeys(int(event.item_id) for event in self.events if event.event in LIKES)
        return list(seen)[:n]

    def style_shares(self, hidden: Collection[int]) -> dict[int, float]:
        """Share of each style among the renderings that the shopper responded to, later ones counting more.

        Keys are style ids, 0 is the original photo. Styles that the shopper took out of the profile are left out.
        """
        total: dict[int, float] = {}
        for age, event in enumerate(event for event in self.events if event.event in LIKES):
            style = int(event.style_id or 0)
            if style not in hidden:
                total[style] = total.get(style, 0.0) + 0.95**age
        everything = sum(total.values())
        return {style: weight / everything for style, weight in total.items()}


_EVENTS = PreparedRead(
    lambda shopper_id: (
        Interaction.objects.filter(shopper_id=shopper_id)
        .exclude(kind=Interaction.Kind.IMPRESSION)
        .order_by("-occurred_at")
        .values_list("product_id", "kind", "occurred_at", "style_id", "value")[:NEWEST]
    )
)


def history_of(shopper: Shopper | None) -> History:
    """The shopper's newest events (none for a stranger)."""
    if shopper is None:
        return History()
    return History(
        tuple(
            HistoryEvent(str(product), kind, moment.timestamp(), str(style) if style else None, value)
            for product, kind, moment, style, value in _EVENTS.rows(shopper.pk)
        )
    )
