"""The score of the fit, taken again on what has happened since: do its first ten hold what people then chose?

As in the fit: people who were known before, what they liked since that was new to them, products that they knew left out
of the ten. Nothing of what is asked for is given to the recommender; it is asked as it stood on the day of the fit.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import numpy as np
from django.db.models import Exists, OuterRef

from catalog.models import Merchant
from recommend.engine.fitted import FittedRecommender
from recommend.engine.heldout import K
from recommend.engine.interactions import strengths_of
from recommend.engine.query import HistoryEvent
from recommend.models import Interaction
from recommend.services.history import NEWEST

#: People who are asked about.
MOST_PEOPLE = 300
#: Their events that are read at most, newest first: enough for all but a crowd of robots.
MOST_EVENTS = 60_000


def hits_since(merchant: Merchant, fitted: FittedRecommender, since: datetime) -> tuple[int, int]:
    """(people whose first ten held something that they then chose, people asked about)."""
    told = Interaction.objects.filter(merchant=merchant, shopper__personalisation_enabled=True)
    told = told.exclude(kind=Interaction.Kind.IMPRESSION)
    known = Exists(told.filter(shopper=OuterRef("shopper"), occurred_at__lt=since))
    active = told.filter(known, occurred_at__gte=since).order_by("shopper_id")
    people = list(active.values_list("shopper_id", flat=True).distinct()[:MOST_PEOPLE])
    rows = told.filter(shopper__in=people).order_by("-occurred_at")
    before: dict[int, list[HistoryEvent]] = defaultdict(list)
    later: dict[int, list[HistoryEvent]] = defaultdict(list)
    columns = rows.values_list("shopper_id", "product_id", "kind", "occurred_at", "style_id", "value")[:MOST_EVENTS]
    for shopper, product, kind, at, style, value in columns:
        event = HistoryEvent(str(product), kind, at.timestamp(), str(style) if style else None, value)
        (later if at >= since else before)[shopper].append(event)
    hits = asked = 0
    for shopper, events in later.items():
        wanted = _liked(fitted, events) - {fitted.positions.get(event.item_id, -1) for event in before[shopper]}
        if before[shopper] and wanted:
            asked += 1
            hits += bool(wanted & _first_ten(fitted, before[shopper][:NEWEST], since.timestamp()))
    return hits, asked


def _liked(fitted: FittedRecommender, events: list[HistoryEvent]) -> set[int]:
    """Rows of the products that these events speak well of."""
    strengths = strengths_of(
        np.array([event.event for event in events]),
        np.array([np.nan if event.value is None else event.value for event in events], dtype=np.float64),
        fitted.settings.event_weights,
    )
    rows = [fitted.positions.get(event.item_id, -1) for event in events]
    return {row for row, strength in zip(rows, strengths.tolist(), strict=True) if row >= 0 and strength > 0}


def _first_ten(fitted: FittedRecommender, history: list[HistoryEvent], now: float) -> set[int]:
    allow = np.ones(len(fitted.item_ids), dtype=bool)
    allow[[fitted.positions[event.item_id] for event in history if event.item_id in fitted.positions]] = False
    return set(fitted.rank(fitted.query(history, now), K, allow=allow).rows.tolist())
