"""Colours of a brand, and which of them can be read on what. Contrast as WCAG 2.2 defines it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[int, int, int]
WHITE: Rgb = (255, 255, 255)
BLACK: Rgb = (0, 0, 0)
#: WCAG's level AA for text of any size.
LEAST_CONTRAST = 4.5
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Palette:
    """A brand's three colours."""

    background: Rgb
    ink: Rgb
    accent: Rgb


def rgb_of(text: str) -> Rgb:
    """``#rrggbb`` as three bytes; ValueError for anything else."""
    if not _HEX.fullmatch(text):
        raise ValueError(text)
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def luminance(colours: NDArray[np.uint8] | Rgb) -> NDArray[np.float64]:
    """Relative luminance, 0 to 1, of sRGB bytes …×3."""
    part = np.asarray(colours, dtype=np.float64) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def contrast(one: NDArray[np.uint8] | Rgb, other: NDArray[np.uint8] | Rgb) -> NDArray[np.float64]:
    """Contrast ratio, 1 to 21, pixel by pixel."""
    first, second = luminance(one), luminance(other)
    return (np.maximum(first, second) + 0.05) / (np.minimum(first, second) + 0.05)


def readable_on(ground: NDArray[np.uint8] | Rgb, wanted: Rgb) -> Rgb:
    """The wanted colour where it can be read on all of ``ground``, else black or white, whichever reads better."""
    if worst_contrast(ground, wanted) >= LEAST_CONTRAST:
        return wanted
    return max((BLACK, WHITE), key=lambda ink: worst_contrast(ground, ink))


def worst_contrast(ground: NDArray[np.uint8] | Rgb, ink: Rgb) -> float:
    """The contrast of ``ink`` with the pixel of ``ground`` on which it reads worst."""
    return float(contrast(ground, ink).min())


def mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    """``one`` with ``share`` (0 to 1) of the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
