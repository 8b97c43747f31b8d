"""Ink on warm paper: washes that pool at their edges, and a contour that swells on the side of the shadow."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from styling.demo.sketch import Floats, Sketch

PAPER = np.array([243, 234, 215], dtype=np.float32) / 255
INK = np.array([34, 32, 38], dtype=np.float32) / 255


def field(rng: np.random.Generator, size: int, scale: float) -> Floats:
    """Smooth noise over the sheet with features of ``scale`` pixels; mean 0, deviation 1."""
    coarse = max(4, int(size / scale) + 3)
    small = rng.standard_normal((coarse, coarse)).astype(np.float32)
    rows, columns = np.indices((size, size), dtype=np.float32) / scale
    noise = ndimage.map_coordinates(small, [rows + 0.5, columns + 0.5], order=3, mode="reflect")
    return noise / max(float(noise.std()), 1e-3)


def draw_ink(sketch: Sketch, rng: np.random.Generator) -> Floats:
    """The sketch in ink, size×size×3 in [0, 1]."""
    size = len(sketch.light)
    unit = size / 256
    cloud, grain = field(rng, size, 22 * unit), field(rng, size, 2.2 * unit)
    # Washes in three dilutions, each with the dark edge that a drying puddle leaves.
    dark = (1 - sketch.light) * sketch.object + 0.05 * cloud * sketch.object
    wash = np.zeros_like(dark)
    for level, strength in ((0.26, 0.13), (0.46, 0.2), (0.66, 0.3)):
        puddle = np.clip((dark - level) * 14 + 0.5, 0, 1)
        puddle = ndimage.gaussian_filter(puddle, 1.1 * unit)
        edge = np.clip(4 * puddle * (1 - puddle), 0, 1)
        wash += strength * (puddle * (0.85 + 0.15 * cloud) + 0.25 * edge)
    ground = (sketch.part == 1).astype(np.float32)
    mist = ndimage.gaussian_filter(ground, 7 * unit) * np.clip(0.05 + 0.012 * cloud, 0, 1)
    cast = ndimage.gaussian_filter(sketch.cast, 3.5 * unit) * 0.3 * (0.9 + 0.2 * cloud)
    swell = 1.5 + 2.4 * sketch.shadow_side + 0.7 * field(rng, size, 18 * unit)
    dry = np.clip(1.2 + 0.4 * field(rng, size, 9 * unit) + 0.2 * grain, 0.4, 1)
    contour = np.clip(np.maximum(swell, 1.2) * unit * 0.62 - sketch.line + 0.6, 0, 1) * dry
    ink = 1 - (1 - np.clip(wash + mist + cast, 0, 0.85)) * (1 - 0.94 * contour)
    ink = np.clip(ink * (1 + 0.03 * grain), 0, 1)[:, :, None]
    fibres = 0.004 * grain + 0.008 * field(rng, size, 60 * unit)
    paper = PAPER * (1 + fibres[:, :, None])
    return paper * (1 - ink) + INK * ink
