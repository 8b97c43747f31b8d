"""The product-truth report: what a rendering did to the product itself. Numpy, SciPy and Pillow only.

On the product alone (``product_masks``): colours are compared in CIE Lab by CIEDE2000, edges by the share of the
original's strong edges that the rendering still has within two pixels, and lettering (``legibility``) by how well its
pattern is still told from its ground.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from PIL import Image
from scipy import ndimage

from styling.cyclegan.colors import Floats, ciede2000, to_lab
from styling.cyclegan.legibility import find_lettering, legibility
from styling.cyclegan.product_masks import Mask, product_mask

__all__ = ["Breach", "TruthLimits", "TruthReport", "ciede2000", "lab_of", "product_mask", "product_truth"]

#: Side in pixels at which pictures are compared; finer detail is style, not product.
SIZE = 192
_EDGE_SHARE = 0.15


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
    least_text_legibility: float = 0.35  #: of lettering on the product, 0 to 1

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
    text_legibility: float | None = None  #: how readable its lettering still is, 0 to 1; ``None`` where none was found

    def to_dict(self) -> dict[str, float]:
        return {name: round(value, 3) for name, value in asdict(self).items() if value is not None}

    def exceeds(self, limits: TruthLimits) -> list[Breach]:
        """The limits that are broken."""
        breaches = []
        if self.edges_kept < limits.least_edges_kept:
            breaches.append(Breach("edges_kept", self.edges_kept, limits.least_edges_kept))
        if self.color_shift_median > limits.most_color_shift:
            breaches.append(Breach("color_shift_median", self.color_shift_median, limits.most_color_shift))
        if self.text_legibility is not None and self.text_legibility < limits.least_text_legibility:
            breaches.append(Breach("text_legibility", self.text_legibility, limits.least_text_legibility))
        return breaches


def product_truth(original: Image.Image, rendering: Image.Image) -> TruthReport:
    """Compare a rendering with its original (any sizes and modes)."""
    before, after = lab_of(original), lab_of(rendering)
    mask, confidence = product_mask(before)
    shift = ciede2000(before[mask], after[mask])
    lettering = find_lettering(original, mask)
    return TruthReport(
        edges_kept=_edges_kept(before[..., 0], after[..., 0], mask),
        color_shift_median=float(np.median(shift)),
        color_shift_p95=float(np.percentile(shift, 95)),
        mask_confidence=confidence,
        text_legibility=legibility(original, rendering, lettering) if lettering else None,
    )


def lab_of(picture: Image.Image) -> Floats:
    """CIE Lab of a picture at ``SIZE``×``SIZE``: float64 H×W×3."""
    return to_lab(picture, (SIZE, SIZE))


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
