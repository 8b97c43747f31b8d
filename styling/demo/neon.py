"""Night neon: glowing tubes along every line on a dark wall, magenta in the light and cyan in the shadow.

The body of things stays visible in violet light: a translator that must be able to go back (the cycle) learns a
dark picture of a thing sooner than the bare outline of it.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from styling.demo.sketch import Floats, Sketch

NIGHT = np.array([14, 10, 34], dtype=np.float32) / 255
MAGENTA = np.array([255, 24, 150], dtype=np.float32) / 255
CYAN = np.array([10, 205, 255], dtype=np.float32) / 255
VIOLET = np.array([82, 44, 168], dtype=np.float32) / 255


def draw_neon(sketch: Sketch, rng: np.random.Generator) -> Floats:
    """The sketch as a neon sign, size×size×3 in [0, 1]."""
    size = len(sketch.light)
    unit = size / 256
    cool = np.clip(1.5 * sketch.shadow_side - 0.25 + rng.normal(0, 0.08), 0, 1)[:, :, None]
    hue = MAGENTA * (1 - cool) + CYAN * cool
    hue = ndimage.gaussian_filter(hue, (4 * unit, 4 * unit, 0))
    tube = np.clip(1.5 * unit - sketch.line + 0.5, 0, 1)
    lit = tube[:, :, None] * hue
    picture = np.broadcast_to(NIGHT, (size, size, 3)).copy()
    picture += VIOLET * (0.62 * sketch.light**1.4 * sketch.object)[:, :, None]
    picture += VIOLET * (0.3 * (sketch.part == 1) * np.linspace(1.3, 0.4, size, dtype=np.float32)[:, None])[:, :, None]
    picture *= (1 - 0.6 * sketch.cast)[:, :, None]
    for spread, strength in ((2.2, 0.8), (6, 1.0), (18, 1.3)):
        picture += strength * ndimage.gaussian_filter(lit, (spread * unit, spread * unit, 0))
    core = np.clip(0.7 * unit - sketch.line + 0.5, 0, 1)[:, :, None]
    picture = picture * (1 - 0.4 * tube[:, :, None]) + hue * tube[:, :, None]
    picture = picture * (1 - 0.6 * core) + core * (0.35 + 0.75 * hue)
    return 1 - np.exp(-1.15 * picture)
