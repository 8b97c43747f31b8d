"""Pots as signed distances: walls turned on a wheel, and rods (handles, spouts) bent in one plane.

A wall is the set of points within half its thickness of a curve in the (radius, height) half-plane; turning
it does not change distances, so a small 2-D grid holds the exact distance to the whole surface of revolution.
A rod's axis is a plane curve, so its distance is ``hypot(distance in the plane, distance to the plane)``: a
second 2-D grid. One or two look-ups answer any query in space. x is right, y into the picture, z up; the pot
stands on z = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.spatial import cKDTree

from catalog.demo.colour import Floats
from catalog.demo.curves import Points, b_spline

#: Distance between grid points; a wall is at least three of these thick.
PITCH = 0.006
MARGIN = 0.06
#: Points that stand for a curve.
SAMPLES = 1500
SPOUT_WALL = 0.022
#: Over this distance a rod flows into the wall like a smoothed clay joint.
JOINT = 0.035


@dataclass(frozen=True, slots=True)
class Wall:
    """A turned wall: control points (radius, height) from the foot's centre to the rim."""

    curve: Points
    thickness: float = 0.03
    material: int = 0


@dataclass(frozen=True, slots=True)
class Rod:
    """A handle or spout: control points (x, height), a radius at each end, ``width`` 1 round, 2 a strap."""

    curve: Points
    radii: tuple[float, float]
    width: float = 1.0
    material: int = 0
    pours: bool = False  #: a spout: hollow, its end cut open


@dataclass(frozen=True, slots=True)
class Surface:
    """What is known at N points of a pot's surface."""

    points: Floats  #: N×3
    normals: Floats  #: N×3, outward, unit length
    along: Floats  #: 0 at the foot's centre … 1 at the rim
    outside: Floats  #: +1 outside the pot … -1 in it
    angle: Floats  #: around the axis, in the pot's own frame
    material: Floats  #: number of the material


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
        right, above = column - left, row - below
        place = below * self._columns + left
        flat = self._flat
        if flat.ndim > 1:
            right, above = right[:, None], above[:, None]
        lower = flat[place] * (1 - right) + flat[place + 1] * right
        place = place + self._columns
        return lower * (1 - above) + (flat[place] * (1 - right) + flat[place + 1] * right) * above


def _lattice(low: Floats, high: Floats) -> tuple[Floats, tuple[int, int]]:
    across = np.arange(low[0], high[0] + PITCH, PITCH, dtype=np.float32)
    up = np.arange(low[1], high[1] + PITCH, PITCH, dtype=np.float32)
    mesh = np.stack(np.meshgrid(across, up), axis=-1)
    return mesh.reshape(-1, 2), mesh.shape[:2]


def _nearest(curves: Sequence[Floats], lattice: Floats) -> tuple[NDArray[np.intp], Floats, Floats, Floats]:
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


def _enclosed(curves: Sequence[Floats], low: Floats, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which lattice points lie between a curve and the axis."""
    sheet = Image.new("1", (shape[1], shape[0]))
    for curve in curves:
        closed = np.concatenate([[(0, curve[0, 1])], curve, [(0, curve[-1, 1])]])
        ImageDraw.Draw(sheet).polygon([(float(x), float(y)) for x, y in (closed - low) / PITCH], fill=1)
    return np.asarray(sheet)


class Solid:
    """The union of walls and rods, turned by ``yaw`` radians about its axis."""

    def __init__(self, walls: Sequence[Wall], rods: Sequence[Rod] = (), *, yaw: float = 0.0) -> None:
        self._turn = np.float32(np.cos(yaw)), np.float32(np.sin(yaw))
        self._yaw = yaw
        self._build_walls(walls)
        self._rods: Grid | None = None
        if rods:
            self._build_rods(rods)

    def _build_walls(self, walls: Sequence[Wall]) -> None:
        pieces = [b_spline(wall.curve, samples=SAMPLES) for wall in walls]
        line = np.concatenate(pieces)
        half = np.repeat([wall.thickness / 2 for wall in walls], SAMPLES).astype(np.float32)
        low = np.array([-2 * PITCH, line[:, 1].min() - MARGIN], dtype=np.float32)
        high = line.max(axis=0) + MARGIN
        self.radius, self.height = float((line[:, 0] + half).max()), float((line[:, 1] + half).max())
        self._outline = line
        lattice, shape = _lattice(low, high)
        nearest, away, tangent, _ = _nearest(pieces, lattice)
        distance = np.hypot(away[:, 0], away[:, 1])
        # The direction fades near the middle of the wall: there its sign jumps.
        direction = away / np.maximum(distance, 1e-4)[:, None]
        side = np.sign(away[:, 0] * tangent[:, 1] - away[:, 1] * tangent[:, 0])
        along = np.tile(np.linspace(0, 1, SAMPLES, dtype=np.float32), len(walls))[nearest]
        material = np.repeat([wall.material for wall in walls], SAMPLES)[nearest]
        gap = (distance - half[nearest]).astype(np.float32).reshape(shape)
        self._wall = Grid(low, gap)
        self._full = Grid(
            low, np.where(_enclosed(pieces, low, shape), -distance.reshape(shape), gap).astype(np.float32)
        )
        self._offset = Grid(low, (side * distance).astype(np.float32).reshape(shape))
        detail = np.column_stack([direction, along, side, material]).astype(np.float32)
        self._detail = Grid(low, detail.reshape(*shape, 5))

    def _build_rods(self, rods: Sequence[Rod]) -> None:
        axes = [b_spline(rod.curve, samples=SAMPLES) for rod in rods]
        line = np.concatenate(axes)
        radius = np.concatenate([np.linspace(*rod.radii, SAMPLES) for rod in rods]).astype(np.float32)
        low, high = line.min(axis=0) - 0.12, line.max(axis=0) + 0.12
        lattice, shape = _lattice(low, high)
        nearest, away, _, past = _nearest(axes, lattice)
        rod = nearest // SAMPLES
        pours = np.array([rod.pours for rod in rods])[rod]
        channels = [
            np.hypot(away[:, 0], away[:, 1]),
            radius[nearest],
            np.where(pours, past, -1),
            np.array([rod.material for rod in rods])[rod],
        ]
        self._rods = Grid(low, np.column_stack(channels).astype(np.float32).reshape(*shape, len(channels)))
        self._pours = bool(pours.any())
        self._rod_width = max(rod.width for rod in rods)
        self._rod_box = (low, high, float(radius.max() * self._rod_width))
        self._rod_line = line
        self.height = max(self.height, float((line[:, 1] + radius).max()))
        self.radius = max(self.radius, float((np.abs(line[:, 0]) + radius).max()))

    def silhouette(self) -> Floats:
        """Points N×3 spread over the whole of it, to frame it by."""
        around = np.linspace(0, 2 * np.pi, 24, dtype=np.float32)[:, None]
        radius, height = self._outline[::15].T
        rings = [radius * np.cos(around), radius * np.sin(around), np.broadcast_to(height, (24, len(height)))]
        points = np.stack(rings, axis=-1).reshape(-1, 3)
        if self._rods is None:
            return points
        cosine, sine = self._turn
        across, height = self._rod_line[::10].T
        return np.concatenate([points, np.stack([across * cosine, across * sine, height], axis=1)])

    def distance(self, x: Floats, y: Floats, z: Floats, *, full: bool = False) -> Floats:
        """Distance to the surface (negative in the material); near enough to march along.

        ``full`` takes hollow pots as solid: what is outside sees no difference, and coarse steps that look for
        shade cannot jump over a thin wall.
        """
        radius = np.sqrt(x * x + y * y)
        wall = (self._full if full else self._wall)(radius, z)
        if self._rods is None:
            return wall
        rod = self._rod_distance(x, y, z, radius)
        # Polynomial smooth minimum: the joint of clay on clay.
        blend = np.maximum(JOINT - np.abs(wall - rod), 0) / JOINT
        return np.minimum(wall, rod) - blend * blend * (JOINT / 4)

    def _rod_distance(self, x: Floats, y: Floats, z: Floats, radius: Floats) -> Floats:
        assert self._rods is not None
        across, deep = self._across(x, y), self._turn[0] * y - self._turn[1] * x
        low, high, depth = self._rod_box
        # Outside its grid a rod is at least as far as the box around it.
        beyond = np.maximum(np.maximum(low[0] - across, across - high[0]), np.maximum(low[1] - z, z - high[1]))
        beyond = np.maximum(beyond, np.abs(deep) - depth - 0.1)
        rod = np.maximum(beyond, 0) + 0.1
        near = np.flatnonzero(beyond < 0)
        if near.size:
            plane = self._rods(across[near], z[near])
            tube = np.hypot(plane[:, 0], deep[near] / self._rod_width) - plane[:, 1]
            if self._pours:
                spout = plane[:, 2] > -0.9
                tube = np.where(spout, np.maximum(np.maximum(tube, -tube - SPOUT_WALL), plane[:, 2]), tube)
            rod[near] = tube
            # A handle ends in the wall: it never comes out inside the cup.
            rod[near] = np.maximum(rod[near], -self._offset(radius[near], z[near]))
        return rod

    def surface(self, points: Floats) -> Surface:
        """Normals and coordinates at N×3 points on the surface."""
        x, y, z = points.T
        radius = np.sqrt(x * x + y * y)
        detail = self._detail(radius, z)
        inverse = 1 / np.maximum(radius, 1e-5)
        normals = np.stack([detail[:, 0] * x * inverse, detail[:, 0] * y * inverse, detail[:, 1]], axis=1)
        material, along, outside = np.rint(detail[:, 4]), detail[:, 2].copy(), detail[:, 3].copy()
        if self._rods is not None:
            rod = self._rod_distance(x, y, z, radius)
            wall = self._wall(radius, z)
            joined = np.flatnonzero(rod < wall + JOINT)
            normals[joined] = self._gradient(points[joined])
            on_rod = rod < wall
            material[on_rod] = np.rint(self._rods(self._across(x[on_rod], y[on_rod]), z[on_rod])[:, 3])
            along[on_rod], outside[on_rod] = 0.6, 1.0
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
        angle = np.arctan2(y, x) - np.float32(self._yaw)
        return Surface(points, normals, along, outside, angle, material)

    def _across(self, x: Floats, y: Floats) -> Floats:
        return self._turn[0] * x + self._turn[1] * y

    def _gradient(self, points: Floats) -> Floats:
        x, y, z = points.T
        step = np.float32(0.006)
        return np.stack(
            [
                self.distance(x + step, y, z) - self.distance(x - step, y, z),
                self.distance(x, y + step, z) - self.distance(x, y - step, z),
                self.distance(x, y, z + step) - self.distance(x, y, z - step),
            ],
            axis=1,
        )
