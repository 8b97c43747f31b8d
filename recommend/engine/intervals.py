"""Intervals of a single rate."""

from __future__ import annotations

import math

#: Two-sided 95 %.
Z = 1.959963984540054


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``trials`` > 0 (Wilson, JASA 1927); sound for small counts."""
    share, z2 = hits / trials, Z**2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = Z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(0.0, middle - spread), min(1.0, middle + spread)
