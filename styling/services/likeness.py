"""How alike pictures are: near-copies by perceptual hash, and whether two sets of pictures differ in their look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.core.files.storage import default_storage
from numpy.typing import NDArray
from PIL import Image

#: Two pictures whose 64-bit perceptual hashes differ in at most this many bits count as copies of each other.
SAME_PICTURE_BITS = 5
#: Side of the square that a picture's look is measured on.
_SIDE = 64


def near_copies(hashes: Sequence[str]) -> int:
    """How many pictures repeat an earlier one, by their perceptual hashes (16 hex digits each)."""
    values = np.array([int(text, 16) for text in hashes if text], dtype=np.uint64)
    kept: list[np.uint64] = []
    for value in values:
        distances = np.bitwise_count(np.array(kept, dtype=np.uint64) ^ value)
        if not (distances <= SAME_PICTURE_BITS).any():
            kept.append(value)
    return len(values) - len(kept)


def looks_of(names: Sequence[str]) -> NDArray[np.float64]:
    """N×D: what the stored pictures ``names`` look like (tone, colour, contrast, edges). Lost files are left out."""
    rows = []
    for name in names:
        try:
            with default_storage.open(name, "rb") as file, Image.open(file) as picture:
                picture.draft("RGB", (_SIDE * 2, _SIDE * 2))
                small = picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX)
        except OSError:
            continue
        rows.append(_look(np.asarray(small, dtype=np.float64) / 255))
    return np.array(rows)


def _look(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tone, opponent colours, edges, the detail lost at three coarser scales, and how calm the border is."""
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    chroma = pixels - luma[:, :, None]
    red_green = pixels[:, :, 0] - pixels[:, :, 1]
    yellow_blue = (pixels[:, :, 0] + pixels[:, :, 1]) / 2 - pixels[:, :, 2]
    edges = np.hypot(*np.gradient(luma))
    border = np.concatenate((luma[0], luma[-1], luma[:, 0], luma[:, -1]))
    return np.concatenate(
        (
            np.quantile(luma, (0.05, 0.25, 0.5, 0.75, 0.95)),
            pixels.mean((0, 1)),
            [luma.std(), np.abs(chroma).mean(), red_green.mean(), red_green.std()],
            [yellow_blue.mean(), yellow_blue.std(), border.std()],
            [edges.mean(), edges.std(), (edges > 0.1).mean(), (edges < 0.01).mean()],
            np.quantile(edges, (0.5, 0.9)),
            [_detail(luma, block) for block in (2, 4, 8)],
        )
    )


def _detail(luma: NDArray[np.float64], block: int) -> float:
    """Mean distance of the pixels from the mean of their ``block``×``block`` neighbours."""
    blocks = luma.reshape(_SIDE // block, block, _SIDE // block, block)
    return float(np.abs(blocks - blocks.mean((1, 3), keepdims=True)).mean())


def tell_apart(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """How reliably a picture's look says which set it is from: 1 always, about 0.5 where the sets look the same.

    Leave-one-out accuracy of the nearest centroid in standardised features, balanced over the two sets.
    """
    both = np.concatenate((left, right))
    scaled = (both - both.mean(0)) / (both.std(0) + 1e-6)
    sets = scaled[: len(left)], scaled[len(left) :]
    rates = []
    for own, other in (sets, sets[::-1]):
        rest = (own.sum(0) - own) / (len(own) - 1)
        to_own = ((own - rest) ** 2).sum(1)
        to_other = ((own - other.mean(0)) ** 2).sum(1)
        rates.append(float((to_own < to_other).mean()))
    return sum(rates) / 2
