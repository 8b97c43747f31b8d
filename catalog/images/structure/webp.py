"""The chunks of a WebP (RIFF container)."""

from __future__ import annotations

from catalog.images.limits import Limits
from catalog.images.structure.verdicts import Absurd, Header

_MOST_CHUNKS = 5_000


def walk(data: bytes, limits: Limits) -> Header:
    """Canvas size and frame count."""
    size: tuple[int, int] | None = None
    frames = 0
    at, chunks = 12, 0
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + min(length, 32)]
        chunks += 1
        if chunks > _MOST_CHUNKS:
            raise Absurd("picture-too-complex")
        if kind == b"VP8X" and chunks == 1 and len(body) >= 10:
            size = (int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1)
        elif kind == b"ANMF":
            frames += 1
            if frames > limits.most_frames:
                raise Absurd("picture-too-many-frames", frames=frames)
        elif size is None:
            size = _still_size(kind, body)
        at += 8 + length + (length & 1)
    if size is None:
        raise Absurd("picture-broken")
    return Header("WEBP", *size, max(1, frames))


def _still_size(kind: bytes, body: bytes) -> tuple[int, int] | None:
    """The size in the header of a lossy (RFC 6386) or lossless bitstream."""
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a" and len(body) >= 10:
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    if kind == b"VP8L" and body[:1] == b"\x2f" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    return None
