"""How much each part counts: weights found by coordinate ascent on NDCG@10 of held-out events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommend.engine.histories import Histories
from recommend.engine.parts import Parts, liked_counts
from recommend.engine.settings import PARTS, PERSONAL_PARTS

K = 10
BLOCK = 256  # users scored at once: 256 × 10k products × 6 parts is 60 MB
STEPS = (0.0, 0.3, 0.6, 0.8, 1.25, 1.6, 2.5)
FIRST_WEIGHTS = (0.05, 0.15, 0.4, 1.0)  # what a part at zero is tried with
HALF_TRUST = (0.0, 1.0, 3.0, 8.0)
LEAST_GAIN = 1e-4  # smaller gains are noise
HALVES = 6  # random halves of the people that are climbed first
LEAST_HALVED = 60  # people below which a half says too little


@dataclass(frozen=True)
class Candidates:
    """Scores of the products that could reach a top 10: U×C×P, their relevance U×C, and the best possible DCG, U.

    Only products among the best ``depth`` of some part are kept. The blend's top 10 lies almost always within them, and
    hundreds of candidates are far cheaper to rank again and again than the catalogue.
    """

    scores: NDArray[np.float32]
    valid: NDArray[np.bool_]
    relevant: NDArray[np.bool_]
    ideal: NDArray[np.float64]
    liked: NDArray[np.int64]

    def of(self, users: NDArray[np.int64]) -> Candidates:
        """The candidates of some users, in the order asked."""
        return Candidates(
            self.scores[users], self.valid[users], self.relevant[users], self.ideal[users], self.liked[users]
        )


@dataclass(frozen=True)
class Blend:
    """weights: one number ≥ 0 per part. half: a history of this many liked products is trusted half."""

    weights: Mapping[str, float]
    half: float


def collect_candidates(
    parts: Parts, histories: Histories, wanted: Sequence[NDArray[np.int64]], *, depth: int = 80
) -> Candidates:
    """The candidates of U held-out users: their histories and, in the same order, the products they then picked."""
    n_users, n_items = histories.n_users, parts.n_items
    width = min(n_items, depth * len(PARTS))
    scores = np.zeros((n_users, width, len(PARTS)), dtype=np.float32)
    valid = np.zeros((n_users, width), dtype=bool)
    relevant = np.zeros((n_users, width), dtype=bool)
    for start in range(0, n_users, BLOCK):
        users = np.arange(start, min(start + BLOCK, n_users))
        block = histories.of(users)
        by_part = parts.scores(block)
        seen = np.zeros((len(users), n_items), dtype=bool)
        seen[block.rows(), block.items] = True
        chosen = np.zeros((len(users), n_items), dtype=bool)
        for name in PARTS:
            masked = np.where(seen, -np.inf, by_part[name])
            best = _best(masked, min(depth, n_items))
            np.put_along_axis(chosen, best, True, axis=1)
        chosen &= ~seen
        for row, user in enumerate(users.tolist()):
            items = np.flatnonzero(chosen[row])
            valid[user, : len(items)] = True
            relevant[user, : len(items)] = np.isin(items, wanted[user])
            for column, name in enumerate(PARTS):
                scores[user, : len(items), column] = by_part[name][row, items]
    discount = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(2, K + 2)))])
    ideal = discount[[min(K, len(items)) for items in wanted]] if n_users else np.zeros(0)
    return Candidates(scores, valid, relevant, ideal, liked_counts(histories))


def blended_ndcg(candidates: Candidates, weights: NDArray[np.float64], half: float) -> float:
    """Mean NDCG@10 of a blend over the candidates."""
    trust = candidates.liked / np.maximum(candidates.liked + half, 1e-12)
    personal = len(PERSONAL_PARTS)
    total = trust[:, None] * (candidates.scores[..., :personal] @ weights[:personal].astype(np.float32))
    total += candidates.scores[..., personal:] @ weights[personal:].astype(np.float32)
    total = np.where(candidates.valid, total, -np.inf)
    best = _best(total, min(K, total.shape[1]))
    order = np.argsort(-np.take_along_axis(total, best, axis=1), axis=1, kind="stable")
    hits = np.take_along_axis(candidates.relevant, np.take_along_axis(best, order, axis=1), axis=1)
    gains = (hits / np.log2(np.arange(2, hits.shape[1] + 2))).sum(axis=1)
    return float((gains / np.maximum(candidates.ideal, 1e-12)).mean())


def learn_blend(
    candidates: Candidates,
    start: Mapping[str, float],
    *,
    half: float,
    without: Sequence[str] = (),
    seed: int = 0,
) -> tuple[Blend, float]:
    """The blend with the best validation NDCG@10 that is found, and that figure. Parts in ``without`` stay at zero.

    NDCG@10 is flat here and rugged there, and one ascent ends on the first hill. So random halves of the people are
    climbed from ``start``, each to its own hill, and everybody's ascent begins at the mean of those (bagging, Breiman
    1996). What that brings is small: ``docs/recommender.md``.
    """
    rng = np.random.default_rng(seed)
    n_users = len(candidates.liked)
    weights = np.array([0.0 if name in without else float(start.get(name, 0.0)) for name in PARTS])
    if n_users >= LEAST_HALVED:
        ends = [
            _ascended(candidates.of(rng.permutation(n_users)[: n_users // 2]), weights, half, without)
            for _ in range(HALVES)
        ]
        # Only the proportions of a blend mean anything: each end counts alike.
        weights = np.mean([end / max(end.sum(), 1e-12) for end, _, _ in ends], axis=0)
        half = float(np.median([end_half for _, end_half, _ in ends]))
    weights, half, best = _ascended(candidates, weights, half, without)
    return Blend({name: round(float(weight), 5) for name, weight in zip(PARTS, weights, strict=True)}, half), best


def _ascended(
    candidates: Candidates, weights: NDArray[np.float64], half: float, without: Sequence[str], sweeps: int = 4
) -> tuple[NDArray[np.float64], float, float]:
    """Coordinate ascent: the weights and the half-trust on the hill next to where it started, and its NDCG@10."""
    best = blended_ndcg(candidates, weights, half)
    for _ in range(sweeps):
        before = best
        for column, name in enumerate(PARTS):
            if name in without:
                continue
            tries = FIRST_WEIGHTS if weights[column] == 0 else [weights[column] * step for step in STEPS]
            for value in tries:
                trial = weights.copy()
                trial[column] = value
                score = blended_ndcg(candidates, trial, half)
                if score > best + LEAST_GAIN:
                    best, weights = score, trial
        for value in HALF_TRUST:
            score = blended_ndcg(candidates, weights, value)
            if score > best + LEAST_GAIN:
                best, half = score, value
        if best <= before + LEAST_GAIN:
            break
    return weights, half, best


def blended_scores(parts: Parts, histories: Histories, blend: Blend) -> NDArray[np.float32]:
    """U×N blended scores: the batch twin of a live query."""
    trust = parts.confidence(liked_counts(histories), blend.half).astype(np.float32)
    by_part = parts.scores(histories)
    total = np.zeros((histories.n_users, parts.n_items), dtype=np.float32)
    for name in PARTS:
        weight = np.float32(blend.weights.get(name, 0.0))
        if weight:
            total += weight * (trust[:, None] * by_part[name] if name in PERSONAL_PARTS else by_part[name])
    return total


def _best(scores: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    if k >= scores.shape[1]:
        return np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    return np.argpartition(-scores, k - 1, axis=1)[:, :k]
