"""The directories of a TIFF 6.0: only plain photos in strips or tiles."""

from __future__ import annotations

import struct

from catalog.images.limits import Limits
from catalog.images.structure.verdicts import Absurd, Header

_MOST_ENTRIES = 512
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _STRIPS, _SAMPLES = 256, 257, 258, 259, 273, 277
_TILE_WIDTH, _TILE_HEIGHT, _TILES = 322, 323, 324
#: None, LZW, deflate (both numbers), PackBits. Embedded JPEGs and fax codes are refused.
_COMPRESSIONS = {1, 5, 8, 32946, 32773}
_MOST_PIECES = 100_000
_KIND_BYTES = {1: 1, 3: 2, 4: 4}


def walk(data: bytes, limits: Limits) -> Header:
    """Size of the first page, and the number of pages."""
    order = "<" if data[:2] == b"II" else ">"
    at = _number(data, 4, order, 4)
    seen: set[int] = set()
    first: dict[int, tuple[int, int]] = {}
    while at:
        if at in seen or at + 2 > len(data):
            raise Absurd("picture-broken")
        seen.add(at)
        if len(seen) > limits.most_frames:
            raise Absurd("picture-too-many-frames", frames=len(seen))
        count = _number(data, at, order, 2)
        end = at + 2 + 12 * count
        if count > _MOST_ENTRIES:
            raise Absurd("picture-too-complex")
        if end + 4 > len(data):
            raise Absurd("picture-broken")
        if len(seen) == 1:
            first = _entries(data, at + 2, count, order)
        at = _number(data, end, order, 4)
    return _header(first, len(seen), limits)


def _header(tags: dict[int, tuple[int, int]], pages: int, limits: Limits) -> Header:
    """``tags`` holds each tag's count and its first (or only) value."""
    compression = tags.get(_COMPRESSION, (1, 1))[1]
    if compression not in _COMPRESSIONS:
        raise Absurd("picture-format", kind=f"TIFF (compression {compression})")
    if tags.get(_BITS, (1, 1))[0] <= 2 and tags.get(_BITS, (1, 1))[1] == 16:
        notes: tuple[str, ...] = ("reduced-from-16-bit",)
    else:
        notes = ()
    pieces = max(tags.get(_STRIPS, (0, 0))[0], tags.get(_TILES, (0, 0))[0])
    tile = max(tags.get(_TILE_WIDTH, (1, 1))[1], tags.get(_TILE_HEIGHT, (1, 1))[1])
    samples = max(tags.get(_SAMPLES, (1, 1))[1], tags.get(_BITS, (1, 1))[0])
    if pieces > _MOST_PIECES or tile > limits.longest_side or samples > 5:
        raise Absurd("picture-too-complex")
    return Header("TIFF", tags.get(_WIDTH, (0, 0))[1], tags.get(_HEIGHT, (0, 0))[1], pages, notes=notes)


def _entries(data: bytes, at: int, count: int, order: str) -> dict[int, tuple[int, int]]:
    """Each tag's number of values and its first one, where it sits in the entry itself."""
    found: dict[int, tuple[int, int]] = {}
    for index in range(count):
        place = at + 12 * index
        tag, kind, values = struct.unpack_from(f"{order}HHI", data, place)
        found[tag] = (values, _number(data, place + 8, order, _KIND_BYTES.get(kind, 4)))
    return found


def _number(data: bytes, at: int, order: str, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little" if order == "<" else "big")
