"""What a motif is made of: closed outlines, smooth curves, leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

Random = np.random.Generator
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Part:
    """One closed outline in the square [-1, 1]², y down; ``depth`` is how far it bulges, ``shade`` its own tone."""

    outline: Points
    depth: float = 1.0
    shade: float = 0.85


@dataclass(frozen=True, slots=True)
class Motif:
    """Parts from back to front, and open lines on top of them."""

    parts: Sequence[Part]
    strokes: Sequence[Points] = ()
    ground: float | None = 0.62  #: height of the ground's edge; None: no ground


def smooth(points: Points, *, samples: int = 90, closed: bool = True) -> list[tuple[float, float]]:
    """A smooth curve through ``points``."""
    corners = np.asarray([*points, points[0]] if closed else points, dtype=float)
    chord = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T) ** 0.5)])
    curve = CubicSpline(chord, corners, bc_type="periodic" if closed else "natural")
    return [(float(x), float(y)) for x, y in curve(np.linspace(0, chord[-1], samples))]


def ring(rng: Random, width: float, height: float, *, at: tuple[float, float] = (0, 0), wobble: float = 0.03) -> Points:
    """A round or oval outline, drawn by hand."""
    around = np.linspace(0, 2 * np.pi, 9)[:-1]
    radius = 1 + rng.normal(0, wobble, size=8)
    return smooth(
        [(at[0] + width * r * np.cos(a), at[1] + height * r * np.sin(a)) for a, r in zip(around, radius, strict=True)]
    )


def leaf_with_vein(start: tuple[float, float], tip: tuple[float, float], width: float) -> tuple[Part, Points]:
    """A leaf with its vein; ``width`` in shares of its length."""
    (x, y), (u, v) = start, tip
    dx, dy = u - x, v - y
    left = (x + 0.45 * dx - width * dy, y + 0.45 * dy + width * dx)
    right = (x + 0.45 * dx + width * dy, y + 0.45 * dy - width * dx)
    outline = [
        *smooth([start, left, tip], closed=False, samples=30),
        *smooth([tip, right, start], closed=False, samples=30),
    ]
    return Part(outline, 0.5, 0.8), [start, (x + 0.5 * dx, y + 0.52 * dy), (x + 0.85 * dx, y + 0.85 * dy)]
