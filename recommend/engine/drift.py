"""Has the population moved since a fit? The population stability index of two counted distributions, with its noise.

PSI = Σ (q − p)·ln(q / p), the symmetrised Kullback-Leibler divergence that credit scoring has long watched models with
(Siddiqi, *Credit Risk Scorecards*, 2006): under .1 nothing, from .25 on a shift. It grows by chance alone where there is
little to count: without any shift it is distributed as (1/n + 1/m)·χ² with B − 1 degrees of freedom (Yurdakul, 2018).
A shift is told only where it exceeds both what matters and what chance does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

#: From here on a shift matters, by the convention of the field.
MATTERS = 0.25
#: Events of one shopper lean on each other; chance is taken to be this many times larger than for independent ones.
CLUSTERING = 4.0
CHANCE = 0.999
#: Fewer events than this on either side say nothing.
FEWEST_EVENTS = 100


@dataclass(frozen=True)
class Shift:
    """``index``: PSI; ``noise``: what chance alone hardly exceeds; ``shares``: before and now of each bin."""

    index: float
    noise: float
    shares: Mapping[str, tuple[float, float]]
    is_known: bool

    @property
    def has_moved(self) -> bool:
        return self.is_known and self.index >= MATTERS and self.index > self.noise


def population_shift(before: Mapping[str, int], now: Mapping[str, int]) -> Shift:
    """Compare the events counted by bin before and now. Half an event is added to each bin, so that none is empty."""
    bins = sorted(set(before) | set(now))
    first = np.array([before.get(name, 0) for name in bins], dtype=np.float64)
    second = np.array([now.get(name, 0) for name in bins], dtype=np.float64)
    n, m = float(first.sum()), float(second.sum())
    if len(bins) < 2 or min(n, m) <= 0:
        shares = {name: (float(a / n) if n else 0.0, float(b / m) if m else 0.0)
                  for name, a, b in zip(bins, first, second, strict=True)}  # fmt: skip
        return Shift(0.0, 0.0, shares, is_known=False)
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(bins)) for counts in (first, second))
    index = float(((q - p) * np.log(q / p)).sum())
    noise = float(CLUSTERING * (1 / n + 1 / m) * chi2.ppf(CHANCE, len(bins) - 1))
    shares = {name: (float(a / n), float(b / m)) for name, a, b in zip(bins, first, second, strict=True)}
    return Shift(index, noise, shares, is_known=min(n, m) >= FEWEST_EVENTS)
