"""Reading a picture's headers without decoding it: what it is, how large it is, and whether it is absurd.

Pure Python over the bytes, so a lying file can cost no more than a walk over it. Every walker bounds what it believes.
"""

from __future__ import annotations

from catalog.images.limits import Limits
from catalog.images.structure import avif, gif, jpeg, png, tiff, webp
from catalog.images.structure.sniffing import sniff
from catalog.images.structure.verdicts import Absurd, Header

__all__ = ["Absurd", "Header", "inspect"]

_WALKERS = {
    "JPEG": jpeg.walk,
    "PNG": png.walk,
    "WEBP": webp.walk,
    "AVIF": avif.walk,
    "GIF": gif.walk,
    "TIFF": tiff.walk,
}


def inspect(data: bytes, limits: Limits) -> Header:
    """The header of an uploaded picture.

    Raises:
        Absurd: with the code of a refusal, for anything that is not worth decoding.
    """
    if not data:
        raise Absurd("picture-empty")
    if len(data) > limits.most_bytes:
        raise Absurd("picture-too-large")
    kind, allowed = sniff(data)
    if kind is None:
        raise Absurd("picture-unknown")
    if not allowed:
        raise Absurd("picture-format", kind=kind)
    header = _WALKERS[kind](data, limits)
    refuse_size(header.width, header.height, limits)
    if header.frames > limits.most_frames:
        raise Absurd("picture-too-many-frames", frames=header.frames)
    return header


def refuse_size(width: int, height: int, limits: Limits) -> None:
    """Raise ``Absurd`` where a picture of ``width`` × ``height`` pixels is beyond the limits, or has none."""
    if width < 1 or height < 1:
        raise Absurd("picture-broken")
    if max(width, height) > limits.longest_side:
        raise Absurd("picture-side-too-long", width=width, height=height)
    if width * height > limits.most_pixels:
        raise Absurd("picture-too-many-pixels", width=width, height=height)
