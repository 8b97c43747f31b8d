"""The child that decodes pictures, one after the other, under limits. Runs as ``python -I decoder.py``.

It imports Pillow alone. A request on stdin is a JSON header and the file, an answer on stdout a JSON header
header and the re-encoded picture, each part behind its 4-byte length. The parent ends this process when it is late; the
operating system does when it takes too much.
"""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
import warnings
from typing import Any, BinaryIO

from PIL import Image, ImageCms, ImageFile, ImageOps

ORIENTATION = 0x0112
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


class Refused(Exception):
    """The picture is refused with this code."""


def normalise(content: bytes, header: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Decode, orient, convert to sRGB 8-bit RGB on white, re-encode as JPEG without metadata."""
    notes: list[str] = []
    try:
        with Image.open(io.BytesIO(content), formats=[header["format"]]) as picture:
            width, height = picture.size
            if width * height > header["most_pixels"] or max(width, height) > header["longest_side"]:
                raise Refused("too-many-pixels")
            frames = getattr(picture, "n_frames", 1)
            if frames > header["most_frames"]:
                raise Refused("too-many-frames")
            if frames > 1:
                picture.seek(0)
                notes.append("first-frame-only")
            picture.load()
            has_alpha = picture.has_transparency_data
            upright = _upright(picture, notes)
            plain = _to_srgb(upright, notes)
    except Refused:
        raise
    except Exception as error:  # whatever a decoder throws at hostile bytes, the file is damaged
        raise Refused("damaged") from error
    buffer = io.BytesIO()
    plain.save(buffer, "JPEG", quality=92, subsampling=0, optimize=False)
    answer = {
        "width": plain.width,
        "height": plain.height,
        "had_alpha": has_alpha,
        "notes": notes,
        "perceptual_hash": f"{difference_hash(plain):016x}",
    }
    return answer, buffer.getvalue()


def _upright(picture: Image.Image, notes: list[str]) -> Image.Image:
    try:
        turned = picture.getexif().get(ORIENTATION, 1) not in {0, 1}
        upright = ImageOps.exif_transpose(picture)
    except Exception:  # noqa: BLE001 - a broken EXIF block turns nothing
        return picture
    if turned:
        notes.append("rotated")
    upright.info["icc_profile"] = picture.info.get("icc_profile")
    return upright


def _to_srgb(picture: Image.Image, notes: list[str]) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith(("I", "F")):
        picture = _to_eight_bits(picture, notes)
    if picture.mode == "P" or picture.mode in {"1", "LA", "La", "PA"}:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        profile = None
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    colours = picture.convert("RGB") if alpha is not None or picture.mode == "RGBa" else picture
    if profile:
        colours = _through_profile(colours, profile, notes)
    if colours.mode != "RGB":
        if colours.mode == "CMYK":
            notes.append("converted-from-cmyk")
        colours = colours.convert("RGB")
    if alpha is None and picture.has_transparency_data:
        alpha = picture.convert("RGBA").getchannel("A")
    if alpha is not None:
        white = Image.new("RGB", colours.size, "white")
        white.paste(colours, mask=alpha)
        colours = white
    return colours


def _to_eight_bits(picture: Image.Image, notes: list[str]) -> Image.Image:
    """16-bit (or float in [0, 1]) grey to 8 bits; Pillow's own conversion would clip at 255."""
    notes.append("converted-from-16-bit")
    _low, high = picture.getextrema()
    scale = (
        1 / 257 if picture.mode.startswith("I") and high > 255 else (255 if picture.mode == "F" and high <= 1 else 1)
    )
    return picture.convert("F").point(lambda value: value * scale + 0.5).convert("L")


def _through_profile(colours: Image.Image, profile: bytes, notes: list[str]) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(colours, source, _SRGB, outputMode="RGB")
    except Exception:  # noqa: BLE001 - a broken or unfit profile says nothing about the colours
        return colours
    notes.append("converted-to-srgb")
    return converted if converted is not None else colours


def difference_hash(picture: Image.Image) -> int:
    """64 bits: whether each of 8×8 grey cells is brighter than its right neighbour (dHash)."""
    cells = list(picture.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes())
    bits = [cells[9 * row + column] > cells[9 * row + column + 1] for row in range(8) for column in range(8)]
    return sum(bit << index for index, bit in enumerate(bits))


def limit_self(memory: int, seconds: int) -> None:
    """Memory for good, processor time for the picture at hand."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, resource.RLIM_INFINITY))


def read_frame(stream: BinaryIO) -> bytes | None:
    prefix = stream.read(4)
    if len(prefix) < 4:
        return None
    (length,) = struct.unpack("<I", prefix)
    return stream.read(length)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the parent closes the pipe."""
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # bounded from the header, above
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    while (raw := read_frame(requests)) is not None and (content := read_frame(requests)) is not None:
        header = json.loads(raw)
        limit_self(header["memory"], header["seconds"])
        try:
            answer, picture = normalise(content, header)
        except Refused as refused:
            answer, picture = {"refused": str(refused)}, b""
        except MemoryError:
            answer, picture = {"refused": "too-costly"}, b""
        except Exception:  # noqa: BLE001 - encoding failed: nothing that the sender could mend
            answer, picture = {"refused": "damaged"}, b""
        for part in (json.dumps(answer).encode(), picture):
            answers.write(struct.pack("<I", len(part)) + part)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
