"""Distances to plane curves, reckoned once on a grid and then looked up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.spatial import cKDTree

from catalog.demo.colour import Floats

#: Distance between grid points; a wall is at least three of these thick.
PITCH = 0.006
#: Points that stand for a curve.
SAMPLES = 1500


class Grid:
    """Channels sampled on a regular grid of the plane, read by bilinear interpolation."""

    def __init__(self, low: Floats, channels: Floats) -> None:
        self._low = low
        self._rows, self._columns = channels.shape[:2]
        self._flat = np.ascontiguousarray(channels.reshape(self._rows * self._columns, -1).squeeze())

    def __call__(self, across: Floats, up: Floats) -> Floats:
        """Values at points; beyond the grid the border's value."""
        column = np.clip((across - self._low[0]) / PITCH, 0, self._columns - 1.001)
        row = np.clip((up - self._low[1]) / PITCH, 0, self._rows - 1.001)
        left, below = column.astype(np.int32), row.astype(np.int32)
        # An int32 would widen the difference to float64.
        right, above = column - left.astype(np.float32), row - below.astype(np.float32)
        place = below * self._columns + left
        flat = self._flat
        if flat.ndim > 1:
            right, above = right[:, None], above[:, None]
        lower = flat[place] * (1 - right) + flat[place + 1] * right
        place = place + self._columns
        return lower * (1 - above) + (flat[place] * (1 - right) + flat[place + 1] * right) * above

    def distance(self, across: Floats, up: Floats) -> Floats:
        """The value where it is a distance to something within the grid; beyond the grid a lower bound.

        With c the nearest point of the (convex) grid: |p - q|² ≥ |p - c|² + |c - q|² for all q in it.
        """
        value = self(across, up)
        low, span = self._low, (self._columns * PITCH, self._rows * PITCH)
        aside = across - np.clip(across, low[0], low[0] + span[0])
        above = up - np.clip(up, low[1], low[1] + span[1])
        square = aside * aside + above * above
        return np.where(square > 0, np.sqrt(square + value * value), value)


def lattice_over(low: Floats, high: Floats) -> tuple[Floats, tuple[int, int]]:
    """Points N×2 at ``PITCH`` over a rectangle, and the shape of the grid that they make."""
    across = np.arange(low[0], high[0] + PITCH, PITCH, dtype=np.float32)
    up = np.arange(low[1], high[1] + PITCH, PITCH, dtype=np.float32)
    mesh = np.stack(np.meshgrid(across, up), axis=-1)
    return mesh.reshape(-1, 2), mesh.shape[:2]


def nearest_on(curves: Sequence[Floats], lattice: Floats) -> tuple[NDArray[np.intp], Floats, Floats, Floats]:
    """For each lattice point: the nearest sample's index, the way from the curve, the curve's tangent there,
    and how far the point lies past the curve's end (negative: before it)."""
    line = np.concatenate(curves)
    tangents = np.concatenate([np.gradient(curve, axis=0) for curve in curves])
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    _, nearest = cKDTree(line).query(lattice)
    away, tangent = lattice - line[nearest], tangents[nearest]
    ahead = (away * tangent).sum(axis=1)
    # Between two samples the nearest point lies on the tangent, which makes the normals smooth; beyond
    # the ends of the curve there is no more tangent, which makes the rim round.
    place = nearest % SAMPLES
    inner = ((place < SAMPLES - 1) | (ahead < 0)) & ((place > 0) | (ahead > 0))
    past = np.where(place == SAMPLES - 1, ahead, -0.5)
    return nearest, away - np.where(inner, ahead, 0)[:, None] * tangent, tangent, past


def enclosed(curves: Sequence[Floats], low: Floats, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which lattice points lie between a curve and the axis."""
    sheet = Image.new("1", (shape[1], shape[0]))
    for curve in curves:
        closed = np.concatenate([[(0, curve[0, 1])], curve, [(0, curve[-1, 1])]])
        ImageDraw.Draw(sheet).polygon([(float(x), float(y)) for x, y in (closed - low) / PITCH], fill=1)
    return np.asarray(sheet)
