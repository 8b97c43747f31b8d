"""Why a product is shown: a stable code and, where there is one, the shopper's own product behind it.

The codes carry no text: the pages that show them know the shopper's language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommend.engine.neighbours import Neighbours
from recommend.engine.parts import Parts
from recommend.engine.query import UserQuery

REASON_CODES = (
    "because-you-viewed",
    "also-bought",
    "in-your-style",
    "popular-now",
    "popular",
    "similar-to",
    "new-arrival",
    "seen-before",
)
BOUGHT = frozenset({"purchase", "add_to_cart"})
SIMILARITY_WEIGHTS: Mapping[str, float] = {"item_item": 1.0, "svd": 0.6, "style": 0.6}


def reasons_for(
    parts: Parts, query: UserQuery, rows: Sequence[int], explained: Sequence[Mapping[str, float]]
) -> list[tuple[str, int | None]]:
    """The reasons of recommended products: the part that lifts each most, and the history product most behind it.

    ``explained``: for each row what each part adds to its score.
    """
    behind = _Behind(parts, query, rows)
    return [
        _reason(parts, query, behind, place, row, by_part)
        for place, (row, by_part) in enumerate(zip(rows, explained, strict=True))
    ]


def _reason(
    parts: Parts, query: UserQuery, behind: _Behind, place: int, row: int, by_part: Mapping[str, float]
) -> tuple[str, int | None]:
    part = max(by_part, key=lambda name: by_part[name])
    if by_part[part] <= 0 or not query.n_liked:
        part = "recent" if by_part["recent"] >= by_part["popularity"] else "popularity"
    if part == "style":
        return "in-your-style", _closest_look(parts, query, row)
    if parts.people[row] == 0:
        return "new-arrival", None
    if part in ("recent", "popularity"):
        return ("popular-now" if part == "recent" else "popular"), None
    source = behind.factors(place) if part == "svd" else behind.neighbours(part, row)
    if source is None:
        return "popular-now", None
    if source == row:
        return "seen-before", None
    event = query.events[int(np.flatnonzero(query.history.items == source)[0])]
    return ("also-bought" if event in BOUGHT else "because-you-viewed"), source


class _Behind:
    """Which of a shopper's own products is most behind the recommended ``rows``: worked out once for a shelf."""

    def __init__(self, parts: Parts, query: UserQuery, rows: Sequence[int]) -> None:
        self._parts, self._query, self._rows = parts, query, rows
        self._gathered: dict[str, tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]] = {}

    def neighbours(self, part: str, row: int) -> int | None:
        """By the evidence of ``item_item`` or ``transition``."""
        items, weights = self._query.profiles[part]
        if part not in self._gathered:
            neighbours: Neighbours = getattr(self._parts, part)
            self._gathered[part] = neighbours.gathered(items, weights)
        whose, products, amounts = self._gathered[part]
        named = np.flatnonzero(products == row)
        if not len(named):
            return None
        best = named[np.argmax(amounts[named])]
        return int(items[whose[best]]) if amounts[best] > 0 else None

    def factors(self, place: int) -> int | None:
        """By the SVD: the folded-in vector is linear in the history's rows, so each product's share of a score is exact."""
        items, shares = self._shares
        if not len(items):
            return None
        best = int(np.argmax(shares[:, place]))
        return int(items[best]) if shares[best, place] > 0 else None

    @cached_property
    def _shares(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The products that speak for the shopper, and the share of each (H×R) in the score of each of the rows."""
        fold_in, history = self._parts.fold_in, self._query.history
        strengths = fold_in.told(history.strengths)
        items = history.items[: fold_in.last][strengths != 0]
        if not len(items):
            return items, np.zeros((0, len(self._rows)))
        system, told = fold_in.solver(history.items, history.strengths)
        wanted = np.asarray(self._parts.factors.vectors[list(self._rows)], dtype=np.float64)
        shares = told @ np.linalg.solve(system, wanted.T)
        shares[strengths[strengths != 0] < 0] = -np.inf
        return items, shares


def _closest_look(parts: Parts, query: UserQuery, row: int) -> int | None:
    liked = query.history.items[(query.history.strengths > 0) & (query.history.items != row)]
    if not len(liked):
        return None
    return int(liked[int(np.argmax(parts.style[liked] @ parts.style[row]))])


def similarity_parts(parts: Parts, row: int) -> dict[str, NDArray[np.float32]]:
    """N scores of likeness to a product for each part, in [-1, 1] times the part's weight; a missing part is zero."""
    columns, values = parts.item_item.row(row)
    together = np.zeros(parts.n_items, dtype=np.float32)
    if len(values):
        together[columns] = values / max(float(values.max()), 1e-9)
    raw = {
        "item_item": together,
        "svd": _cosines(parts.factors.vectors, row),
        "style": parts.style @ parts.style[row],
    }
    return {name: np.float32(SIMILARITY_WEIGHTS[name]) * scores for name, scores in raw.items()}


def similarity_reason(by_part: Mapping[str, float]) -> str:
    """``also-bought`` where buying together says most, else ``similar-to``."""
    return "also-bought" if by_part["item_item"] > max(by_part["svd"], by_part["style"], 0.0) else "similar-to"


def _cosines(vectors: NDArray[np.float32], row: int) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1)
    scale = lengths * lengths[row]
    return np.where(scale > 1e-9, vectors @ vectors[row] / np.maximum(scale, 1e-9), 0.0).astype(np.float32)
