"""CIE Lab and the differences an eye sees in it. Numpy and Pillow only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Floats = NDArray[np.float64]

_TO_LAB = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")


def to_lab(picture: Image.Image, size: tuple[int, int]) -> Floats:
    """CIE Lab of a picture of any mode at ``size`` (width, height): float64 H×W×3."""
    small = picture.convert("RGB").resize(size, Image.Resampling.BOX)
    raw = np.asarray(ImageCms.applyTransform(small, _TO_LAB))  # type: ignore[arg-type]
    light = raw[..., 0].astype(np.float64) * (100 / 255)
    # Pillow keeps a and b as signed bytes in unsigned ones.
    chroma = raw[..., 1:].astype(np.int8).astype(np.float64)
    return np.concatenate([light[..., None], chroma], axis=2)


def ciede2000(first: Floats, second: Floats) -> Floats:
    """ΔE2000 between Lab colours (…×3), after Sharma, Wu & Dalal, Color Res. Appl. 30 (2005)."""
    light1, a1, b1 = np.moveaxis(np.asarray(first, dtype=np.float64), -1, 0)
    light2, a2, b2 = np.moveaxis(np.asarray(second, dtype=np.float64), -1, 0)
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 0.5 * (1 - np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7)))
    a1, a2 = a1 * (1 + stretch), a2 * (1 + stretch)
    chroma1, chroma2 = np.hypot(a1, b1), np.hypot(a2, b2)
    hue1, hue2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = chroma1 * chroma2 == 0
    turn = np.where(grey, 0.0, (hue2 - hue1 + 180) % 360 - 180)
    # Exactly opposite hues turn by +180° where the second is larger, as the paper has it.
    turn = np.where(~grey & (hue2 - hue1 == 180), 180.0, turn)
    d_light, d_chroma = light2 - light1, chroma2 - chroma1
    d_hue = 2 * np.sqrt(chroma1 * chroma2) * np.sin(np.radians(turn) / 2)
    light, chroma = (light1 + light2) / 2, (chroma1 + chroma2) / 2
    total = hue1 + hue2
    far = np.abs(hue1 - hue2) > 180
    hue = np.where(grey, total, np.where(far, np.where(total < 360, total + 360, total - 360) / 2, total / 2))
    weight = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    s_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_chroma, s_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * weight
    rotation = -np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    rotation *= 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    terms = d_light / s_light, d_chroma / s_chroma, d_hue / s_hue
    squares = sum(term**2 for term in terms) + rotation * terms[1] * terms[2]
    return np.sqrt(np.maximum(squares, 0.0))
