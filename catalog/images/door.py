"""``normalise_upload``: from whatever somebody sent to a picture that we can trust, or a clear refusal."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from catalog.images import limits, sniffing
from catalog.images.child import ChildGone, decode
from catalog.images.rejected import TEXTS, RejectedImage


@dataclass(frozen=True)
class NormalisedImage:
    """A picture that went through the door: sRGB, 8 bits, upright, on white, without metadata."""

    content: bytes  #: re-encoded file
    format: str  #: "JPEG"
    width: int  #: pixels
    height: int  #: pixels
    sha256: str  #: of ``content``
    original_sha256: str  #: of what was sent
    perceptual_hash: str  #: 16 hex digits; near pictures differ in few bits
    source_format: str  #: Pillow's name of the sent format
    had_alpha: bool  #: it had transparency, which is white now
    notes: tuple[str, ...]  #: what was done: ``rotated``, ``first-frame-only``, ``converted-from-cmyk`` …


def normalise_upload(file: Any) -> NormalisedImage:
    """Make an untrusted file safe to use.

    ``file`` is bytes, a path, or has ``read()``. Raises ``RejectedImage`` and nothing else, whatever the bytes are.
    Takes at most ``limits.SECONDS`` and ``limits.MEMORY_BYTES``.
    """
    content = _read(file)
    source_format = _check_headers(content)
    header = {
        "format": source_format,
        "most_pixels": limits.MOST_PIXELS,
        "longest_side": limits.LONGEST_SIDE,
        "most_frames": limits.MOST_FRAMES,
        "memory": limits.MEMORY_BYTES,
        "seconds": limits.SECONDS,
    }
    try:
        answer, picture = decode(header, content)
    except ChildGone as gone:
        raise RejectedImage("too-costly") from gone
    if "refused" in answer:
        raise RejectedImage(answer["refused"] if answer["refused"] in TEXTS else "damaged")
    return NormalisedImage(
        content=picture,
        format="JPEG",
        width=answer["width"],
        height=answer["height"],
        sha256=hashlib.sha256(picture).hexdigest(),
        original_sha256=hashlib.sha256(content).hexdigest(),
        perceptual_hash=answer["perceptual_hash"],
        source_format=source_format,
        had_alpha=answer["had_alpha"],
        notes=tuple(answer["notes"]),
    )


def _read(file: Any) -> bytes:
    """At most one byte more than the limit, so that a huge upload is not read to its end."""
    if isinstance(file, bytes | bytearray | memoryview):
        return bytes(file)
    try:
        if isinstance(file, str | PathLike):
            with Path(file).open("rb") as opened:
                return opened.read(limits.MOST_BYTES + 1)
        content: bytes = file.read(limits.MOST_BYTES + 1)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise RejectedImage("unreadable") from error
    return content


def _check_headers(content: bytes) -> str:
    if not content:
        raise RejectedImage("empty")
    if len(content) > limits.MOST_BYTES:
        raise RejectedImage("too-many-bytes")
    source_format = sniffing.format_of(content[:64])
    if source_format is None:
        raise RejectedImage("not-a-picture")
    if source_format == "JPEG" and sniffing.count_jpeg_scans(content) > limits.MOST_JPEG_SCANS:
        raise RejectedImage("too-many-scans")
    return source_format
