"""The parts of a score, fitted on one log: SVD, style, item-to-item, transitions, recent and lasting popularity.

Each part is scaled to unit deviation over the catalogue for every shopper, so that weights mean the same for all. For
the two dense parts the deviation has a closed form in the covariance of the product vectors, for the sparse ones it is
summed over their few entries: no part needs a pass over the catalogue when a page is served.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommend.engine.cold_start import place_cold_items
from recommend.engine.ease import DENSE_LIMIT, cosine_weights, ease_weights, user_item_matrix
from recommend.engine.errors import EngineError
from recommend.engine.fold_in import FoldIn
from recommend.engine.histories import Histories, Profile
from recommend.engine.interactions import EventLog
from recommend.engine.neighbours import Neighbours, empty_neighbours, strongest_of_dense, strongest_of_sparse
from recommend.engine.popularity import popularity, standardised, trending
from recommend.engine.settings import RecommenderSettings
from recommend.engine.style import centred
from recommend.engine.svd import ItemFactors, fit_svd
from recommend.engine.transitions import transition_weights

Floats = NDArray[np.float32]
Step = Callable[[str], None]
FitFactors = Callable[[EventLog], ItemFactors]


@dataclass(frozen=True)
class Moments:
    """Sums over the catalogue that every query needs: computed once by the fit, a few kilobytes.

    gram: QᵀQ, k×k. pull: Qᵀb, k. svd_covariance: of ``[q, b]``, (k+1)×(k+1). style_covariance: d×d. All float64.
    """

    gram: NDArray[np.float64]
    pull: NDArray[np.float64]
    svd_covariance: NDArray[np.float64]
    style_covariance: NDArray[np.float64]

    @classmethod
    def of(cls, factors: ItemFactors, style: Floats) -> Moments:
        products, mean = _products(np.column_stack([factors.vectors, factors.biases]))
        looks, mean_look = _products(style)
        n_items = max(len(factors.biases), 1)
        return cls(
            gram=products[:-1, :-1],
            pull=products[:-1, -1],
            svd_covariance=products / n_items - np.outer(mean, mean),
            style_covariance=looks / n_items - np.outer(mean_look, mean_look),
        )


@dataclass(frozen=True)
class Parts:
    """Fitted parts over N products. ``style``: N×d centred unit rows (d may be 0). ``people``: how many liked each."""

    settings: RecommenderSettings
    factors: ItemFactors
    style: Floats
    item_item: Neighbours
    transition: Neighbours
    recent: Floats
    popularity: Floats
    people: Floats
    moments: Moments

    @property
    def n_items(self) -> int:
        return len(self.people)

    @cached_property
    def fold_in(self) -> FoldIn:
        return FoldIn(
            factors=self.factors,
            gram=self.moments.gram,
            pull=self.moments.pull,
            confidence=self.settings.fold_in_confidence,
            regularisation=self.settings.fold_in_regularisation,
            last=self.settings.history,
            seen=self.settings.seen_strength,
        )

    def confidence(self, n_events: NDArray[np.int64] | int, half: float) -> NDArray[np.float64]:
        """How far a history of so many liked products is trusted: 0 for none, one half at ``half`` events."""
        count = np.asarray(n_events, dtype=np.float64)
        return np.where(count > 0, count / np.maximum(count + half, 1e-12), 0.0)

    def dense_queries(self, histories: Histories) -> tuple[Floats, Floats]:
        """U×(k+1) and U×d query vectors whose products with ``[q, b]`` and ``s`` have unit deviation."""
        folded = self.fold_in.vectors(histories)
        told = liked_counts(histories) > 0
        svd = np.column_stack([folded, told.astype(np.float32)])
        svd[~told] = 0.0
        style = self._looks(histories)
        return _unit_deviation(svd, self.moments.svd_covariance), _unit_deviation(style, self.moments.style_covariance)

    def _looks(self, histories: Histories) -> Floats:
        """U×d: the weighted sum of the looks that each history likes."""
        if histories.n_users != 1:
            return np.asarray(self._profiles(histories, self.settings.style_tau) @ self.style)
        items, weights = self._profile(histories, self.settings.style_tau)
        return np.asarray(weights @ self.style[items])[None, :]

    def _profiles(self, histories: Histories, tau: float) -> sparse.csr_matrix:
        return histories.profile(
            self.n_items,
            tau=tau,
            uniform=self.settings.profile_uniform,
            last=self.settings.profile,
            seen=self.settings.seen_strength,
        )

    def _profile(self, history: Histories, tau: float) -> Profile:
        return history.profile_of_one(
            tau=tau,
            uniform=self.settings.profile_uniform,
            last=self.settings.profile,
            seen=self.settings.seen_strength,
        )

    def item_profile(self, history: Histories) -> Profile:
        """What one shopper's products weigh as evidence of what goes with them."""
        return self._profile(history, self.settings.profile_tau)

    def transition_profile(self, history: Histories) -> Profile:
        """What one shopper's products weigh as evidence of what comes after them."""
        return self._profile(history, self.settings.transition_tau)

    def scores(self, histories: Histories) -> dict[str, Floats]:
        """U×N scores of each part, unit deviation over the catalogue (zeros where a part knows nothing)."""
        svd, style = self.dense_queries(histories)
        shape = (histories.n_users, self.n_items)
        return {
            "svd": svd[:, :-1] @ self.factors.vectors.T + svd[:, -1:] * self.factors.biases,
            "style": style @ self.style.T,
            "item_item": _unit_rows(
                self._profiles(histories, self.settings.profile_tau) @ self.item_item.matrix(),
            ),
            "transition": _unit_rows(
                self._profiles(histories, self.settings.transition_tau) @ self.transition.matrix(),
            ),
            "recent": np.broadcast_to(self.recent, shape),
            "popularity": np.broadcast_to(self.popularity, shape),
        }


def fit_parts(
    log: EventLog,
    *,
    style: Floats | None,
    content: Floats | None,
    settings: RecommenderSettings,
    now: float,
    fit_factors: FitFactors | None = None,
    on_step: Step = lambda message: None,
) -> Parts:
    """Fit every part on a clean log. ``style`` N×d, ``content`` N×m or nothing; see ``recommender.fit``.

    ``fit_factors`` takes Surprise's place where the log is for another engine (``spark_als.fit_spark_als``).
    """
    people = popularity(log)
    on_step("svd")
    factors = fit_svd(log, settings.svd) if fit_factors is None else fit_factors(log)
    described = [block for block in (style, content) if block is not None and block.shape[1]]
    factors = place_cold_items(
        factors,
        np.hstack(described) if described else None,
        np.any(factors.vectors != 0, axis=1).astype(bool),
        regularisation=settings.cold_start_regularisation,
    )
    on_step("item-to-item")
    matrix = user_item_matrix(log, seen=settings.seen_share)
    if not matrix.nnz:
        item_item = empty_neighbours(log.n_items)
    elif log.n_items <= min(settings.ease_item_limit, DENSE_LIMIT):
        item_item = strongest_of_dense(ease_weights(matrix, settings.ease_regularisation), settings.neighbours)
    else:
        item_item = strongest_of_sparse(cosine_weights(matrix, settings.knn_shrinkage), settings.neighbours)
    on_step("transitions")
    transition = strongest_of_sparse(
        transition_weights(
            log,
            reach=settings.transition_reach,
            shrinkage=settings.transition_shrinkage,
            seen=settings.seen_share,
        ),
        settings.neighbours,
    )
    looks = looks_of(style, log.n_items)
    return Parts(
        settings=settings,
        factors=factors,
        style=looks,
        item_item=item_item,
        transition=transition,
        recent=standardised(trending(log, now=now, days=settings.recent_days)),
        popularity=standardised(np.log1p(people)),
        people=people.astype(np.float32),
        moments=Moments.of(factors, looks),
    )


def liked_counts(histories: Histories) -> NDArray[np.int64]:
    """How many products each user's history likes."""
    return np.bincount(histories.rows()[histories.strengths > 0], minlength=histories.n_users)


def looks_of(style: Floats | None, n_items: int) -> Floats:
    """N×d centred looks (``style.centred``), N×0 where none are given. Raises ``bad-vectors``."""
    if style is None:
        return np.zeros((n_items, 0), dtype=np.float32)
    if style.ndim != 2 or len(style) != n_items or not np.isfinite(style).all():
        raise EngineError("bad-vectors", f"Style vectors must be {n_items} rows of finite numbers, not {style.shape}.")
    return centred(style)


def _products(rows: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """RᵀR and the mean row in double precision, a slice at a time: a million rows would double in memory."""
    width = rows.shape[1]
    products, total = np.zeros((width, width)), np.zeros(width)
    for start in range(0, len(rows), 65_536):
        block = rows[start : start + 65_536].astype(np.float64)
        products += block.T @ block
        total += block.sum(axis=0)
    return products, total / max(len(rows), 1)


def _unit_deviation(queries: Floats, covariance: NDArray[np.float64]) -> Floats:
    variance = np.einsum("ui,ui->u", queries @ covariance, queries)
    spread = np.sqrt(np.maximum(variance, 0.0))[:, None]
    return np.where(spread > 1e-9, queries / np.maximum(spread, 1e-9), 0.0).astype(np.float32)


def _unit_rows(rows: sparse.csr_matrix) -> Floats:
    dense = rows.toarray()
    return (dense / np.maximum(sparse_deviation(dense), 1e-9)).astype(np.float32)


def sparse_deviation(rows: NDArray[np.floating], n_items: int | None = None) -> NDArray[np.float64]:
    """Deviation over the catalogue of rows whose other entries are zero, U×1; ``n_items`` where zeros are left out."""
    n = rows.shape[-1] if n_items is None else n_items
    values = rows.astype(np.float64)
    mean = values.sum(axis=-1, keepdims=True) / max(n, 1)
    square = (values**2).sum(axis=-1, keepdims=True) / max(n, 1)
    return np.sqrt(np.maximum(square - mean**2, 0.0))
