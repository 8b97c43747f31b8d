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

from catalog.demo.colour import Floats
from catalog.demo.curves import Points, b_spline
from catalog.demo.grids import PITCH, SAMPLES, Grid, enclosed, lattice_over, nearest_on

MARGIN = 0.06
SPOUT_WALL = 0.022
#: Between a rod and the box in which it is looked up.
ROOM = 0.04
TETRAHEDRON = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], dtype=np.float32)
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

    def at(self, places: NDArray[np.intp]) -> Surface:
        """Only these of the points."""
        return Surface(*(getattr(self, name)[places] for name in self.__slots__))


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
        lattice, shape = lattice_over(low, high)
        nearest, away, tangent, _ = nearest_on(pieces, lattice)
        distance = np.hypot(away[:, 0], away[:, 1])
        # The direction fades near the middle of the wall: there its sign jumps.
        direction = away / np.maximum(distance, 1e-4)[:, None]
        side = np.sign(away[:, 0] * tangent[:, 1] - away[:, 1] * tangent[:, 0])
        along = np.tile(np.linspace(0, 1, SAMPLES, dtype=np.float32), len(walls))[nearest]
        material = np.repeat([wall.material for wall in walls], SAMPLES)[nearest]
        gap = (distance - half[nearest]).astype(np.float32).reshape(shape)
        self._wall = Grid(low, gap)
        self._full = Grid(low, np.where(enclosed(pieces, low, shape), -distance.reshape(shape), gap).astype(np.float32))
        self._offset = Grid(low, (side * distance).astype(np.float32).reshape(shape))
        detail = np.column_stack([direction, along, side, material]).astype(np.float32)
        self._detail = Grid(low, detail.reshape(*shape, 5))

    def _build_rods(self, rods: Sequence[Rod]) -> None:
        axes = [b_spline(rod.curve, samples=SAMPLES) for rod in rods]
        line = np.concatenate(axes)
        radius = np.concatenate([np.linspace(*rod.radii, SAMPLES) for rod in rods]).astype(np.float32)
        reach = radius.max() * np.float32(max(rod.width for rod in rods)) + ROOM
        low, high = line.min(axis=0) - reach, line.max(axis=0) + reach
        lattice, shape = lattice_over(low, high)
        nearest, away, _, past = nearest_on(axes, lattice)
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
        self._rod_box = (low, high, reach)
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
        wall = (self._full if full else self._wall).distance(radius, z)
        if self._rods is None:
            return wall
        rod = self._rod_distance(x, y, z, radius, wall)
        # Polynomial smooth minimum: the joint of clay on clay.
        blend = np.maximum(JOINT - np.abs(wall - rod), 0) / JOINT
        return np.minimum(wall, rod) - blend * blend * (JOINT / 4)

    def _rod_distance(self, x: Floats, y: Floats, z: Floats, radius: Floats, wall: Floats) -> Floats:
        """Distance to the rods where they could be nearer than the ``wall``; elsewhere a lower bound."""
        assert self._rods is not None
        across, deep = self._across(x, y), self._turn[0] * y - self._turn[1] * x
        low, high, depth = self._rod_box
        beyond = np.maximum(np.maximum(low[0] - across, across - high[0]), np.maximum(low[1] - z, z - high[1]))
        rod = np.maximum(np.maximum(beyond, np.abs(deep) - depth), 0) + np.float32(ROOM)
        near = np.flatnonzero(rod < wall + JOINT)
        if near.size:
            across, deep, z, outside = across[near], deep[near], z[near], np.maximum(beyond[near], 0)
            plane = self._rods(across, z)
            tube = np.hypot(np.hypot(plane[:, 0], outside), deep / np.float32(self._rod_width)) - plane[:, 1]
            if self._pours:
                spout = plane[:, 2] > -0.9
                tube = np.where(spout, np.maximum(np.maximum(tube, -tube - SPOUT_WALL), plane[:, 2]), tube)
            # A handle ends in the wall: it never comes out inside the cup.
            rod[near] = np.maximum(tube, -self._offset(radius[near], z))
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
            wall = self._wall(radius, z)
            rod = self._rod_distance(x, y, z, radius, wall)
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
        # Central differences on a tetrahedron's corners: four queries instead of six (Quilez 2015).
        slope = np.zeros_like(points)
        for corner in TETRAHEDRON:
            slope += corner * self.distance(*(points + corner * np.float32(0.005)).T)[:, None]
        return slope
