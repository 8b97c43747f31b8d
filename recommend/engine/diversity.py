"""A shelf that is not ten times the same product: maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from recommend.engine.errors import EngineError

Values = NDArray[np.float64]


def mmr(
    scores: Values,
    vectors: NDArray[np.floating],
    k: int,
    *,
    relevance: float = 0.8,
    shown: NDArray[np.floating] | None = None,
) -> NDArray[np.int64]:
    """Places of the ``k`` candidates to show, in order, out of n with ``scores`` (n) and ``vectors`` (n×d).

    Each step takes the candidate with the highest ``relevance · score - (1 - relevance) · likeness``: the score brought
    to [0, 1] over the candidates, the likeness its largest cosine with anything picked so far or ``shown`` above
    (m×d). ``relevance`` 1 keeps the order of the scores. Equal candidates keep their order. A zero vector is like
    nothing. Raises `EngineError` (``bad-settings``, ``bad-vectors``).
    """
    return np.fromiter(islice(mmr_order(scores, vectors, relevance=relevance, shown=shown), max(k, 0)), dtype=np.int64)


def mmr_order(
    scores: Values,
    vectors: NDArray[np.floating],
    *,
    relevance: float = 0.8,
    shown: NDArray[np.floating] | None = None,
) -> Iterator[int]:
    """The places one by one: whoever has enough stops asking, and the rest is never worked out."""
    scores = np.asarray(scores, dtype=np.float64)
    if not 0 <= relevance <= 1:
        raise EngineError("bad-settings", "The weight of relevance lies between 0 and 1.")
    if vectors.ndim != 2 or len(vectors) != len(scores) or not np.isfinite(scores).all():
        raise EngineError("bad-vectors", "Every candidate needs one vector and one finite score.")
    if not len(scores):
        return
    unit = _unit(vectors)
    spread = float(scores.max() - scores.min())
    worth = (scores - scores.min()) / spread if spread else np.ones(len(scores))
    likeness = np.zeros(len(scores))
    if shown is not None and len(shown):
        likeness = np.maximum((unit @ _unit(shown).T).max(axis=1), 0.0)
    worth = relevance * worth
    for _ in range(len(scores)):
        best = int((worth - (1 - relevance) * likeness).argmax())
        yield best
        worth[best] = -np.inf
        likeness = np.maximum(likeness, unit @ unit[best])


def intra_list_similarity(vectors: NDArray[np.floating]) -> float:
    """Mean cosine over all pairs of a list (Ziegler et al., WWW 2005): 0 for a varied shelf, 1 for one look only."""
    count = len(vectors)
    if count < 2:
        return 0.0
    unit = _unit(vectors)
    return float((np.square(unit.sum(axis=0)).sum() - np.square(unit).sum()) / (count * (count - 1)))


def _unit(vectors: NDArray[np.floating]) -> Values:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float64)
