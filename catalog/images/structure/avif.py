"""The boxes of an AVIF (ISO/IEC 14496-12, HEIF)."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.images.limits import Limits
from catalog.images.structure.verdicts import Absurd, Header

_MOST_BOXES = 2_000


def walk(data: bytes, limits: Limits) -> Header:
    """The largest picture that the property boxes announce; the decoder counts frames, without reading pixels."""
    sizes: list[tuple[int, int]] = []
    budget = [_MOST_BOXES]
    for kind, start, end in _boxes(data, 0, len(data), budget):
        if kind == b"meta":
            sizes += _picture_sizes(data, start + 4, end, budget)
    if not sizes:
        raise Absurd("picture-broken")
    for width, height in sizes:
        if max(width, height) > limits.longest_side:
            raise Absurd("picture-side-too-long", width=width, height=height)
    return Header("AVIF", *max(sizes, key=lambda size: size[0] * size[1]))


def _picture_sizes(data: bytes, start: int, end: int, budget: list[int]) -> Iterator[tuple[int, int]]:
    """``ispe`` in ``ipco`` in ``iprp``: width and height of each item."""
    for kind, inner, last in _boxes(data, start, end, budget):
        if kind in {b"iprp", b"ipco"}:
            yield from _picture_sizes(data, inner, last, budget)
        elif kind == b"ispe" and last - inner >= 12:
            yield (
                int.from_bytes(data[inner + 4 : inner + 8], "big"),
                int.from_bytes(data[inner + 8 : inner + 12], "big"),
            )


def _boxes(data: bytes, at: int, end: int, budget: list[int]) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte of the body and end of each box between ``at`` and ``end``."""
    while at + 8 <= end:
        budget[0] -= 1
        if budget[0] < 0:
            raise Absurd("picture-too-complex")
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = at + 8
        if size == 1:
            size, body = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        elif size == 0:
            size = end - at
        if size < body - at:
            raise Absurd("picture-broken")
        yield kind, body, min(at + size, end)
        at += size
