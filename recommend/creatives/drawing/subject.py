"""Where the product is on its picture: the box that no cut may go through.

Two witnesses, and the box that holds both: the mask of the product-truth report (a colour model of the picture's border)
without what may be a cast shadow, and sharp contours, which shadows lack. Where neither sees anything, contrast-based
saliency: how far each region's colour lies from the picture's own median (after Achanta et al., CVPR 2009), trimmed to the
part that holds almost all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from recommend.creatives.drawing.formats import Box
from styling.cyclegan.product_masks import product_mask
from styling.cyclegan.truth import SIZE, lab_of

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Left, top, right, bottom in pixels of the mask.
Edges = tuple[float, float, float, float]

#: Below this the mask is no better than a guess.
LEAST_CONFIDENCE = 0.35
#: Share of the saliency that the fallback's box holds.
_SALIENCY_HELD = 0.94
#: A mask covers a little less than the product (soft edges, thin handles): its box is widened by this share.
_MARGIN = 0.015


@dataclass(frozen=True, slots=True)
class Subject:
    """The product's box in pixels of its picture, and how it was found: ``mask``, ``contours`` or ``saliency``."""

    box: Box
    found_by: str
    #: Whether it goes on beyond the picture at left, top, right, bottom: there is no backdrop to extend.
    touches: tuple[bool, bool, bool, bool] = (False, False, False, False)


def find_subject(picture: Image.Image) -> Subject:
    """The product on a picture of any size."""
    lab = lab_of(picture)
    mask, confidence = product_mask(lab)
    contours = _contours(lab)
    found_by = "mask"
    if confidence >= LEAST_CONFIDENCE:
        solid = ndimage.binary_opening(mask & ~_shadow(lab), iterations=2)
        evidence = contours | solid
    else:
        evidence = solid = contours
        found_by = "contours"
    if evidence.mean() < 0.004:  # neither a mask nor a contour
        return Subject(_scaled(_saliency_box(lab), lab.shape, picture.size), "saliency")
    box = _box_of(_hanging_together(evidence))
    return Subject(_scaled(box, lab.shape, picture.size), found_by, _touches(contours, solid))


def _touches(contours: Mask, solid: Mask) -> tuple[bool, bool, bool, bool]:
    """Sides at which product and contours both end: something there was cut already when the picture was taken.

    One of them alone is the grain of a table, or what is left of a shadow.
    """
    near, least = 3, SIZE // 24
    sides = [
        [seen[:, :near].any(axis=1), seen[:near].any(axis=0), seen[:, -near:].any(axis=1), seen[-near:].any(axis=0)]
        for seen in (contours, solid)
    ]
    left, top, right, bottom = (
        bool(contour.sum() >= 4 and body.sum() >= least) for contour, body in zip(*sides, strict=True)
    )
    return left, top, right, bottom


def _box_of(mask: Mask) -> Edges:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _hanging_together(evidence: Mask) -> Mask:
    """The largest piece, with whatever else of some size lies near it: a lid, a handle, the neck of a glass."""
    labels, count = ndimage.label(ndimage.binary_dilation(evidence, iterations=3))
    sizes = ndimage.sum_labels(evidence, labels, range(1, count + 1))
    largest = labels == 1 + int(np.argmax(sizes))
    near = ndimage.binary_dilation(largest, iterations=SIZE // 16)
    kept = largest.copy()
    for label in range(1, count + 1):
        piece = labels == label
        if sizes[label - 1] >= 0.02 * sizes.max() and (piece & near).any():
            kept |= piece
    return kept & evidence


def _contours(lab: Floats) -> Mask:
    """Edges that are sharper than anything at the picture's sides in the same rows: wood grain and the seam of the floor
    are there too, a shadow is soft."""
    steep = np.sqrt(sum(ndimage.gaussian_gradient_magnitude(lab[..., part], 1.0) ** 2 for part in range(3)))
    band = max(3, lab.shape[1] // 32)
    sides = np.minimum(steep[:, 1:band].max(axis=1), steep[:, -band:-1].max(axis=1))
    usual = ndimage.gaussian_filter1d(ndimage.maximum_filter1d(sides, 7), 3)
    edges = steep > np.maximum(1.5, 1.7 * usual)[:, None]
    labels, count = ndimage.label(edges, structure=np.ones((3, 3)))
    if not count:
        return edges
    sizes = ndimage.sum_labels(edges, labels, range(1, count + 1))
    return np.isin(labels, 1 + np.flatnonzero(sizes >= 20))


def _shadow(lab: Floats) -> Mask:
    """Where a picture may be nothing but a shadow on its backdrop: soft, darker than it, of the same colour."""
    band = max(2, lab.shape[1] // 16)
    sides = np.stack([lab[:, :band].mean(axis=1), lab[:, -band:].mean(axis=1)])
    backdrop = np.take_along_axis(sides, sides[..., :1].argmax(axis=0)[None, :, :], axis=0)[0]
    darker = backdrop[:, None, 0] - lab[..., 0]
    colour = np.linalg.norm(lab[..., 1:] - backdrop[:, None, 1:], axis=2)
    return (darker > -4) & (darker < 50) & (colour < 7 + 0.15 * np.abs(darker))


def _saliency_box(lab: Floats) -> Edges:
    smooth = ndimage.gaussian_filter(lab, (lab.shape[0] / 40, lab.shape[1] / 40, 0))
    saliency = np.linalg.norm(smooth - np.median(lab, axis=(0, 1)), axis=2)
    saliency = np.maximum(saliency - np.percentile(saliency, 60), 0)
    if saliency.sum() < 1e-6:  # one colour all over: the middle is as good as anything
        height, width = saliency.shape
        return width * 0.2, height * 0.2, width * 0.8, height * 0.8
    left, right = _held(saliency.sum(axis=0))
    top, bottom = _held(saliency.sum(axis=1))
    return left, top, right, bottom


def _held(profile: Floats) -> tuple[float, float]:
    """The span that holds almost all of a profile, the same small share cut off at both ends."""
    share = np.cumsum(profile) / profile.sum()
    trimmed = (1 - _SALIENCY_HELD) / 2
    return float(np.searchsorted(share, trimmed)), float(np.searchsorted(share, 1 - trimmed) + 1)


def _scaled(box: Edges, shape: tuple[int, ...], size: tuple[int, int]) -> Box:
    """From the mask's pixels to the picture's, a little wider, inside the picture."""
    across, down = size[0] / shape[1], size[1] / shape[0]
    spare_x, spare_y = _MARGIN * size[0], _MARGIN * size[1]
    return (
        max(0, int(box[0] * across - spare_x)),
        max(0, int(box[1] * down - spare_y)),
        min(size[0], int(box[2] * across + spare_x)),
        min(size[1], int(box[3] * down + spare_y)),
    )
