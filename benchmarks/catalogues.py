"""Product matrices for benchmarks, drawn to look like what Surprise's SVD learns from implicit events.

The shape of `svd_like` was measured on an SVD (64 factors, 10 epochs, lr .02, reg .02, init .05, four negatives per
positive drawn by popularity^.75) fitted on the 484,253 distinct purchases of 4,678 products in UCI Online Retail II:
the quantiles of the lengths and of the biases, how both follow the popularity (rank correlation .70 and .77), the
share of the energy on each of the ten leading axes, and that long vectors lie mostly on these axes (correlation .7).
A larger catalogue is drawn with the same mix, which is cautious: real ones grow by products that hardly anybody buys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

FACTORS = 64
STYLE = 16
TUNING = 100
#: Share of the energy on each leading axis, among those ten.
LEADING_AXES = np.array([0.171, 0.132, 0.100, 0.067, 0.055, 0.040, 0.038, 0.035, 0.025, 0.017])
QUANTILES = (0, 0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 0.999, 1)
ITEM_LENGTHS = (0.207, 0.267, 0.294, 0.310, 0.341, 0.390, 0.484, 0.593, 0.658, 0.759, 0.816, 0.845)
ITEM_BIASES = (-0.157, -0.139, -0.120, -0.109, -0.086, -0.054, -0.015, 0.035, 0.074, 0.150, 0.250, 0.358)
SHOPPER_LENGTHS = (0.194, 0.297, 0.341, 0.362, 0.400, 0.453, 0.523, 0.594, 0.641, 0.713, 0.793, 0.874)


@dataclass(frozen=True)
class Catalogue:
    """``matrix`` N×(64+1[+style]) float32, the bias after the factors; ``queries`` Q×(64+1[+style]) float64.

    ``typical_queries`` are other shoppers, for an index to be tuned on.
    """

    matrix: NDArray[np.float32]
    queries: NDArray[np.float64]
    typical_queries: NDArray[np.float64]


def svd_like(items: int, queries: int, *, seed: int) -> Catalogue:
    """Factors shaped like fitted ones: popularity makes them long and their bias high, taste gives the direction."""
    rng = np.random.default_rng(seed)
    popularity = rng.normal(size=items)
    length = 0.70 * popularity + np.sqrt(1 - 0.70**2) * rng.normal(size=items)
    bias = 0.77 * popularity + np.sqrt(1 - 0.77**2) * rng.normal(size=items)
    matrix = _directions(rng, length) * np.interp(ndtr(length), QUANTILES, ITEM_LENGTHS)[:, None]
    shopper = rng.normal(size=queries + TUNING)
    tastes = _directions(rng, shopper) * np.interp(ndtr(shopper), QUANTILES, SHOPPER_LENGTHS)[:, None]
    return _catalogue(matrix, np.interp(ndtr(bias), QUANTILES, ITEM_BIASES), tastes)


def with_style(items: int, queries: int, *, seed: int) -> Catalogue:
    """`svd_like` plus 16 style columns: unit vectors in twelve looks, at a fifth of the factors' say."""
    rng = np.random.default_rng(seed)
    plain = svd_like(items, queries, seed=seed)
    looks = rng.normal(size=(12, STYLE))

    def style(count: int) -> NDArray[np.float64]:
        vectors = looks[rng.integers(0, len(looks), count)] + rng.normal(0, 0.7, (count, STYLE))
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    return Catalogue(
        matrix=np.column_stack([plain.matrix, style(items).astype(np.float32)]),
        queries=np.column_stack([plain.queries, 0.04 * style(queries)]),
        typical_queries=np.column_stack([plain.typical_queries, 0.04 * style(TUNING)]),
    )


def flat(items: int, queries: int, *, seed: int) -> Catalogue:
    """The worst case: every direction equally likely, every item equally long, no bias. Nothing can be skipped."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(items, FACTORS))
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return _catalogue(matrix, np.zeros(items), rng.normal(size=(queries + TUNING, FACTORS)) / 8)


def level_lengths(items: int, queries: int, *, seed: int) -> Catalogue:
    """Fitted axes but equal lengths and no bias: only the direction can rule an item out."""
    rng = np.random.default_rng(seed)
    matrix, tastes = _directions(rng, rng.normal(size=items)), _directions(rng, rng.normal(size=queries + TUNING))
    return _catalogue(0.4 * matrix, np.zeros(items), 0.45 * tastes)


def _directions(rng: np.random.Generator, strength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors; the stronger (a standard normal deviate) the more of their energy lies on the leading axes."""
    leading = len(LEADING_AXES)
    share = np.clip(0.60 + 0.26 * strength, 0.12, 0.93)[:, None]
    vectors = rng.normal(size=(len(strength), FACTORS))
    vectors[:, :leading] *= np.sqrt(LEADING_AXES)
    vectors[:, :leading] *= np.sqrt(share) / np.linalg.norm(vectors[:, :leading], axis=1, keepdims=True)
    vectors[:, leading:] *= np.sqrt(1 - share) / np.linalg.norm(vectors[:, leading:], axis=1, keepdims=True)
    # In a random rotation, so that no axis is a column.
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(FACTORS, FACTORS)))
    return np.asarray(vectors @ rotation)


def _catalogue(matrix: NDArray[np.float64], bias: NDArray[np.float64], tastes: NDArray[np.float64]) -> Catalogue:
    all_queries = np.column_stack([tastes, np.ones(len(tastes))])
    return Catalogue(
        matrix=np.column_stack([matrix, bias]).astype(np.float32),
        queries=all_queries[:-TUNING],
        typical_queries=all_queries[-TUNING:],
    )
