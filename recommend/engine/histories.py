"""A shopper's history as models read it: distinct products, newest first, with strength and recency rank.

One function builds the histories of all users of a log and of a single live query, so that what is measured offline
is what is served.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommend.engine.interactions import EventLog

#: Products of one history, ascending, and their weights.
Profile = tuple[NDArray[np.int64], NDArray[np.float32]]


@dataclass(frozen=True)
class Histories:
    """Histories of U users in compressed rows: row u is ``[indptr[u], indptr[u+1])``, newest product first.

    items: product codes. strengths: > 0 liked, 0 seen, < 0 disliked. timestamps: of the last event on the product.
    ranks: how many of the user's products are strictly newer, so that a basket bought at one moment shares one rank.
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int64]
    strengths: NDArray[np.float32]
    timestamps: NDArray[np.float64]
    ranks: NDArray[np.int64]

    @property
    def n_users(self) -> int:
        return len(self.indptr) - 1

    def rows(self) -> NDArray[np.int64]:
        """The user of each entry."""
        return np.repeat(np.arange(self.n_users), np.diff(self.indptr))

    def of(self, users: NDArray[np.int64]) -> Histories:
        """The histories of some users, in the order asked."""
        counts = np.diff(self.indptr)[users]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        take = np.repeat(self.indptr[users] - indptr[:-1], counts) + np.arange(indptr[-1])
        return Histories(indptr, self.items[take], self.strengths[take], self.timestamps[take], self.ranks[take])

    def profile(self, n_items: int, *, tau: float, uniform: float, last: int, seen: float) -> sparse.csr_matrix:
        """Recency-weighted profiles, U×N, of the last liked products, and of the seen ones at strength ``seen``."""
        rows, items, weights = self._weighed(self.rows(), tau, uniform, last, seen)
        return sparse.csr_matrix((weights, (rows, items)), shape=(self.n_users, n_items))

    def profile_of_one(self, *, tau: float, uniform: float, last: int, seen: float) -> Profile:
        """The same of a single history: its products and their weights, in the order of the products."""
        _rows, items, weights = self._weighed(np.zeros(len(self.items), dtype=np.int64), tau, uniform, last, seen)
        order = np.argsort(items)
        return items[order], weights[order]

    def _weighed(
        self, rows: NDArray[np.int64], tau: float, uniform: float, last: int, seen: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Users, products and weights, ``strength * (exp(-rank / tau) + uniform)``, of the last products.

        A product that was only seen has the strength ``seen``; disliked ones have no say.
        """
        strengths = np.where(self.strengths == 0, np.float32(seen), self.strengths)
        keep = (strengths > 0) & (np.arange(len(rows)) - self.indptr[rows] < last)
        weights = strengths[keep] * (np.exp(-self.ranks[keep] / tau) + uniform)
        return rows[keep], self.items[keep], weights.astype(np.float32)


def build_histories(
    users: NDArray[np.integer],
    items: NDArray[np.integer],
    strengths: NDArray[np.float32],
    timestamps: NDArray[np.float64],
    n_users: int,
) -> Histories:
    """Group events into histories. A product's strength is its strongest event, unless its last event was a dislike."""
    if not len(users):
        empty = np.zeros(0, dtype=np.int64)
        return Histories(
            np.zeros(n_users + 1, dtype=np.int64), empty, np.zeros(0, np.float32), np.zeros(0), empty.copy()
        )
    order = np.lexsort((strengths, timestamps, items, users))
    users, items, strengths, timestamps = users[order], items[order], strengths[order], timestamps[order]
    starts = np.flatnonzero(np.r_[True, (users[1:] != users[:-1]) | (items[1:] != items[:-1])])
    ends = np.r_[starts[1:], len(users)] - 1
    strongest = np.maximum.reduceat(strengths, starts)
    # Within one moment the strongest sorts last, so a like beats a dislike given at the same second.
    strength = np.where(strengths[ends] < 0, strengths[ends], strongest)
    who, products, moments = users[ends].astype(np.int64), items[ends].astype(np.int64), timestamps[ends]

    order = np.lexsort((products, -moments, who))
    who, products, strength, moments = who[order], products[order], strength[order], moments[order]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(who, minlength=n_users))]).astype(np.int64)
    fresh = np.r_[True, (who[1:] != who[:-1]) | (moments[1:] != moments[:-1])]
    first_of_moment = np.maximum.accumulate(np.where(fresh, np.arange(len(who)), 0))
    return Histories(indptr, products, strength.astype(np.float32), moments, first_of_moment - indptr[who])


def histories_of(log: EventLog) -> Histories:
    """The histories of every user of a log."""
    return build_histories(log.users, log.items, log.strengths, log.timestamps, log.n_users)
