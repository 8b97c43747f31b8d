"""Glazes: what colour and gloss a fired pot has at each point of its surface.

A glaze is built like the real one, in layers: a body, mottling, a second dip with its runs, bands, brushwork,
speckles of iron, crackle; thin where it runs off an edge (it *breaks*), thick where it gathers (it *pools*).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from catalog.demo.brushwork import Motif
from catalog.demo.colour import Floats, linear, mix, smoothstep
from catalog.demo.noise import solid_noise, turbulence
from catalog.demo.solids import Surface

#: Reflectance of glassy glaze at normal incidence (index of refraction 1.5).
DIELECTRIC = 0.04


@dataclass(frozen=True, slots=True)
class Finish:
    """How N surface points answer to light."""

    albedo: Floats  #: N×3, diffuse reflectance
    mirror: Floats  #: N×3, Fresnel reflectance at normal incidence
    roughness: Floats  #: N, 0 a mirror … 1 chalk
    normals: Floats  #: N×3, with the bumps
    glow: Floats  #: N×3, light of its own


@dataclass(frozen=True, slots=True)
class Glaze:
    """The recipe of a surface; colours are sRGB hex, heights are shares of the pot's height."""

    colour: str
    gloss: float = 0.85
    mottled: str | None = None
    mottling: float = 0.5
    mottle_scale: float = 4.0
    breaking: str | None = None  #: colour at the rim and on edges
    pooling: str | None = None  #: colour where the glaze gathers, towards the foot
    dip: str | None = None  #: a second glaze, from the rim down
    dip_height: float = 0.55
    dip_runs: float = 0.05
    inside: str | None = None
    bands: tuple[tuple[float, float, str], ...] = ()  #: from, to, colour
    motif: Motif | None = None
    motif_colour: str = "#22408f"
    motif_flat: bool = False  #: the motif lies in a plate instead of going around
    speckles: str | None = None
    speckling: float = 1.0  #: how many
    crackle: str | None = None
    bare_foot: str | None = None  #: unglazed clay at the foot
    ridges: float = 0.0  #: depth of the throwing rings
    metal: bool = False
    glow: float = 0.0  #: light that comes through (a lampshade)

    def finish(self, surface: Surface, *, height: float, seed: int) -> Finish:
        """Every layer in its order at the points of ``surface``."""
        points = surface.points
        tall = points[:, 2] / height
        colour: Any = np.broadcast_to(linear(self.colour), points.shape)
        drift = turbulence(points, scale=self.mottle_scale, seed=seed)
        if self.mottled:
            colour = mix(colour, linear(self.mottled), self.mottling * smoothstep(-0.9, 1.1, drift))
        if self.pooling:
            colour = mix(colour, linear(self.pooling), smoothstep(0.75, 0.0, tall + 0.06 * drift))
        if self.dip:
            run = turbulence(points * np.array([1, 1, 0.12], dtype=np.float32), scale=3.5, seed=seed + 1)
            edge = tall - self.dip_height + self.dip_runs * run
            colour = mix(colour, linear(self.dip), smoothstep(-0.012, 0.02, edge))
            # Where two glazes meet they melt into each other and darken.
            colour = colour * (1 - 0.35 * np.exp(-((edge / 0.03) ** 2)))[:, None]
        for low, high, band in self.bands:
            waver = tall + 0.004 * drift
            inside_band = smoothstep(low - 0.006, low + 0.006, waver) * smoothstep(high + 0.006, high - 0.006, waver)
            colour = mix(colour, linear(band), inside_band * (surface.outside > 0))
        if self.inside:
            colour = mix(colour, linear(self.inside), smoothstep(0.3, -0.3, surface.outside))
        if self.motif:
            # Pigment under glaze absorbs, stroke upon stroke: colours mix by their logarithms.
            thick = 0.97 * self._painted(surface, tall, seed)[:, None]
            colour = colour ** (1 - thick) * np.maximum(linear(self.motif_colour), 0.002) ** thick
        if self.breaking:
            lip = smoothstep(0.955, 0.992, surface.along + 0.006 * drift)
            colour = mix(colour, linear(self.breaking), lip * 0.9)
        if self.speckles:
            colour = mix(colour, linear(self.speckles), 0.85 * _speckles(points, self.speckling, seed + 2))
        if self.crackle:
            colour = mix(colour, linear(self.crackle), 0.75 * _crackle(points, seed))
        roughness: Floats = np.clip(1 - self.gloss + 0.04 * drift, 0.02, 1)
        if self.bare_foot:
            bare = smoothstep(0.085, 0.075, tall + 0.008 * drift) * (surface.outside > 0)
            clay = linear(self.bare_foot) * (1 + 0.12 * solid_noise(points, scale=30, seed=seed))[:, None]
            colour, roughness = mix(colour, clay, bare), roughness + (0.95 - roughness) * bare
        mirror = colour if self.metal else np.full_like(points, DIELECTRIC)
        glow: Any = np.zeros_like(points)
        if self.glow:
            weave = 1 + 0.05 * solid_noise(points * np.array([1, 1, 4], dtype=np.float32), scale=24, seed=seed)
            # The bulb hangs in the middle of the shade: above and below it the cloth is dimmer.
            near = np.ptp(points[:, 2]) / 2
            near = np.exp(-(((points[:, 2] - points[:, 2].min() - near) / (1.1 * near + 1e-6)) ** 2))
            glow = linear(self.colour) ** 1.6 * (self.glow * weave * (0.35 + near))[:, None]
        albedo = colour * (0.15 if self.metal else 0.4 if self.glow else 1.0)
        return Finish(albedo, mirror, roughness, self._rings(surface, drift), glow)

    def _rings(self, surface: Surface, drift: Floats) -> Floats:
        """Normals tilted by the spiral that fingers leave, and by the skin of the glaze."""
        tilt = self.ridges * np.sin(surface.points[:, 2] * 95 + surface.angle + 0.4 * drift)
        normals = surface.normals.copy()
        normals[:, 2] += tilt + 0.012 * drift * (1.2 - self.gloss)
        return normals / np.linalg.norm(normals, axis=1, keepdims=True)

    def _painted(self, surface: Surface, tall: Floats, seed: int) -> Floats:
        assert self.motif is not None
        sheet = self.motif(seed)
        if self.motif_flat:
            reach = np.abs(surface.points[:, :2]).max() * 1.02
            column, row = ((surface.points[:, :2] / reach + 1) / 2 * (len(sheet) - 1)).T
            return ndimage.map_coordinates(sheet, [row, column], order=1) * (surface.outside < 0)
        around = (surface.angle / (2 * np.pi)) % 1 * sheet.shape[1]
        up = np.clip(1 - tall, 0, 1) * (sheet.shape[0] - 1)
        return ndimage.map_coordinates(sheet, [up, around], order=1, mode="grid-wrap") * (surface.outside > 0)


def _scattered(points: Floats, density: float, seed: int) -> Floats:
    low, high = points.min(axis=0) - 0.05, points.max(axis=0) + 0.05
    count = int(np.prod(high - low) * density) + 8
    return np.random.default_rng(seed).uniform(low, high, size=(count, 3)).astype(np.float32)


def _speckles(points: Floats, amount: float, seed: int) -> Floats:
    """Iron spots: small balls scattered through space, cut by the surface."""
    spots = _scattered(points, 9000 * amount, seed)
    size = 0.0035 + 0.010 * np.random.default_rng(seed + 1).beta(1, 5, len(spots)).astype(np.float32)
    away, nearest = cKDTree(spots).query(points, distance_upper_bound=0.02)
    found = np.flatnonzero(np.isfinite(away))
    cover = np.zeros(len(points), dtype=np.float32)
    radius = size[nearest[found]]
    cover[found] = np.clip((radius - away[found]) / 0.003 + 0.5, 0, 1)
    return cover


def _crackle(points: Floats, seed: int) -> Floats:
    """Fine lines between the cells of scattered points (Worley's F2 - F1), some fainter than others."""
    near, _ = cKDTree(_scattered(points, 1700, seed)).query(points, k=2)
    fine = smoothstep(0.0065, 0.002, (near[:, 1] - near[:, 0]).astype(np.float32))
    return fine * smoothstep(-1.6, 0.6, solid_noise(points, scale=4, seed=seed))
