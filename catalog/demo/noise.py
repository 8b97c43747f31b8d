"""Solid noise: one periodic block of smooth random values, looked up anywhere in space.

Solid (three-dimensional) noise has no seam where a vase closes on itself and no pinch at a plate's centre
(Perlin 1985, Peachey 1985).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import ndimage

from catalog.demo.colour import Floats

SIDE = 32


@lru_cache(maxsize=8)
def block(seed: int) -> Floats:
    """A periodic SIDE³ block of smooth noise with mean 0 and standard deviation 1."""
    white = np.random.default_rng(seed).standard_normal((SIDE, SIDE, SIDE)).astype(np.float32)
    smooth = ndimage.gaussian_filter(white, 0.8, mode="wrap")
    return (smooth - smooth.mean()) / smooth.std()


def solid_noise(points: Floats, *, scale: float, seed: int) -> Floats:
    """Noise at N×3 ``points``, about ``scale`` features per unit of length; mean 0, deviation near 1."""
    coordinates = np.mod(points.T * (2 * scale), SIDE)
    return ndimage.map_coordinates(block(seed), coordinates, order=1, mode="grid-wrap")


def turbulence(points: Floats, *, scale: float, seed: int, octaves: int = 3) -> Floats:
    """Fractal sum of ``octaves`` noises, each twice as fine and half as strong; deviation near 1."""
    total = np.zeros(len(points), dtype=np.float32)
    for octave in range(octaves):
        total += solid_noise(points + 1.7 * octave, scale=scale * 2**octave, seed=seed) / 2**octave
    return total / 1.15
