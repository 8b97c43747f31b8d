"""The chunks of a PNG (ISO/IEC 15948). Text and animation never reach the decoder."""

from __future__ import annotations

from catalog.images.limits import Limits
from catalog.images.structure.verdicts import Absurd, Header

_MOST_CHUNKS = 60_000
#: What a still picture's pixels and colours need.
_ESSENTIAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"eXIf", b"sBIT"}
_MOST_ANCILLARY_BYTES = 4_000_000
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}


def walk(data: bytes, limits: Limits) -> Header:
    """Size, frames of an APNG, and the file reduced to what its still picture needs."""
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise Absurd("picture-broken")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data[24] not in _DEPTHS.get(data[25], set()):
        raise Absurd("picture-broken")
    kept: list[tuple[int, int]] = []
    frames, ancillary, dropped = 1, 0, False
    at, chunks, kind = 8, 0, b""
    while at + 12 <= len(data) and kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        chunks += 1
        if length > 0x7FFFFFFF or not kind.isalpha():
            raise Absurd("picture-broken")
        if chunks > _MOST_CHUNKS:
            raise Absurd("picture-too-complex")
        if kind == b"acTL":
            frames = max(frames, int.from_bytes(data[at + 8 : at + 12], "big"))
        if kind in _ESSENTIAL and not (kind in {b"iCCP", b"eXIf"} and length > _MOST_ANCILLARY_BYTES):
            kept.append((at, min(at + 12 + length, len(data))))
            ancillary += bool(kind[0] & 0x20)
            if ancillary > 64:
                raise Absurd("picture-too-complex")
        else:
            dropped = True
        at += 12 + length
    essential = data[:8] + b"".join(data[start:end] for start, end in kept) if dropped else None
    notes = ("reduced-from-16-bit",) if data[24] == 16 else ()
    return Header("PNG", width, height, frames, essential, notes)
