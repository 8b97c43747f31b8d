"""Ranking measures over all products, per user, and paired-bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RankingScores:
    """Per-user measures of top-k lists (U floats each) and the list-wide ones.

    coverage: share of the catalogue that appears in any list. novelty: mean of ``-log2(share of people who liked it)``
    over the recommended products, in bits.
    """

    ndcg: NDArray[np.float64]
    recall: NDArray[np.float64]
    hit: NDArray[np.float64]
    coverage: float
    novelty: float

    def as_dict(self, k: int = 10) -> dict[str, float]:
        return {
            f"ndcg@{k}": round(float(self.ndcg.mean()), 5),
            f"recall@{k}": round(float(self.recall.mean()), 5),
            f"hit_rate@{k}": round(float(self.hit.mean()), 5),
            "coverage": round(self.coverage, 5),
            "novelty": round(self.novelty, 4),
        }


def score_lists(
    lists: NDArray[np.int64],
    wanted: list[NDArray[np.int64]],
    *,
    people: NDArray[np.float64],
    n_users: int,
) -> RankingScores:
    """Score U top-k lists (U×k product codes, best first, -1 where there was none) against each user's wanted products.

    NDCG has binary gains and the ideal list of the user; recall divides by ``min(k, wanted)``. ``people``: N, how many
    people liked each product in the training data of ``n_users`` people.
    """
    n_lists, k = lists.shape
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    ndcg, recall, hit = np.zeros(n_lists), np.zeros(n_lists), np.zeros(n_lists)
    for row in range(n_lists):
        hits = np.isin(lists[row], wanted[row])
        best = min(k, len(wanted[row]))
        if best:
            ndcg[row] = float(discount[hits].sum()) / ideal[best]
            recall[row] = float(hits.sum()) / best
            hit[row] = float(hits.any())
    shown = lists[lists >= 0]
    share = (people[shown] + 1.0) / (n_users + 2.0)
    return RankingScores(
        ndcg=ndcg,
        recall=recall,
        hit=hit,
        coverage=len(np.unique(shown)) / max(len(people), 1),
        novelty=float(-np.log2(share).mean()) if len(shown) else 0.0,
    )


def bootstrap_mean(
    values: NDArray[np.float64], *, draws: int = 1000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over users."""
    if not len(values):
        return (0.0, 0.0)
    rng = np.random.default_rng(seed)
    means = np.array([values[rng.integers(0, len(values), len(values))].mean() for _ in range(draws)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high))


def paired_bootstrap(
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    *,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of ``mean(ours) - mean(theirs)`` where both were measured on the same users, drawn together."""
    return bootstrap_mean(ours - theirs, draws=draws, seed=seed, level=level)
