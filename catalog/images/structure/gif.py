"""The blocks of a GIF (GIF89a specification)."""

from __future__ import annotations

from catalog.images.limits import Limits
from catalog.images.structure.verdicts import Absurd, Header

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B


def walk(data: bytes, limits: Limits) -> Header:
    """Size of the screen, grown to the first picture where that is larger, and the number of pictures."""
    if len(data) < 13:
        raise Absurd("picture-broken")
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    at = 13 + _table_bytes(data[10])
    frames = 0
    while at < len(data) and data[at] != _TRAILER:
        if data[at] == _IMAGE:
            if at + 10 > len(data):
                break
            frames += 1
            if frames > limits.most_frames:
                raise Absurd("picture-too-many-frames", frames=frames)
            if frames == 1:
                left, top, wide, high = (
                    int.from_bytes(data[at + 1 + 2 * field : at + 3 + 2 * field], "little") for field in range(4)
                )
                width, height = max(width, left + wide), max(height, top + high)
            at = _after_blocks(data, at + 11 + _table_bytes(data[at + 9]))
        elif data[at] == _EXTENSION:
            at = _after_blocks(data, at + 2)
        else:
            break
    if not frames:
        raise Absurd("picture-broken")
    return Header("GIF", width, height, frames)


def _table_bytes(flags: int) -> int:
    """Bytes of a colour table by its packed flags."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    """The place behind a chain of length-prefixed blocks."""
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1
