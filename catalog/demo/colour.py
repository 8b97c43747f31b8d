"""Colour as light: sRGB hex to linear radiance, and a photograph's development back to sRGB."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Arrays of this package are float32 as far as they are large: half the memory traffic, and no picture can tell.
Floats = NDArray[np.floating[Any]]

#: How late the tone curve bends: larger keeps mid-tones linear, smaller rolls highlights off sooner.
SHOULDER = 2.8
EXPOSURE = 1.28


@cache
def linear(colour: str) -> Floats:
    """``"#rrggbb"`` in sRGB as linear RGB, shape (3,) in [0, 1]."""
    encoded = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], dtype=np.float32) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def mix(first: Floats, second: Floats, amount: Floats | float) -> Floats:
    """Between two colours (…×3 or (3,)) by ``amount`` (… or a number) in [0, 1]."""
    weight: Any = np.asarray(amount, dtype=np.float32)[..., None]
    return first + (second - first) * weight


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """0 below ``low``, 1 above ``high``, a smooth cubic between."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def develop(radiance: Floats) -> Image.Image:
    """H×W×3 linear radiance to an 8-bit sRGB picture, highlights rolled off instead of clipped."""
    light = np.maximum(radiance, 0) * EXPOSURE
    light = light / (1 + light**SHOULDER) ** (1 / SHOULDER)
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray(np.rint(encoded * 255).astype(np.uint8))
