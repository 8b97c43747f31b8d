"""A shopper as the recommender sees them: built from their last events in well under a millisecond, without a refit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommend.engine.blending import Blend
from recommend.engine.histories import Histories, Profile, build_histories
from recommend.engine.interactions import strengths_of
from recommend.engine.neighbours import Neighbours
from recommend.engine.parts import Parts, sparse_deviation

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class HistoryEvent:
    """One event of a shopper. ``style_id``: the style of the rendering that was shown, if any; ``value``: a rating."""

    item_id: str
    event: str
    timestamp: float
    style_id: str | None = None
    value: float | None = None


@dataclass(frozen=True)
class Evidence:
    """Sparse scores of one part: product codes, ascending, and their weighted scores."""

    items: NDArray[np.int64]
    scores: NDArray[np.float64]

    def of(self, item: int) -> float:
        place = int(np.searchsorted(self.items, item))
        return float(self.scores[place]) if place < len(self.items) and self.items[place] == item else 0.0


@dataclass(frozen=True)
class UserQuery:
    """vector: k+1+1+d float32, the left side of the product score ``[p_u, 1, m, λ·s_u] · [q_i, b_i, pop_i, s_i]``.

    evidence: the sparse parts, added to the products they name. history: the shopper's products, newest first.
    events: the event that made each of them count. style_weights: share of each shown style among the liked events.
    """

    vector: Floats
    evidence: Mapping[str, Evidence]
    history: Histories
    events: Sequence[str]
    style_weights: Mapping[str, float]
    #: What the history's products weigh in each sparse part.
    profiles: Mapping[str, Profile]

    @property
    def n_liked(self) -> int:
        return int((self.history.strengths > 0).sum())

    def boosts(self) -> dict[int, float]:
        """What the sparse parts add to which product, for a nearest-vector search that takes boosts."""
        first, *others = self.evidence.values() or [Evidence(np.zeros(0, dtype=np.int64), np.zeros(0))]
        total = dict(zip(first.items.tolist(), first.scores.tolist(), strict=True))
        for part in others:
            for item, score in zip(part.items.tolist(), part.scores.tolist(), strict=True):
                total[item] = total.get(item, 0.0) + score
        return total


def build_query(
    parts: Parts,
    blend: Blend,
    positions: Mapping[str, int],
    history: Sequence[HistoryEvent],
    *,
    now: float,
) -> UserQuery:
    """Fold a shopper in. Events on unknown products, unknown events and the future are passed over."""
    weights = parts.settings.event_weights
    known = [
        event
        for event in history
        if event.item_id in positions
        and event.event != "impression"
        and event.event in weights
        and event.timestamp <= now
    ]
    names = np.array([event.event for event in known], dtype=np.str_)
    values = np.array([np.nan if event.value is None else event.value for event in known], dtype=np.float64)
    items = np.array([positions[event.item_id] for event in known], dtype=np.int64)
    times = np.array([event.timestamp for event in known], dtype=np.float64)
    strengths = strengths_of(names, values, weights)
    told = build_histories(np.zeros(len(known), dtype=np.int64), items, strengths, times, 1)
    liked = int((told.strengths > 0).sum())
    trust = float(parts.confidence(liked, blend.half))

    svd, style = parts.dense_queries(told)
    vector = np.concatenate(
        [
            svd[0] * (trust * blend.weights.get("svd", 0.0)),
            [1.0],
            style[0] * (trust * blend.weights.get("style", 0.0)),
        ]
    ).astype(np.float32)
    profiles = {"item_item": parts.item_profile(told), "transition": parts.transition_profile(told)}
    evidence = {
        name: _evidence(neighbours, profiles[name], trust * blend.weights.get(name, 0.0))
        for name, neighbours in (("item_item", parts.item_item), ("transition", parts.transition))
    }
    return UserQuery(
        vector, evidence, told, _events_of(told, items, names, strengths), _styles_of(known, strengths), profiles
    )


def _evidence(neighbours: Neighbours, profile: Profile, weight: float) -> Evidence:
    if not weight:
        return Evidence(np.zeros(0, dtype=np.int64), np.zeros(0))
    codes, scores = neighbours.evidence(*profile)
    spread = float(sparse_deviation(scores, neighbours.n_items)[0]) if len(scores) else 0.0
    return Evidence(codes, scores * (weight / max(spread, 1e-9)))


def _events_of(
    told: Histories, items: NDArray[np.int64], names: NDArray[np.str_], strengths: NDArray[np.float32]
) -> list[str]:
    strongest: dict[int, tuple[float, str]] = {}
    for item, name, strength in zip(items.tolist(), names.tolist(), strengths.tolist(), strict=True):
        if item not in strongest or strength > strongest[item][0]:
            strongest[item] = (strength, name)
    return [strongest[item][1] for item in told.items.tolist()]


def _styles_of(events: Sequence[HistoryEvent], strengths: NDArray[np.float32]) -> dict[str, float]:
    total: dict[str, float] = {}
    for event, strength in zip(events, strengths.tolist(), strict=True):
        if event.style_id is not None and strength > 0:
            total[event.style_id] = total.get(event.style_id, 0.0) + strength
    everything = sum(total.values())
    return {style: weight / everything for style, weight in total.items()}
