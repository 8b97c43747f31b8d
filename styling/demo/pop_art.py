"""Pop-art print: thick black outlines, three flat tones, a hard black shadow, plates off register.

No halftone, though the genre has it: a convolution turns a flat wall into a flat wall, so where dots lie on one
cannot be learned from photographs, and a discriminator that knows them by their dots teaches nothing else.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from styling.demo.sketch import Floats, Sketch


def _rgb(colour: str) -> Floats:
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], dtype=np.float32) / 255


BLACK, CREAM = _rgb("#16120f"), _rgb("#fff4d6")
BACKDROP, GROUND = _rgb("#ffd11a"), _rgb("#fba81a")
#: The object's colour in the shade, and in the half-shade.
PLATES = ((_rgb("#e3242b"), _rgb("#ff7a6b")), (_rgb("#1b5fd9"), _rgb("#62b4f5")))


def draw_pop_art(sketch: Sketch, rng: np.random.Generator) -> Floats:
    """The sketch as a print, size×size×3 in [0, 1]."""
    size = len(sketch.light)
    unit = size / 256
    shade, half_shade = PLATES[int(rng.integers(len(PLATES)))]
    sheet = np.where((sketch.part == 1)[:, :, None], GROUND, BACKDROP)
    sheet = _over(sheet, BLACK, _cut(sketch.cast, 0.5, unit))
    # The colour plates slip against the black one.
    slip = rng.uniform(1.0, 2.2, size=2) * rng.choice([-1, 1], size=2) * unit
    light = ndimage.shift(ndimage.gaussian_filter(sketch.light, unit), slip, order=1, mode="nearest")
    body = ndimage.shift(sketch.object, slip, order=1, mode="nearest")
    sheet = _over(sheet, CREAM, body)
    sheet = _over(sheet, half_shade, body * _cut(-light, -0.78, unit))
    sheet = _over(sheet, shade, body * _cut(-light, -0.56, unit))
    sheet = _over(sheet, BLACK, _cut(-sketch.light, -0.3, unit) * sketch.object)
    width = (4.6 + 2.2 * sketch.shadow_side) * unit
    return _over(sheet, BLACK, np.clip(width / 2 - sketch.line + 0.5, 0, 1))


def _cut(tone: Floats, threshold: float, unit: float) -> Floats:
    """Where ``tone`` is above ``threshold``, with an edge about a pixel wide."""
    return np.clip((tone - threshold) * 20 / unit + 0.5, 0, 1)


def _over(sheet: Floats, colour: Floats, cover: Floats) -> Floats:
    return sheet + (colour - sheet) * cover[:, :, None]
