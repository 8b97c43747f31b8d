"""Why a product is shown: a stable code and, where there is one, the shopper's own product behind it.

The codes carry no text: the pages that show them know the shopper's language.
"""

from __future__ import annotations

from collections.abc import Mapping

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


def reason_for(parts: Parts, query: UserQuery, row: int, by_part: Mapping[str, float]) -> tuple[str, int | None]:
    """The reason of one recommended product: the part that lifts it most, and the history product most behind it."""
    part = max(by_part, key=lambda name: by_part[name])
    if by_part[part] <= 0 or not query.n_liked:
        part = "recent" if by_part["recent"] >= by_part["popularity"] else "popularity"
    new = parts.people[row] == 0
    if part == "style":
        return "in-your-style", _closest_look(parts, query, row)
    if new:
        return "new-arrival", None
    if part in ("recent", "popularity"):
        return ("popular-now" if part == "recent" else "popular"), None
    source = _behind_factors(parts, query, row) if part == "svd" else _behind_neighbours(parts, query, row, part)
    if source is None:
        return "popular-now", None
    if source == row:
        return "seen-before", None
    place = int(np.flatnonzero(query.history.items == source)[0])
    return ("also-bought" if query.events[place] in BOUGHT else "because-you-viewed"), source


def _behind_neighbours(parts: Parts, query: UserQuery, row: int, part: str) -> int | None:
    neighbours: Neighbours = parts.item_item if part == "item_item" else parts.transition
    items, weights = query.profiles[part]
    best, source = 0.0, None
    for item, weight in zip(items.tolist(), weights.tolist(), strict=True):
        columns, values = neighbours.row(item)
        place = int(np.searchsorted(columns, row))
        if place < len(columns) and columns[place] == row and weight * values[place] > best:
            best, source = float(weight * values[place]), int(item)
    return source


def _behind_factors(parts: Parts, query: UserQuery, row: int) -> int | None:
    """The folded-in vector is linear in the history's rows, so each product's share of a score is exact."""
    items = query.history.items[: parts.fold_in.last]
    strengths = parts.fold_in.told(query.history.strengths)
    told = items[strengths != 0]
    if not len(told):
        return None
    if "shares" not in query.solved:  # symmetric: rows @ system⁻¹ serves every product of the shelf
        system, rows = parts.fold_in.solver(query.history.items, query.history.strengths)
        query.solved["shares"] = np.asarray(np.linalg.solve(system, rows.T).T, dtype=np.float64)
    shares = query.solved["shares"] @ np.asarray(parts.factors.vectors[row], dtype=np.float64)
    shares[strengths[strengths != 0] < 0] = -np.inf
    best = int(np.argmax(shares))
    return int(told[best]) if shares[best] > 0 else None


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
