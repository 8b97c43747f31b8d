"""A shopper's vector in closed form from their events: the same sum serves the fit and the next click, without a refit.

The vector solves a weighted least squares on fixed product vectors, as in implicit ALS (Hu, Koren, Volinsky, ICDM
2008): every product should score 0 with weight 1, a liked or seen one 1 with weight ``1 + c``, a disliked one 0 with
``1 + c``; ``c`` grows with what was said:
``p = (QᵀQ + c Qᵤᵀ Qᵤ + λI)⁻¹ ((1 + c) Σ Qᵤ - Qᵀb - c Qᵤᵀ bᵤ)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommend.engine.histories import Histories
from recommend.engine.svd import ItemFactors


@dataclass(frozen=True)
class FoldIn:
    """Closed-form user vectors over fixed product factors (N×k)."""

    factors: ItemFactors
    gram: NDArray[np.float64]  #: QᵀQ, k×k
    pull: NDArray[np.float64]  #: Qᵀb, k
    confidence: float  #: c, how much more a seen product weighs than an unseen one
    regularisation: float  #: λ
    last: int  #: how many of the newest products are read
    seen: float = 0.0  #: strength of a product that was only seen; with 0 it is passed over

    def solver(
        self, items: NDArray[np.int64], strengths: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The k×k system and the n×k rows of a history: ``system @ p = Σ rows - Qᵀb``."""
        items, strengths = items[: self.last], self.told(strengths)
        told = strengths != 0
        items, strengths = items[told], strengths[told]
        vectors = np.asarray(self.factors.vectors[items], dtype=np.float64)
        biases = np.asarray(self.factors.biases[items], dtype=np.float64)
        extra = self.confidence * np.abs(strengths.astype(np.float64))
        target = np.where(strengths > 0, 1.0 + extra, 0.0) - extra * biases
        ridge = self.regularisation * np.eye(len(self.gram))
        return self.gram + ridge + vectors.T @ (extra[:, None] * vectors), target[:, None] * vectors

    def vector(self, items: NDArray[np.int64], strengths: NDArray[np.float32]) -> NDArray[np.float32]:
        """The k-vector of one history, newest product first; zeros where it says nothing."""
        if not np.any(self.told(strengths)):
            return np.zeros(self.factors.vectors.shape[1], dtype=np.float32)
        system, rows = self.solver(items, strengths)
        return np.linalg.solve(system, rows.sum(axis=0) - self.pull).astype(np.float32)

    def told(self, strengths: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the newest products say of the shopper: their strengths, ``seen`` for those that were only seen."""
        newest = strengths[: self.last]
        return np.where(newest == 0, np.float32(self.seen), newest)

    def vectors(self, histories: Histories) -> NDArray[np.float32]:
        """The U×k vectors of many histories."""
        result = np.zeros((histories.n_users, self.factors.vectors.shape[1]), dtype=np.float32)
        for user in range(histories.n_users):
            place = slice(int(histories.indptr[user]), int(histories.indptr[user + 1]))
            result[user] = self.vector(histories.items[place], histories.strengths[place])
        return result
