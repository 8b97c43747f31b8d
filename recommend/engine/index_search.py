"""One search of the exact index: read blocks in the order of their bounds until no item left can win.

All numbers here are single precision with a known rounding error; `Search.result` settles the last places in double
precision. See `recommend.engine.index` for the bounds and their sources.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Items that share one block bound.
BLOCK = 256
#: Blocks read in the first round; every round reads ``GROWTH`` times as many as the one before.
FIRST_ROUND = 8
GROWTH = 4
#: Rows gathered at a time: 2 MB at 64 columns.
GATHER = 8192
#: Reading a stretch as it lies costs about as much as gathering one row in this many out of it.
DENSE = 6
#: Where the bounds let pass more than one item in this many of a large round, they cost more than they save.
FUTILE = 4

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Places = NDArray[np.int32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class TopItems:
    """The best items, best first. ``scored`` counts the items whose whole vector was read."""

    rows: Rows
    scores: Doubles
    scored: int


class Search:
    """The state of one search: the candidates so far and the score that a newcomer has to reach."""

    def __init__(self, *, vectors: Floats, order: Places, place: Places, query: Doubles, k: int, error: float) -> None:
        self._vectors, self._order, self._place = vectors, order, place
        self._query, self._query32 = query, query.astype(np.float32)
        self._k = k
        self._slack = 2 * error  # a candidate and the k-th may each be off by ``error``
        self._scored = 0
        self._threshold = -np.inf
        self._places = np.empty(0, np.int64)
        self._scores = np.empty(0)
        self._added = np.empty(0)

    def offer(self, rows: Rows, *, added: Doubles | None = None) -> None:
        """Score ``rows`` (with ``added`` on top), whatever their bounds."""
        added = np.zeros(len(rows)) if added is None else added
        for start in range(0, len(rows), GATHER):
            part = slice(start, start + GATHER)
            self._score(self._place[rows[part]].astype(np.int64), added[part])

    def scan(
        self, *, heads: Floats, bounds: tuple[Floats, Doubles], skip: Rows, allow: NDArray[np.bool_] | None
    ) -> None:
        """Search all blocks except the rows in ``skip`` (sorted) and those that ``allow`` forbids."""
        head_query, block_bounds = bounds
        by_bound = np.argsort(-block_bounds)
        falling = -block_bounds[by_bound]
        start, size = 0, FIRST_ROUND
        while start < len(by_bound):
            # Blocks that can still win are a prefix, because they are sorted by their bound.
            hopeful = int(np.searchsorted(falling, -(self._threshold - self._slack), side="right"))
            if hopeful <= start:
                break
            chosen = np.sort(by_bound[start : min(start + size, hopeful)])
            read = self._scan_blocks(chosen, heads, head_query, skip, allow)
            # The first round has no threshold to hold its bounds against yet, so it says nothing of them.
            futile = start > 0 and read * FUTILE > len(chosen) * BLOCK
            start, size = start + len(chosen), size * GROWTH
            if futile and start < len(by_bound):
                self._scan_plainly(skip, allow)
                break

    def _scan_blocks(
        self, chosen: Rows, heads: Floats, head_query: Floats, skip: Rows, allow: NDArray[np.bool_] | None
    ) -> int:
        """Look at the blocks ``chosen`` (sorted), neighbours together; how many items' vectors were read."""
        before = self._scored
        for run in np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1):
            first, last = int(run[0]) * BLOCK, min((int(run[-1]) + 1) * BLOCK, len(heads))
            self._scan_run(first, heads[first:last] @ head_query, skip, allow)
        return self._scored - before

    def result(self) -> TopItems:
        """The top k in double precision, ties broken by the lower row."""
        places, added = self._places, self._added
        # One row at a time sums in one fixed order, so equal vectors get equal scores wherever they lie.
        scores = (self._vectors[places].astype(np.float64) * self._query).sum(axis=1) + added
        rows = self._order[places].astype(np.int64)
        best = np.lexsort((rows, -scores))[: self._k]
        return TopItems(rows[best], scores[best], self._scored)

    def _scan_run(self, first: int, upper: Floats, skip: Rows, allow: NDArray[np.bool_] | None) -> None:
        """Look at the items from place ``first`` on, whose scores are at most ``upper``."""
        hopeful = np.flatnonzero(upper >= np.float32(self._threshold - self._slack))
        if not len(hopeful):
            return
        places, upper = hopeful + first, upper[hopeful]
        wanted = self._wanted(places, skip, allow)
        places, upper = places[wanted], upper[wanted]
        # The most promising first: they raise the threshold, and most of the others need no reading.
        lead = max(4 * self._k, 64)
        if len(places) > 2 * lead:
            split = np.argpartition(-upper, lead)
            self._score(places[split[:lead]], None)
            places, upper = places[split[lead:]], upper[split[lead:]]
            places = places[upper >= np.float32(self._threshold - self._slack)]
            places.sort()
        for start in range(0, len(places), GATHER):
            self._score(places[start : start + GATHER], None)

    def _scan_plainly(self, skip: Rows, allow: NDArray[np.bool_] | None) -> None:
        """Multiply everything out, as a scan does, where directions and lengths are too flat for bounds."""
        self._scored += len(self._vectors)
        scores = self._vectors @ self._query32
        places = np.flatnonzero(scores >= np.float32(self._threshold - self._slack))
        places = places[self._wanted(places, skip, allow)]
        # What the bounds had let pass so far comes again; only what was offered (it is in ``skip``) is kept.
        offered = ~self._wanted(self._places, skip, None)
        self._places, self._scores, self._added = self._places[offered], self._scores[offered], self._added[offered]
        self._keep(places, scores[places].astype(np.float64), np.zeros(len(places)))

    def _wanted(self, places: Rows, skip: Rows, allow: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Which places hold a row that is allowed and not in ``skip`` (sorted)."""
        if allow is None and not len(skip):
            return np.ones(len(places), dtype=bool)
        rows = self._order[places]
        wanted = np.ones(len(rows), dtype=bool) if allow is None else allow[rows]
        if len(skip):
            at = np.minimum(np.searchsorted(skip, rows), len(skip) - 1)
            wanted &= skip[at] != rows
        return wanted

    def _score(self, places: Rows, added: Doubles | None) -> None:
        """Read the vectors at ``places`` and keep what may still be among the k best."""
        scores = self._read(places).astype(np.float64)
        if added is None:
            winners = np.flatnonzero(scores >= self._threshold - self._slack)
            self._keep(places[winners], scores[winners], np.zeros(len(winners)))
        else:
            self._keep(places, scores + added, added)

    def _keep(self, places: Rows, scores: Doubles, added: Doubles) -> None:
        """Take candidates in, and raise the threshold to the k-th best of all."""
        places = np.concatenate([self._places, places])
        scores = np.concatenate([self._scores, scores])
        added = np.concatenate([self._added, added])
        if len(scores) >= self._k:
            self._threshold = float(np.partition(scores, len(scores) - self._k)[len(scores) - self._k])
            kept = scores >= self._threshold - self._slack
            places, scores, added = places[kept], scores[kept], added[kept]
        self._places, self._scores, self._added = places, scores, added

    def _read(self, places: Rows) -> Floats:
        if not len(places):
            return np.empty(0, np.float32)
        first, last = int(places.min()), int(places.max()) + 1
        if len(places) * DENSE > last - first:
            self._scored += last - first
            return np.asarray((self._vectors[first:last] @ self._query32)[places - first])
        self._scored += len(places)
        return np.asarray(self._vectors[places] @ self._query32)
