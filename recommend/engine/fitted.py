"""A fitted recommender: answers "what for this shopper?" and "what is like this product?", with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommend.engine import artifact, reasons
from recommend.engine.blending import Blend
from recommend.engine.errors import EngineError
from recommend.engine.parts import Parts
from recommend.engine.query import HistoryEvent, UserQuery, build_query
from recommend.engine.settings import SHARED_PARTS, RecommenderSettings

Floats = NDArray[np.float32]


class Found(Protocol):
    """What a search returns: product rows, best first, and their scores."""

    @property
    def rows(self) -> NDArray[np.int64]: ...

    @property
    def scores(self) -> NDArray[np.float64]: ...


class ItemIndex(Protocol):
    """Exact top-k by inner product over ``item_matrix``, with boosts added to some rows (``index.ExactIndex``)."""

    def search(
        self,
        query: NDArray[np.floating],
        k: int,
        *,
        allow: NDArray[np.bool_] | None = None,
        exclude: Sequence[int] | NDArray[np.integer] = (),
        boosts: Mapping[int, float] | None = None,
    ) -> Found: ...


@dataclass(frozen=True)
class Scored:
    """A product for a shopper. parts: what each part adds to the score (empty unless explained)."""

    item_id: str
    score: float
    parts: Mapping[str, float]
    reason_code: str
    reason_item: str | None = None


@dataclass(frozen=True)
class ScanResult:
    rows: NDArray[np.int64]
    scores: NDArray[np.float64]


class ScanIndex:
    """The plain search: one pass over all rows. Good to some ten thousand products, and the reference for any other."""

    def __init__(self, matrix: Floats) -> None:
        self._matrix = matrix

    def search(
        self,
        query: NDArray[np.floating],
        k: int,
        *,
        allow: NDArray[np.bool_] | None = None,
        exclude: Sequence[int] | NDArray[np.integer] = (),
        boosts: Mapping[int, float] | None = None,
    ) -> ScanResult:
        scores = (self._matrix @ np.asarray(query, dtype=np.float32)).astype(np.float64)
        if boosts:
            rows = np.fromiter(boosts.keys(), dtype=np.int64, count=len(boosts))
            scores[rows] += np.fromiter(boosts.values(), dtype=np.float64, count=len(boosts))
        open_rows = np.ones(len(scores), dtype=bool) if allow is None else allow.copy()
        open_rows[np.asarray(exclude, dtype=np.int64)] = False
        rows = np.flatnonzero(open_rows)
        if 0 < k < len(rows):
            rows = rows[np.argpartition(-scores[rows], k - 1)[:k]]
        rows = rows[np.lexsort((rows, -scores[rows]))][: max(k, 0)]
        return ScanResult(rows, scores[rows])


@dataclass(frozen=True)
class FittedRecommender:
    """Everything a web process needs; arrays may be memory-mapped. ``item_matrix``: N×(k+1+1+d) float32,
    ``[q_i, b_i, pop_i, s_i]``. ``metrics``: the scores of the fit on events it was not fitted on."""

    item_ids: NDArray[np.str_]
    parts: Parts
    blend: Blend
    item_matrix: Floats
    fitted_at: float
    metrics: Mapping[str, object] = field(default_factory=dict)
    index: ItemIndex | None = None

    @property
    def settings(self) -> RecommenderSettings:
        return self.parts.settings

    @cached_property
    def positions(self) -> dict[str, int]:
        return {item: place for place, item in enumerate(self.item_ids.tolist())}

    @property
    def bias_column(self) -> int:
        """The column of ``item_matrix`` that is the same for every shopper: blended popularity."""
        return self.parts.factors.vectors.shape[1] + 1

    def with_index(self, index: ItemIndex) -> FittedRecommender:
        """The same recommender served by another exact search over ``item_matrix``."""
        return replace(self, index=index)

    @cached_property
    def _search(self) -> ItemIndex:
        return self.index if self.index is not None else ScanIndex(np.asarray(self.item_matrix))

    def query(self, history: Sequence[HistoryEvent], now: float) -> UserQuery:
        """Fold a shopper in from their events, in any order. No usable event: the query of a stranger."""
        return build_query(self.parts, self.blend, self.positions, history, now=now)

    def rank(
        self,
        query: UserQuery,
        k: int,
        *,
        allow: NDArray[np.bool_] | None = None,
        boosts: Mapping[int, float] | None = None,
    ) -> Found:
        """Product rows for a shopper, best first, with a merchant's ``boosts`` added to the scores of some rows."""
        total = query.boosts()
        for row, amount in (boosts or {}).items():
            total[row] = total.get(row, 0.0) + amount
        return self._search.search(query.vector, k, allow=allow, boosts=total)

    def reason(self, query: UserQuery, row: int) -> tuple[str, str | None]:
        """Why a product stands where it stands: a reason code and the shopper's own product behind it, if any."""
        return self.reasons(query, [row])[0]

    def reasons(self, query: UserQuery, rows: Sequence[int]) -> list[tuple[str, str | None]]:
        """The same of several products at once."""
        found = reasons.reasons_for(self.parts, query, rows, self._explained(query, rows))
        return [(code, None if source is None else str(self.item_ids[source])) for code, source in found]

    def recommend(
        self,
        query: UserQuery,
        *,
        n: int,
        exclude: set[str] | frozenset[str] = frozenset(),
        allow: NDArray[np.bool_] | None = None,
        explain: bool = False,
    ) -> list[Scored]:
        """The ``n`` best products for a shopper, best first; fewer where fewer are allowed.

        ``allow``: N booleans in the order of ``item_ids``. Exact: sparse evidence is added, as boosts, to the rows it
        names, every other row's whole score is the inner product, and the search ranks both kinds together.
        """
        if allow is not None and allow.shape != (len(self.item_ids),):
            raise EngineError("bad-query", f"The mask needs one entry per product, {len(self.item_ids)}.")
        rows = np.array([self.positions[item] for item in exclude if item in self.positions], dtype=np.int64)
        found = self._search.search(query.vector, n, allow=allow, exclude=rows, boosts=query.boosts())
        best = found.rows.tolist()
        explained = self._explained(query, best)
        why = reasons.reasons_for(self.parts, query, best, explained)
        return [
            Scored(
                item_id=str(self.item_ids[row]),
                score=float(score),
                parts=by_part if explain else {},
                reason_code=code,
                reason_item=None if source is None else str(self.item_ids[source]),
            )
            for row, score, by_part, (code, source) in zip(best, found.scores.tolist(), explained, why, strict=True)
        ]

    def explain(self, query: UserQuery, row: int) -> dict[str, float]:
        """What each part adds to a product's score; the sum is the score."""
        return self._explained(query, [row])[0]

    def _explained(self, query: UserQuery, rows: Sequence[int]) -> list[dict[str, float]]:
        split, vector, items = self.bias_column, query.vector, self.item_matrix[list(rows)]
        by_part = {
            "svd": (items[:, :split] @ vector[:split]).tolist(),
            "style": (items[:, split + 1 :] @ vector[split + 1 :]).tolist(),
            **{name: [part.of(row) for row in rows] for name, part in query.evidence.items()},
            **{
                name: (self.blend.weights.get(name, 0.0) * getattr(self.parts, name)[list(rows)]).tolist()
                for name in SHARED_PARTS
            },
        }
        return [dict(zip(by_part, values, strict=True)) for values in zip(*by_part.values(), strict=True)]

    def similar(
        self,
        item_id: str,
        n: int,
        *,
        exclude: set[str] | frozenset[str] = frozenset(),
        allow: NDArray[np.bool_] | None = None,
    ) -> list[Scored]:
        """Products like one product: bought together, close in taste, close in look. Raises ``unknown-item``."""
        if item_id not in self.positions:
            raise EngineError("unknown-item", f"The recommender does not know product {item_id}.")
        row = self.positions[item_id]
        by_part = reasons.similarity_parts(self.parts, row)
        total = np.sum(list(by_part.values()), axis=0)
        closed = np.zeros(len(total), dtype=bool) if allow is None else ~allow
        closed[[row, *(self.positions[item] for item in exclude if item in self.positions)]] = True
        rows = np.flatnonzero(~closed)
        best = rows[np.lexsort((rows, -total[rows]))][:n]
        return [
            Scored(
                item_id=str(self.item_ids[place]),
                score=float(total[place]),
                parts={name: float(scores[place]) for name, scores in by_part.items()},
                reason_code=reasons.similarity_reason({name: scores[place] for name, scores in by_part.items()}),
                reason_item=item_id,
            )
            for place in best.tolist()
        ]

    def save(self, directory: Path) -> None:
        """Write the artifact; the directory appears whole or not at all."""
        artifact.write(
            directory,
            arrays={
                "item_ids": self.item_ids,
                "item_matrix": self.item_matrix,
                "recent": self.parts.recent,
                "popularity": self.parts.popularity,
                "people": self.parts.people,
                **asdict(self.parts.moments),
                **{
                    f"{name}_{array}": getattr(getattr(self.parts, name), array)
                    for name in ("item_item", "transition")
                    for array in ("indptr", "indices", "values")
                },
            },
            config={
                "settings": self.settings.as_dict(),
                "weights": dict(self.blend.weights),
                "half": self.blend.half,
                "factors": self.bias_column - 1,
                "fitted_at": self.fitted_at,
            },
            metrics=self.metrics,
        )

    @classmethod
    def load(cls, directory: Path, *, mapped: bool = True, verify: bool = True) -> FittedRecommender:
        """Open an artifact. Raises ``artifact-missing`` and ``artifact-corrupt``; see ``artifact.read``."""
        arrays, config, metrics = artifact.read(directory, mapped=mapped, verify=verify)
        try:
            parts = artifact.parts_of(arrays, config)
            return cls(
                item_ids=np.asarray(arrays["item_ids"]),
                parts=parts,
                blend=Blend(config["weights"], float(config["half"])),
                item_matrix=arrays["item_matrix"],
                fitted_at=float(config["fitted_at"]),
                metrics=metrics,
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise EngineError("artifact-corrupt", f"{directory} does not describe a recommender: {error}") from error
