"""Item-to-item evidence kept sparse: for every product the few others that it speaks for most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


@dataclass(frozen=True)
class Neighbours:
    """N×N weights in compressed rows: row i lists what an event on product i is evidence for, or (below 0) against.

    Negative weights stay: they are how EASE says "already served by another product", and ranking loses without them.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]

    @property
    def n_items(self) -> int:
        return len(self.indptr) - 1

    def matrix(self) -> sparse.csr_matrix:
        return sparse.csr_matrix((self.values, self.indices, self.indptr), shape=(self.n_items, self.n_items))

    def row(self, item: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        place = slice(int(self.indptr[item]), int(self.indptr[item + 1]))
        return self.indices[place], self.values[place]

    def gathered(
        self, items: NDArray[np.int64], weights: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """The weighted rows of ``items``, one after the other: (whose, as a place in ``items``; product; amount)."""
        starts = self.indptr[items]
        counts = self.indptr[items + 1] - starts
        whose = np.repeat(np.arange(len(items)), counts)
        take = np.arange(len(whose)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
        return whose, self.indices[take], self.values[take] * weights[whose]

    def evidence(
        self, items: NDArray[np.int64], weights: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Weighted sum of the rows of ``items``: (product codes, ascending; their evidence)."""
        _whose, indices, amounts = self.gathered(items, weights)
        if not len(indices):
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        if self.n_items <= 8 * len(indices):
            total = np.bincount(indices, weights=amounts, minlength=self.n_items).astype(np.float64)
            named = np.flatnonzero(total)
            return named, total[named]
        named, inverse = np.unique(indices, return_inverse=True)
        return named.astype(np.int64), np.bincount(inverse, weights=amounts).astype(np.float64)


def empty_neighbours(n_items: int) -> Neighbours:
    return Neighbours(np.zeros(n_items + 1, dtype=np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))


def strongest_of_dense(weights: NDArray[np.float32], top: int) -> Neighbours:
    """Keep the ``top`` weights furthest from zero of each row of a dense N×N matrix."""
    n_items = len(weights)
    keep = min(top, n_items)
    rows_indices, rows_values, counts = [], [], np.zeros(n_items, dtype=np.int64)
    for item in range(n_items):
        row = weights[item]
        columns = np.argpartition(-np.abs(row), keep - 1)[:keep] if keep < n_items else np.arange(n_items)
        columns = np.sort(columns[row[columns] != 0])
        rows_indices.append(columns.astype(np.int32))
        rows_values.append(row[columns].astype(np.float32))
        counts[item] = len(columns)
    return _joined(rows_indices, rows_values, counts)


def strongest_of_sparse(weights: sparse.csr_matrix, top: int) -> Neighbours:
    """Keep the ``top`` weights furthest from zero of each row of a sparse N×N matrix."""
    weights = weights.tocsr()
    rows_indices, rows_values, counts = [], [], np.zeros(weights.shape[0], dtype=np.int64)
    for item in range(weights.shape[0]):
        place = slice(weights.indptr[item], weights.indptr[item + 1])
        columns, row = weights.indices[place], weights.data[place]
        if len(row) > top:
            chosen = np.argpartition(-np.abs(row), top - 1)[:top]
            columns, row = columns[chosen], row[chosen]
        order = np.argsort(columns)
        rows_indices.append(columns[order].astype(np.int32))
        rows_values.append(row[order].astype(np.float32))
        counts[item] = len(row)
    return _joined(rows_indices, rows_values, counts)


def _joined(
    indices: list[NDArray[np.int32]], values: list[NDArray[np.float32]], counts: NDArray[np.int64]
) -> Neighbours:
    if not len(counts):
        return empty_neighbours(0)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Neighbours(indptr, np.concatenate(indices), np.concatenate(values))
