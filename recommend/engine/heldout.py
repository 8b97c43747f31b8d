"""Held-out people: what they knew, what they then picked, and how well a way of scoring foresees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommend.engine.histories import Histories, histories_of
from recommend.engine.interactions import EventLog
from recommend.engine.metrics import RankingScores, score_lists
from recommend.engine.popularity import popularity

K = 10
BLOCK = 256

#: Scores of all N products for a block of users: (their codes, their histories) → U×N.
Scorer = Callable[[NDArray[np.int64], Histories], NDArray[np.floating]]


@dataclass(frozen=True)
class HeldOut:
    """U users with at least one earlier event and one liked product later that was new to them.

    users: their codes. histories: before the cut. wanted: the new liked products of each. people: N, how many people
    liked each product before the cut.
    """

    users: NDArray[np.int64]
    histories: Histories
    wanted: list[NDArray[np.int64]]
    people: NDArray[np.float64]
    n_known_users: int

    def __len__(self) -> int:
        return len(self.users)

    def evaluate(self, scorer: Scorer) -> RankingScores:
        """Rank the whole catalogue for every user, known products masked."""
        return self.score(self.top_lists(scorer))

    def top_lists(self, scorer: Scorer) -> NDArray[np.int64]:
        """U×10 product codes, best first; -1 where a user knows all but fewer than ten products."""
        n_items = len(self.people)
        depth = min(K, n_items)
        lists = np.full((len(self), K), -1, dtype=np.int64)
        for start in range(0, len(self), BLOCK):
            block = np.arange(start, min(start + BLOCK, len(self)))
            histories = self.histories.of(block)
            scores = np.array(scorer(self.users[block], histories), dtype=np.float64)
            scores[histories.rows(), histories.items] = -np.inf
            best = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
            value = np.take_along_axis(scores, best, axis=1)
            order = np.lexsort((best, -value), axis=1)
            best, value = np.take_along_axis(best, order, axis=1), np.take_along_axis(value, order, axis=1)
            lists[block, :depth] = np.where(np.isfinite(value), best, -1)
        return lists

    def score(self, lists: NDArray[np.int64]) -> RankingScores:
        return score_lists(lists, self.wanted, people=self.people, n_users=self.n_known_users)


def held_out(known: EventLog, later: EventLog) -> HeldOut:
    """What people of ``known`` liked in ``later`` that was new to them; products they had touched are not asked for."""
    n_items = max(known.n_items, 1)
    seen = np.unique(known.users.astype(np.int64) * n_items + known.items)
    users, items = later.positive_pairs()
    new = ~np.isin(users * n_items + items, seen) & np.isin(users, np.unique(known.users))
    users, items = users[new], items[new]
    who, starts = np.unique(users, return_index=True)
    return HeldOut(
        users=who,
        histories=histories_of(known).of(who),
        wanted=np.split(items, starts[1:]) if len(who) else [],
        people=popularity(known),
        n_known_users=len(np.unique(known.users)),
    )
