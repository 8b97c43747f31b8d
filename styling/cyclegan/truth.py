"""The product-truth report: what a rendering did to the product itself. Numpy, SciPy and Pillow only.

The product is found by a colour model of the picture's border: what differs from it and hangs together is the product.
Colours are compared in CIE Lab by CIEDE2000 (Sharma, Wu & Dalal 2005), edges by the share of the original's strong edges
that the rendering still has within two pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from scipy import ndimage

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Side in pixels at which pictures are compared; finer detail is style, not product.
SIZE = 192
_EDGE_SHARE = 0.15
_TO_LAB = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")


@dataclass(frozen=True)
class Breach:
    """A limit that a rendering breaks; ``code`` is the name of the figure."""

    code: str
    value: float
    limit: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class TruthLimits:
    """What a merchant lets a rendering do; beyond it the rendering is flagged."""

    least_edges_kept: float = 0.4  #: share of the product's edges, 0 to 1
    most_color_shift: float = 45.0  #: median ΔE2000 on the product

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Limits from a shop's settings; unknown names and unreadable values take the default."""
        names = {field.name for field in fields(cls)}
        known = {
            name: float(value)
            for name, value in values.items()
            if name in names and isinstance(value, int | float) and not isinstance(value, bool)
        }
        return cls(**known)


@dataclass(frozen=True)
class TruthReport:
    """What a rendering did to the product."""

    edges_kept: float  #: share of the product's strong edges that are still there, 0 to 1
    color_shift_median: float  #: ΔE2000 over the product
    color_shift_p95: float  #: ΔE2000 over the product, the worst twentieth
    mask_confidence: float  #: how surely the product was told from its background, 0 to 1

    def to_dict(self) -> dict[str, float]:
        return {name: round(value, 3) for name, value in asdict(self).items()}

    def exceeds(self, limits: TruthLimits) -> list[Breach]:
        """The limits that are broken."""
        breaches = []
        if self.edges_kept < limits.least_edges_kept:
            breaches.append(Breach("edges_kept", self.edges_kept, limits.least_edges_kept))
        if self.color_shift_median > limits.most_color_shift:
            breaches.append(Breach("color_shift_median", self.color_shift_median, limits.most_color_shift))
        return breaches


def product_truth(original: Image.Image, rendering: Image.Image) -> TruthReport:
    """Compare a rendering with its original (any sizes and modes)."""
    before, after = lab_of(original), lab_of(rendering)
    mask, confidence = product_mask(before)
    shift = ciede2000(before[mask], after[mask])
    return TruthReport(
        edges_kept=_edges_kept(before[..., 0], after[..., 0], mask),
        color_shift_median=float(np.median(shift)),
        color_shift_p95=float(np.percentile(shift, 95)),
        mask_confidence=confidence,
    )


def product_mask(lab: Floats) -> tuple[Mask, float]:
    """Where the product is (H×W), and how sure that is (0 to 1), from a Lab picture H×W×3.

    Falls back to the middle of the picture, with confidence 0, where nothing stands out from the border.
    """
    height, width = lab.shape[:2]
    band = max(2, min(height, width) // 16)
    border = np.ones((height, width), dtype=bool)
    border[band:-band, band:-band] = False
    # Rows are modelled apart: floor and wall differ, and light falls off from top to bottom.
    rows = np.stack([np.concatenate([row[:band], row[-band:]]).mean(axis=0) for row in lab])
    rows = ndimage.gaussian_filter1d(rows, height / 12, axis=0)
    distance = np.linalg.norm((lab - rows[:, None, :]) * (0.6, 1.0, 1.0), axis=2)
    threshold = max(8.0, float(np.percentile(distance[border], 90)) * 1.5)
    rough = ndimage.binary_closing(distance > threshold, iterations=3)
    rough = ndimage.binary_fill_holes(ndimage.binary_opening(rough, iterations=2))
    labels, count = ndimage.label(rough)
    if count:
        sizes = ndimage.sum_labels(rough, labels, range(1, count + 1))
        mask = labels == 1 + int(np.argmax(sizes))
        share = float(mask.mean())
        if 0.01 < share < 0.95:
            contrast = float(distance[mask].mean() / (distance[mask].mean() + threshold))
            return mask, contrast * float(mask.sum() / rough.sum())
    middle = np.zeros((height, width), dtype=bool)
    middle[height // 4 : -(height // 4) or None, width // 4 : -(width // 4) or None] = True
    return middle, 0.0


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


def lab_of(picture: Image.Image) -> Floats:
    """CIE Lab of a picture at ``SIZE``×``SIZE``: float64 H×W×3."""
    small = picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX)
    raw = np.asarray(ImageCms.applyTransform(small, _TO_LAB))  # type: ignore[arg-type]
    light = raw[..., 0].astype(np.float64) * (100 / 255)
    # Pillow keeps a and b as signed bytes in unsigned ones.
    chroma = raw[..., 1:].astype(np.int8).astype(np.float64)
    return np.concatenate([light[..., None], chroma], axis=2)


def _edges_kept(before: Floats, after: Floats, mask: Mask) -> float:
    strong = _strong_edges(before, mask)
    if not strong.any():
        return 1.0
    still = ndimage.binary_dilation(_strong_edges(after, mask), iterations=2)
    return float((strong & still).sum() / strong.sum())


def _strong_edges(light: Floats, mask: Mask) -> Mask:
    """The strongest edges on and around the product: the same share of pixels in every picture."""
    around = ndimage.binary_dilation(mask, iterations=2)
    gradient = ndimage.gaussian_gradient_magnitude(light, 1.0)
    threshold = np.quantile(gradient[around], 1 - _EDGE_SHARE)
    return around & (gradient > max(threshold, 1e-6))
