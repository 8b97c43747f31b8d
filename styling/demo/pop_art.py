"""Pop-art print: thick black outlines, flat colours, halftone dots in the half-shadow, plates off register."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from styling.demo.sketch import Floats, Sketch


def _rgb(colour: str) -> Floats:
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], dtype=np.float32) / 255


BLACK, CREAM = _rgb("#16120f"), _rgb("#fff4d6")
RED, BLUE = _rgb("#e8262e"), _rgb("#1c63d6")
#: Backdrop, ground, colour of the object. Backdrops are flat: a convolution turns a flat wall into a flat wall,
#: so dots on it could never be learned from photographs of flat walls.
INKS = (
    (_rgb("#ffd11a"), _rgb("#fba81a"), RED),
    (_rgb("#ffd11a"), _rgb("#fba81a"), BLUE),
    (_rgb("#ffd11a"), _rgb("#fba81a"), RED),
    (_rgb("#27bdee"), _rgb("#1496d2"), RED),
    (_rgb("#ff8a9c"), _rgb("#f2627e"), BLUE),
)
#: Distance between dots, in pixels of a 256-pixel picture.
SCREEN = 10.0


def halftone(tone: Floats, unit: float, angle: float) -> Floats:
    """Coverage by round dots whose area follows ``tone`` (0 none … 1 solid)."""
    y, x = np.indices(tone.shape, dtype=np.float32) / (SCREEN * unit)
    across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    away = np.hypot(across - np.rint(across), along - np.rint(along))
    return np.clip((np.sqrt(np.clip(tone, 0, 1) / np.pi) * 1.15 - away) * SCREEN * unit * 0.8 + 0.5, 0, 1)


def draw_pop_art(sketch: Sketch, rng: np.random.Generator) -> Floats:
    """The sketch as a print, size×size×3 in [0, 1]."""
    size = len(sketch.light)
    unit = size / 256
    backdrop, ground, colour = INKS[int(rng.integers(len(INKS)))]
    sheet = np.where((sketch.part == 1)[:, :, None], ground, backdrop)
    sheet = _over(sheet, BLACK, np.clip((sketch.cast - 0.5) * 6 + 0.5, 0, 1) * 0.95)
    # The colour plate slips against the black one.
    slip = rng.uniform(1.2, 2.6, size=2) * rng.choice([-1, 1], size=2) * unit
    light = ndimage.shift(sketch.light, slip, order=1, mode="nearest")
    body = ndimage.shift(sketch.object, slip, order=1, mode="nearest")
    # Full colour in the shade, dots in a band of half-shade, none in the light.
    tint = np.clip((0.86 - light) * 2.6, 0, 1)
    plate = np.where(light < 0.6, 1, halftone(tint * 0.6, unit, np.pi / 4))
    plate = ndimage.gaussian_filter(plate.astype(np.float32), 0.5 * unit)
    sheet = _over(sheet, CREAM, body)
    sheet = _over(sheet, colour, body * plate)
    deep = np.clip((0.3 - sketch.light) * 22 + 0.5, 0, 1)
    sheet = _over(sheet, BLACK, deep * sketch.object)
    width = (4.6 + 2.2 * sketch.shadow_side) * unit
    return _over(sheet, BLACK, np.clip(width / 2 - sketch.line + 0.5, 0, 1))


def _over(sheet: Floats, colour: Floats, cover: Floats) -> Floats:
    return sheet + (colour - sheet) * cover[:, :, None]
