"""The one door for untrusted pictures."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from catalog.images import structure
from catalog.images.decoder import Busy, Failed, decoder
from catalog.images.errors import TEXTS, RejectedImage
from catalog.images.limits import DEFAULT, Limits
from catalog.images.structure.verdicts import Absurd, Header

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NormalisedImage:
    """The safe copy of an upload: opaque, upright, sRGB with 8 bits a channel, without any metadata."""

    #: A JPEG with full colour resolution, encoded by us.
    content: bytes
    format: str
    width: int
    height: int
    #: Of ``content``, in hexadecimal digits.
    sha256: str
    #: Of the uploaded bytes.
    original_sha256: str
    #: 64 bits as 16 hexadecimal digits; see ``hamming``.
    perceptual_hash: str
    #: What the upload was: JPEG, PNG, WEBP, AVIF, GIF or TIFF.
    source_format: str
    #: Whether any pixel was transparent; these now stand on white.
    had_alpha: bool
    #: What was done: rotated, profile-applied, profile-ignored, converted-from-cmyk, gamma-applied,
    #: reduced-from-16-bit, alpha-flattened, first-frame-only.
    notes: tuple[str, ...] = ()


def normalise_upload(
    file: bytes | str | os.PathLike[str] | BinaryIO | Any, *, limits: Limits = DEFAULT
) -> NormalisedImage:
    """Sniff, bound, decode, orient, convert to sRGB, strip and encode anew.

    Args:
        file: the bytes, a path, an open binary file, or Django's ``UploadedFile`` (read from its start).
        limits: for tests; the design's limits are the default.

    Raises:
        RejectedImage: whatever the bytes are, nothing else.
    """
    data = _read(file, limits)
    try:
        header = structure.inspect(data, limits)
    except Absurd as absurd:
        raise _rejected(absurd.code, limits, absurd.facts) from None
    answer, content = _decode(data, header, limits)
    if "code" in answer:
        logger.info("picture refused", extra={"code": answer["code"], "reason": answer.get("reason", "")})
        raise _rejected(answer["code"], limits, {"width": header.width, "height": header.height})
    return NormalisedImage(
        content=content,
        format="JPEG",
        width=answer["width"],
        height=answer["height"],
        sha256=hashlib.sha256(content).hexdigest(),
        original_sha256=hashlib.sha256(data).hexdigest(),
        perceptual_hash=answer["perceptual_hash"],
        source_format=header.format,
        had_alpha=answer["had_alpha"],
        notes=tuple(sorted({*header.notes, *answer["notes"]})),
    )


def hamming(one: str, other: str) -> int:
    """Bits in which two perceptual hashes differ, 0–64. Up to about 5 the pictures look alike."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _read(file: Any, limits: Limits) -> bytes:
    """At most one byte more than is allowed, so that an endless file ends here."""
    if isinstance(file, bytes | bytearray | memoryview):
        return bytes(file[: limits.most_bytes + 1])
    try:
        if isinstance(file, str | os.PathLike):
            with Path(file).open("rb") as opened:
                return opened.read(limits.most_bytes + 1)
        if file.seekable():
            file.seek(0)
        data = file.read(limits.most_bytes + 1)
    except (OSError, ValueError) as error:
        raise _rejected("picture-not-read", limits, {}) from error
    if not isinstance(data, bytes):
        raise _rejected("picture-not-read", limits, {})
    return data


def _decode(data: bytes, header: Header, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """The child's answer, checked: it is the one part that a picture could have taken over."""
    facts = {"format": header.format, "frames": header.frames}
    essential = data if header.essential is None else header.essential
    try:
        answer, content = decoder.decode(essential, limits=limits, facts=facts)
    except Busy:
        raise _rejected("picture-busy", limits, {}) from None
    except Failed:
        logger.exception("the picture decoder was lost", extra={"format": header.format, "bytes": len(data)})
        raise _rejected("picture-failed", limits, {}) from None
    if not _is_plausible(answer, content, limits):
        logger.error("the picture decoder gave a senseless answer", extra={"format": header.format})
        raise _rejected("picture-broken", limits, {})
    return answer, content


def _is_plausible(answer: dict[str, Any], content: bytes, limits: Limits) -> bool:
    if "code" in answer:
        return answer["code"] in TEXTS
    sides = (answer.get("width"), answer.get("height"))
    bits, notes = answer.get("perceptual_hash"), answer.get("notes")
    return (
        content.startswith(b"\xff\xd8\xff")
        and all(isinstance(side, int) and 0 < side <= limits.longest_side for side in sides)
        and isinstance(bits, str)
        and len(bits) == 16
        and set(bits) <= set("0123456789abcdef")
        and isinstance(notes, list)
        and all(isinstance(note, str) and len(note) < 40 for note in notes)
        and isinstance(answer.get("had_alpha"), bool)
    )


def _rejected(code: str, limits: Limits, facts: dict[str, Any]) -> RejectedImage:
    message, hint = TEXTS[code]
    filled = {
        "megabytes": limits.most_bytes // 1_000_000,
        "megapixels": limits.most_pixels // 1_000_000,
        "longest_side": limits.longest_side,
        "most_frames": limits.most_frames,
        "width": "?",
        "height": "?",
        "kind": "?",
    }
    return RejectedImage(code, message % (filled | facts), hint)
