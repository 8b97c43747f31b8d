"""One picture's way: decode, orient, convert, encode anew. Whatever goes wrong becomes a code."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
)

from . import webp
from .colour import UnsupportedColour, to_srgb
from .fingerprint import perceptual_hash

#: Each format by its own reader: Pillow is never asked to guess.
_READERS: dict[str, Callable[[io.BytesIO], Image.Image]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": webp.read,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}
#: What brings a stored picture upright, by the EXIF orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
#: Unpacked colour profile of a PNG. Scanners' tables have up to 3 MB.
_MOST_PROFILE_BYTES = 4_000_000


def warm_up() -> None:
    """Load the libraries once, so that every fork has them."""
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    PngImagePlugin.MAX_TEXT_CHUNK = _MOST_PROFILE_BYTES  # text never gets here; what is left is the colour profile
    Image.MAX_IMAGE_PIXELS = None  # our own limit comes first, and has one text
    for kind in _READERS:
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, kind)
        normalise(
            buffer.getvalue(), {"format": kind, "most_pixels": 64, "longest_side": 8, "most_frames": 1, "quality": 90}
        )


def normalise(data: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The answer for one picture: ``{"code": …}`` where it is refused, else what the safe copy is, and the copy."""
    try:
        return _normalise(data, request)
    except _Refused as refusal:
        return {"code": refusal.code}, b""
    except UnsupportedColour as error:
        return {"code": "picture-colour", "reason": str(error)}, b""
    except MemoryError:
        return {"code": "picture-too-heavy"}, b""
    except Exception as error:  # noqa: BLE001 - decoders fail on hostile bytes in every way there is
        heavy = "memory" in str(error).lower()
        return {"code": "picture-too-heavy" if heavy else "picture-broken", "reason": repr(error)[:300]}, b""


class _Refused(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _normalise(data: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    notes: list[str] = []
    picture = _READERS[request["format"]](io.BytesIO(data))
    _refuse_size(picture.size, request)
    frames = getattr(picture, "n_frames", 1) if request["format"] == "AVIF" else request.get("frames", 1)
    if frames > request["most_frames"]:
        raise _Refused("picture-too-many-frames")
    if frames > 1:
        notes.append("first-frame-only")
    # A TIFF is turned by its reader, which then forgets the tag. In a PNG it may stand behind the pixels; and asking
    # before they are loaded would load them, and hide that they are broken.
    turn = _orientation(picture) if request["format"] == "TIFF" else 1
    picture.load()
    _refuse_size(picture.size, request)
    if request["format"] != "TIFF":
        turn = _orientation(picture)
    upright = to_srgb(picture, notes.append)
    del picture
    if turn in _TURNS:
        notes.append("rotated")
        if request["format"] != "TIFF":
            upright = upright.transpose(_TURNS[turn])
    encoded = io.BytesIO()
    # Writers look into ``info`` for comments and profiles: nothing of the upload's metadata may be written.
    upright.info = {}
    upright.save(encoded, "JPEG", quality=request["quality"], subsampling=0)
    answer = {
        "width": upright.width,
        "height": upright.height,
        "perceptual_hash": perceptual_hash(upright),
        "had_alpha": "alpha-flattened" in notes,
        "notes": notes,
    }
    return answer, encoded.getvalue()


def _refuse_size(size: tuple[int, int], request: dict[str, Any]) -> None:
    """The decoder's own view of the size, where it could differ from the headers that were read before."""
    if min(size) < 1:
        raise _Refused("picture-broken")
    if max(size) > request["longest_side"]:
        raise _Refused("picture-side-too-long")
    if size[0] * size[1] > request["most_pixels"]:
        raise _Refused("picture-too-many-pixels")


def _orientation(picture: Image.Image) -> int:
    """1–8 by the EXIF data; a picture with broken EXIF is shown as it is stored."""
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - EXIF is an attacker's TIFF of its own
        return 1
    return value if isinstance(value, int) else 1
