"""A motif before any style: its parts with light and shadow, and how far each pixel is from a line.

Every look draws from the same sketch, so looks differ in hand, not in subject.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from styling.demo.outlines import Motif, Points

Floats = NDArray[np.floating[Any]]

#: Towards the light: from the left, above and the front (x right, y down, z to the viewer).
LIGHT = np.array([-0.55, -0.6, 0.58], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Sketch:
    """A motif on a grid of pixels; all arrays are size×size."""

    light: Floats  #: 0 in deep shadow … 1 in full light
    object: Floats  #: coverage by any part, 0 … 1
    part: NDArray[np.int32]  #: 0 backdrop, 1 ground, 2… the parts
    cast: Floats  #: shadow on the ground, 0 … 1
    line: Floats  #: distance in pixels to the nearest outline or stroke
    shadow_side: Floats  #: 0 … 1: how much a line here is on the side away from the light


def rasterise(motif: Motif, *, size: int, rng: np.random.Generator) -> Sketch:
    """The motif on ``size``×``size`` pixels, at a place and scale that ``rng`` moves a little."""
    scale = size / 2 * rng.uniform(0.74, 0.88)
    centre = size / 2 + size * rng.normal(0, 0.015, size=2)
    label = Image.new("I", (size, size), 0)
    pen = ImageDraw.Draw(label)
    if motif.ground is not None:
        edge = centre[1] + (motif.ground + rng.normal(0, 0.03)) * scale * 0.62
        pen.rectangle([0, edge, size, size], fill=1)

    def place(points: Points) -> list[tuple[float, float]]:
        return [(centre[0] + x * scale, centre[1] + y * scale) for x, y in points]

    for number, part in enumerate(motif.parts, start=2):
        pen.polygon(place(part.outline), fill=number)
    part_of = np.asarray(label, dtype=np.int32)
    lines = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(lines)
    for stroke in motif.strokes:
        pen.line(place(stroke), fill=255, width=1)
    drawn = np.asarray(lines) > 0
    solid = np.where(part_of > 1, part_of, 0)
    drawn = drawn | (ndimage.maximum_filter(solid, 3) != ndimage.minimum_filter(solid, 3))
    body = (part_of > 1).astype(np.float32)
    light = _light(motif, part_of)
    cast = _cast_shadow(body, size) * (part_of == 1)
    tilt = ndimage.gaussian_filter(body, size / 60)
    slope = np.stack(np.gradient(tilt))
    steep = np.maximum(np.hypot(*slope), 1e-4)
    away = 0.5 + 0.5 * (slope[1] * LIGHT[0] + slope[0] * LIGHT[1]) / steep / 0.81
    return Sketch(
        light=light,
        object=ndimage.gaussian_filter(body, 0.6),
        part=part_of,
        cast=cast,
        line=ndimage.distance_transform_edt(~drawn).astype(np.float32),
        shadow_side=away.astype(np.float32),
    )


def _light(motif: Motif, part_of: NDArray[np.int32]) -> Floats:
    """Lambert's light on parts blown up like balloons (height from the distance to the outline)."""
    light = np.full(part_of.shape, 0.9, dtype=np.float32)
    for number, part in enumerate(motif.parts, start=2):
        mask = part_of == number
        if not mask.any():
            continue
        inward = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1].astype(np.float32)
        deepest = max(float(inward.max()), 1.0)
        share = np.clip(inward / deepest, 0, 1)
        height = np.sqrt(np.maximum(1 - (1 - share) ** 2, 0)) * deepest * part.depth
        down, right = np.gradient(_rounded(height, mask, deepest / 5))
        length = np.sqrt(1 + down**2 + right**2)
        facing = (-right * LIGHT[0] - down * LIGHT[1] + LIGHT[2]) / length
        lit = np.clip(0.16 + 0.95 * np.clip(facing, 0, 1), 0, 1) * part.shade
        light[mask] = lit[mask]
    return np.clip(light, 0, 1)


def _rounded(height: Floats, mask: NDArray[np.bool_], spread: float) -> Floats:
    """``height`` smoothed within its mask, so that the skeleton of the outline does not show as creases."""
    weight = ndimage.gaussian_filter(mask.astype(np.float32), spread)
    return ndimage.gaussian_filter(height * mask, spread) / np.maximum(weight, 0.05)


def _cast_shadow(body: Floats, size: int) -> Floats:
    """The body's silhouette, squashed onto the ground and leaning away from the light."""
    rows = np.flatnonzero(body.any(axis=1))
    if not rows.size:
        return body
    foot = rows[-1]
    y, x = np.indices(body.shape, dtype=np.float32)
    up = (foot - y) / 0.22
    return ndimage.map_coordinates(body, [foot - np.abs(up), x - np.abs(up) * 0.55 - 0.01 * size], order=1)
