"""The look of a picture as 64 numbers: colour, light, direction and texture, at several scales. No model, no download.

Blocks of the vector (each a histogram whose square roots have unit length, so that comparing them is comparing
distributions: the Hellinger kernel), with their weights:

===========  ====  =======================================================================================
block        size  what
===========  ====  =======================================================================================
hue            24  8 hues × 3 degrees of colourfulness, weighted by colourfulness (a grey has no hue)
lightness       8  how light, in the whole picture
layout          8  mean lightness and colourfulness of the centre, border, top and bottom, each as a pair
direction      18  orientations of edges: 6 directions × 3 scales, weighted by the strength of the edge
texture         6  how strong the edges are: 2 levels (soft, hard) × 3 scales
===========  ====  =======================================================================================

Two pictures compare by inner product, in [0, 1]. Colours are read in an opponent space (light, red-green, blue-yellow),
which needs no colour management and is exact in integers up to scale; results do not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
STYLE_SIZE = 64
SIDE = 96  # pixels; look is not in the details
SCALES = (1, 2, 4)
HUES, CHROMAS, LIGHTS, DIRECTIONS = 8, 3, 8, 6
CHROMA_EDGES = (0.08, 0.22)
HARD_EDGE = 0.12
BLOCK_WEIGHTS = {"hue": 1.0, "lightness": 0.7, "layout": 0.5, "direction": 0.6, "texture": 0.8}


def style_vector(image: Image.Image) -> Floats:
    """The look of a picture: 64 float32 numbers of unit length. Any mode; transparency is read as white."""
    pixels = _pixels(image)
    light = pixels.mean(axis=2)
    red_green = pixels[..., 0] - pixels[..., 1]
    blue_yellow = (pixels[..., 0] + pixels[..., 1]) / 2 - pixels[..., 2]
    chroma = np.hypot(red_green, blue_yellow)
    edges = [_edges(light, scale) for scale in SCALES]
    blocks = {
        "hue": _hue(red_green, blue_yellow, chroma),
        "lightness": np.histogram(light, bins=LIGHTS, range=(0.0, 1.0 + 1e-9))[0].astype(np.float64),
        "layout": _layout(light, chroma),
        "direction": np.concatenate([_directions(*edge) for edge in edges]),
        "texture": np.concatenate([_strengths(*edge) for edge in edges]),
    }
    parts = []
    for name, block in blocks.items():
        total = block.sum()
        parts.append(BLOCK_WEIGHTS[name] * np.sqrt(block / total if total > 0 else np.full(len(block), 1 / len(block))))
    vector = np.concatenate(parts)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def style_profile(
    vectors: Floats, ages: NDArray[np.floating], strengths: NDArray[np.floating], *, half_life: float
) -> Floats:
    """A shopper's style: the mean look of n liked pictures (n×d), halving in weight every ``half_life``; d floats.

    ``ages`` in the unit of ``half_life``, ``strengths`` ≥ 0. Unit length; zeros where nothing weighs in.
    """
    weights = np.maximum(strengths, 0.0) * 0.5 ** (np.asarray(ages, dtype=np.float64) / half_life)
    total = weights @ vectors if len(vectors) else np.zeros(vectors.shape[1])
    length = np.linalg.norm(total)
    return (total / length if length > 1e-9 else np.zeros(vectors.shape[1])).astype(np.float32)


def style_similarity(style: Floats, vectors: Floats, *, centre: Floats | None = None) -> Floats:
    """Likeness of a style (d) to n looks (n×d), in [-1, 1]. ``centre``: the catalogue's mean look, taken off first.

    All product photos share a white backdrop and soft light; without the centre they are all alike.
    """
    middle = np.zeros(vectors.shape[1], dtype=np.float32) if centre is None else centre
    left, right = style - middle, vectors - middle
    scale = np.linalg.norm(right, axis=1) * np.linalg.norm(left)
    return np.where(scale > 1e-9, right @ left / np.maximum(scale, 1e-9), 0.0).astype(np.float32)


def mean_style(images: Sequence[Image.Image]) -> Floats:
    """The look that several pictures share: the unit mean of their vectors, 64 floats."""
    vectors = np.stack([style_vector(image) for image in images])
    return style_profile(vectors, np.zeros(len(vectors)), np.ones(len(vectors)), half_life=1.0)


def centred(vectors: Floats) -> Floats:
    """N×d rows less the mean of the known ones, unit length again: what sets a picture apart. Zero rows stay zero.

    All pictures of a shop share most of their look; what tells them apart is how they deviate from it.
    """
    known = np.abs(vectors).sum(axis=1) > 0
    result = np.zeros(vectors.shape, dtype=np.float32)
    if known.any():
        rows = vectors[known] - vectors[known].mean(axis=0)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        result[known] = np.where(lengths > 1e-6, rows / np.maximum(lengths, 1e-6), 0.0)
    return result


def principal(vectors: Floats, size: int) -> Floats:
    """N×size: centred rows (N×d) along the axes in which they differ most, unit length again; zero rows stay zero.

    The sign of an axis is that of its largest entry: the same pictures give the same numbers, as far as no two axes
    matter equally.
    """
    rows = vectors.astype(np.float64)
    _, axes = np.linalg.eigh(rows.T @ rows)
    axes = axes[:, ::-1][:, :size]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    turned = np.zeros((len(rows), size))
    turned[:, : axes.shape[1]] = rows @ axes
    lengths = np.linalg.norm(turned, axis=1, keepdims=True)
    return np.where(lengths > 1e-6, turned / np.maximum(lengths, 1e-6), 0.0).astype(np.float32)


def on_white(image: Image.Image) -> Image.Image:
    """The picture in RGB, what is transparent in it as white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, (255, 255, 255, 255)), layer)
    return image.convert("RGB")


def _pixels(image: Image.Image) -> NDArray[np.float64]:
    small = on_white(image).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64) / 255.0


def _hue(
    red_green: NDArray[np.float64], blue_yellow: NDArray[np.float64], chroma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Soft hue histogram: each pixel is shared by its two nearest hues. Colourless pixels share all hues alike."""
    place = (np.arctan2(blue_yellow, red_green) / (2 * np.pi) * HUES) % HUES
    lower = np.floor(place).astype(np.int64) % HUES
    share = place - np.floor(place)
    level = np.digitize(chroma, CHROMA_EDGES)
    result = np.zeros((CHROMAS, HUES))
    np.add.at(result, (level, lower), 1 - share)
    np.add.at(result, (level, (lower + 1) % HUES), share)
    result[0] = result[0].sum() / HUES
    return result.ravel()


def _layout(light: NDArray[np.float64], chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    quarter = SIDE // 4
    inside = np.zeros((SIDE, SIDE), dtype=bool)
    inside[quarter:-quarter, quarter:-quarter] = True
    upper = np.zeros_like(inside)
    upper[: SIDE // 2] = True
    regions = (inside, ~inside, upper, ~upper)
    return np.array([value for region in regions for value in (light[region].mean(), chroma[region].mean())])


def _edges(light: NDArray[np.float64], scale: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Strength and direction (0..π) of the edges of a picture made ``scale`` times smaller."""
    side = SIDE // scale
    small = light.reshape(side, scale, side, scale).mean(axis=(1, 3))
    across = small[1:-1, 2:] - small[1:-1, :-2]
    down = small[2:, 1:-1] - small[:-2, 1:-1]
    return np.hypot(across, down), np.arctan2(down, across) % np.pi


def _directions(strength: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
    place = direction / np.pi * DIRECTIONS
    lower = np.floor(place).astype(np.int64) % DIRECTIONS
    share = place - np.floor(place)
    first = np.bincount(lower.ravel(), weights=(strength * (1 - share)).ravel(), minlength=DIRECTIONS)
    second = np.bincount(((lower + 1) % DIRECTIONS).ravel(), weights=(strength * share).ravel(), minlength=DIRECTIONS)
    return np.asarray(first + second, dtype=np.float64)


def _strengths(strength: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the picture under soft and hard edges; the flat rest is what is missing to one."""
    soft = np.clip(strength / HARD_EDGE, 0, 1).mean()
    hard = (strength > HARD_EDGE).mean()
    return np.array([soft, hard])
