"""Smooth curves from a few control points: the line a potter's rib follows, the bend of a handle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import BSpline

from catalog.demo.colour import Floats

Points = Sequence[tuple[float, float]]


def b_spline(control: Points, *, samples: int) -> Floats:
    """Points (samples×2), evenly spaced, of the clamped cubic B-spline with this control polygon.

    The curve is twice differentiable, so reflections run over it without kinks; a point given three times
    makes a corner.
    """
    corners = np.asarray(control, dtype=float)
    degree = min(3, len(corners) - 1)
    knots = np.concatenate([np.zeros(degree), np.linspace(0, 1, len(corners) - degree + 1), np.ones(degree)])
    fine = BSpline(knots, corners, degree)(np.linspace(0, 1, 4 * samples))
    walked = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(fine, axis=0).T))])
    even = np.linspace(0, walked[-1], samples)
    return np.stack([np.interp(even, walked, fine[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)
