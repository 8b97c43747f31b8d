"""The numbers behind the exact index's upper bounds: scales, principal axes, and the table of block bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommend.engine.index_search import BLOCK, Doubles, Floats

#: Leading coordinates of the head bound. With the remaining length and the bias a row is one cache line of 16 floats.
HEAD = 14
#: Rows that the principal axes are estimated from. Any rotation is valid; a good one is fast.
SAMPLE = 100_000
#: Query lengths per unit of bias weight at which the block bounds are tabulated: 1/32 to 32 by steps of √2.
RATIOS = 2.0 ** np.arange(-5, 5.5, 0.5)


def typical_scale(queries: NDArray[np.floating] | None, columns: int, bias_column: int | None) -> tuple[Doubles, float]:
    """How large queries are in each column (the bias column is left alone), and their length in those units."""
    scale = np.ones(columns)
    if queries is None or not len(queries):
        return scale, 1.0
    size = np.sqrt(np.mean(np.square(np.asarray(queries, dtype=np.float64)), axis=0))
    weight = 1.0 if bias_column is None else float(size[bias_column])
    factors = np.arange(columns) != bias_column
    # A column that these few queries hardly use may matter to the next one: no scale far below the others.
    scale[factors] = np.maximum(size[factors], 0.05 * size[factors].max(initial=0.0)) / (weight or 1.0)
    scale[scale <= 0] = 1.0
    return scale, float(np.sqrt(factors.sum()))


def squares(vectors: Floats) -> Doubles:
    """The squared length of every row, summed in double precision."""
    return np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)


def principal_axes(vectors: Floats, count: int) -> Doubles:
    """The ``count`` leading orthonormal directions (columns) of the N×D ``vectors``, from an evenly spread sample."""
    step = max(1, len(vectors) // SAMPLE)
    sample = vectors[::step].astype(np.float64)
    _, axes = np.linalg.eigh(sample.T @ sample)  # ascending eigenvalues
    return axes[:, ::-1][:, :count]


def block_table(length: Doubles, bias: Doubles) -> Doubles:
    """(3+G)×B over blocks of items: longest, highest bias, lowest bias, and the bound at each of the G `RATIOS`."""
    starts = np.arange(0, len(length), BLOCK)
    table = np.empty((3 + len(RATIOS), len(starts)))
    if len(starts):
        table[0] = np.maximum.reduceat(length, starts)
        table[1] = np.maximum.reduceat(bias, starts)
        table[2] = np.minimum.reduceat(bias, starts)
        for line, ratio in enumerate(RATIOS, start=3):
            table[line] = np.maximum.reduceat(ratio * length + bias, starts)
    return table


def block_bounds(table: Doubles, *, length: float, weight: float) -> Doubles:
    """The highest score any item of each block can reach for a query of this length and bias weight."""
    ratio = length / weight if weight > 0 else np.inf
    if RATIOS[0] <= ratio <= RATIOS[-1]:
        # The bound is convex in the ratio, so the chord between two tabulated ratios lies above it.
        right = max(1, int(np.searchsorted(RATIOS, ratio)))
        part = (ratio - RATIOS[right - 1]) / (RATIOS[right] - RATIOS[right - 1])
        return np.asarray(weight * ((1 - part) * table[2 + right] + part * table[3 + right]))
    longest, highest, lowest = table[:3]
    return np.asarray(length * longest + np.maximum(weight * highest, weight * lowest))
