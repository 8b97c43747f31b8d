"""Where the product is in a picture: foreground segmentation without learned weights. Numpy and SciPy only.

The first guess is what differs from the picture's border row by row. Then, as in GrabCut (Rother, Kolmogorov & Blake
2004) but with colour histograms for mixtures and smoothing for the graph cut, product and background colours and the
mask are estimated in turn. Border pixels weigh for the background and the middle for the product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from styling.cyclegan.colors import Floats

Mask = NDArray[np.bool_]

#: Cells of the Lab histogram: lightness, a, b.
_CELLS = (12, 16, 16)
_ROUNDS = 6
#: A first guess with less confidence than this is not built on.
_TRUSTED = 0.3
#: With less than this, product and background have the same colours.
_LEAST_CONFIDENCE = 0.1
#: Parts at least this large, as a share of the largest, belong to the product too: a pair of shoes is two.
_SMALLEST_PART = 0.25
#: A product fills so much of the picture; what is outside of this was not found.
_SHARES = (0.01, 0.95)


def product_mask(lab: Floats) -> tuple[Mask, float]:
    """Where the product is (H×W), and how surely its colours tell it from the rest (0 to 1), from Lab H×W×3.

    Falls back to the middle of the picture, with confidence 0, where nothing stands out.
    """
    height, width = lab.shape[:2]
    border = _border(height, width)
    rows, columns = np.mgrid[:height, :width]
    radius = np.hypot((rows - (height - 1) / 2) / (height / 2), (columns - (width - 1) / 2) / (width / 2))
    towards_middle = 0.9 - radius
    guess, trust = _unlike_the_border(lab, border)
    product = np.where(guess, 0.9, 0.1) if trust > _TRUSTED else _logistic(4 * towards_middle)
    product = np.where(border, 0.2 * product, product)
    cells = _cells(ndimage.gaussian_filter(lab, (0.7, 0.7, 0)))
    for _ in range(_ROUNDS):
        ratio = np.log(_histogram(cells, product) / _histogram(cells, 1 - product))
        evidence = ndimage.gaussian_filter(ratio.clip(-4, 4)[cells], 1.0)
        product = _logistic(1.5 * evidence + towards_middle)
    mask = _largest_parts(_solid(product > 0.5))
    shared = np.minimum(_histogram(cells, mask), _histogram(cells, ~mask)).sum()
    confidence = float(np.clip(1 - shared, 0, 1))
    if _SHARES[0] < mask.mean() < _SHARES[1] and confidence > _LEAST_CONFIDENCE:
        return mask, confidence
    middle = np.zeros((height, width), dtype=bool)
    middle[height // 4 : -(height // 4) or None, width // 4 : -(width // 4) or None] = True
    return middle, 0.0


def _unlike_the_border(lab: Floats, border: Mask) -> tuple[Mask, float]:
    """The largest part that differs from the border's colours at its own height, and how much it does (0 to 1)."""
    height, width = lab.shape[:2]
    band = _band(height, width)
    # Rows are modelled apart: floor and wall differ, and light falls off from top to bottom.
    colors = np.stack([np.concatenate([row[:band], row[-band:]]).mean(axis=0) for row in lab])
    colors = ndimage.gaussian_filter1d(colors, height / 12, axis=0)
    distance = np.linalg.norm((lab - colors[:, None, :]) * (0.6, 1.0, 1.0), axis=2)
    threshold = max(8.0, float(np.percentile(distance[border], 90)) * 1.5)
    rough = _solid(distance > threshold)
    mask = _largest_parts(rough)
    if not _SHARES[0] < mask.mean() < _SHARES[1]:
        return mask, 0.0
    contrast = float(distance[mask].mean() / (distance[mask].mean() + threshold))
    return mask, contrast * float(mask.sum() / rough.sum())


def _band(height: int, width: int) -> int:
    return max(2, min(height, width) // 16)


def _border(height: int, width: int) -> Mask:
    band = _band(height, width)
    border = np.ones((height, width), dtype=bool)
    border[band:-band, band:-band] = False
    return border


def _logistic(logits: Floats) -> Floats:
    return 1 / (1 + np.exp(-logits))


def _cells(lab: Floats) -> NDArray[np.intp]:
    """Number of each pixel's histogram cell; chroma beyond ±64 falls into the outermost."""
    shares = np.stack([lab[..., 0] / 100, (lab[..., 1] + 64) / 128, (lab[..., 2] + 64) / 128])
    levels = [(share * count).clip(0, count - 1).astype(np.intp) for share, count in zip(shares, _CELLS, strict=True)]
    return np.ravel_multi_index(tuple(levels), _CELLS)


def _histogram(cells: NDArray[np.intp], weights: NDArray[np.float64] | Mask) -> Floats:
    """Smoothed colour distribution of the weighted pixels; no cell is impossible."""
    counts = np.bincount(cells.ravel(), weights.ravel(), minlength=int(np.prod(_CELLS))).reshape(_CELLS)
    smooth = ndimage.gaussian_filter(counts, 0.6) + 1e-6
    return (smooth / smooth.sum()).ravel()


def _solid(rough: Mask) -> Mask:
    """Without cracks, holes and crumbs. Padded, because closing would open up what touches the picture's edge."""
    closed = ndimage.binary_closing(np.pad(rough, 4), iterations=3)[4:-4, 4:-4]
    return ndimage.binary_fill_holes(ndimage.binary_opening(closed, iterations=2))


def _largest_parts(mask: Mask) -> Mask:
    labels, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = ndimage.sum_labels(mask, labels, range(1, count + 1))
    return np.isin(labels, 1 + np.flatnonzero(sizes >= _SMALLEST_PART * sizes.max()))
