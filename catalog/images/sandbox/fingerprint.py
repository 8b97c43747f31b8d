"""A perceptual hash: small where two pictures look alike, whatever their size and compression."""

from __future__ import annotations

import math
import statistics

from PIL import Image

_SIDE, _KEPT = 32, 8
_COSINES = [
    [math.cos(math.pi * (2 * place + 1) * frequency / (2 * _SIDE)) for place in range(_SIDE)]
    for frequency in range(_KEPT)
]
#: Below this a coefficient is rounding noise; a plain picture then has the same hash however it was compressed.
_NOISE = 8.0


def perceptual_hash(picture: Image.Image) -> str:
    """64 bits as 16 hexadecimal digits: signs of the 8×8 lowest DCT coefficients against their median (Zauner 2010)."""
    small = picture.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR).convert("L").tobytes()
    rows = [small[_SIDE * row : _SIDE * (row + 1)] for row in range(_SIDE)]
    across = [[_project(row, cosine) for cosine in _COSINES] for row in rows]
    coefficients = [
        _project([line[column] for line in across], cosine) for cosine in _COSINES for column in range(_KEPT)
    ]
    quiet = [0.0 if abs(value) < _NOISE else value for value in coefficients]
    middle = statistics.median(quiet[1:])
    bits = 0
    for value in quiet:
        bits = bits << 1 | (value > middle)
    return f"{bits:016x}"


def _project(values: bytes | list[float], cosine: list[float]) -> float:
    return sum(value * weight for value, weight in zip(values, cosine, strict=True))
