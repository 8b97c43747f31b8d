"""The segments of a JPEG (ITU-T T.81, annex B)."""

from __future__ import annotations

import re

from catalog.images.limits import Limits
from catalog.images.structure.verdicts import Absurd, Header

#: Segments, lone markers and fill bytes together.
_MOST_STEPS = 4_000
#: Baseline, extended and progressive Huffman. Lossless, hierarchical and arithmetic ones are no photos of a shop.
_FRAMES = {0xC0, 0xC1, 0xC2}
_OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_ALONE = {0x01, *range(0xD0, 0xD8)}
_START_OF_SCAN, _END = 0xDA, 0xD9
#: In a scan's data 0xFF is stuffed with a zero; restart markers belong to the data.
_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]", re.DOTALL)


def walk(data: bytes, limits: Limits) -> Header:
    """Size and scan count; what follows the end marker (a polyglot, a second picture) is never looked at."""
    size: tuple[int, int] | None = None
    scans = steps = 0
    at = 2
    while at + 1 < len(data):
        if data[at] != 0xFF:
            raise Absurd("picture-broken")
        marker = data[at + 1]
        steps += 1
        if steps > _MOST_STEPS:
            raise Absurd("picture-too-complex")
        if marker == 0xFF:
            at += 1
            continue
        if marker == _END:
            break
        if marker in _ALONE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            raise Absurd("picture-broken")
        if marker in _OTHER_FRAMES:
            raise Absurd("picture-format", kind="JPEG (lossless or arithmetic)")
        if marker in _FRAMES:
            if size is not None or length < 8:
                raise Absurd("picture-broken")
            size = (int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big"))
        at += 2 + length
        if marker == _START_OF_SCAN:
            scans += 1
            if scans > limits.most_scans:
                raise Absurd("picture-too-complex")
            found = _NEXT_MARKER.search(data, at)
            if found is None:
                break
            at = found.end() - 2
    if size is None or not scans:
        raise Absurd("picture-broken")
    return Header("JPEG", *size)
