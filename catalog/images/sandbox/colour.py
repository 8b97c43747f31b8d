"""From whatever a file holds to opaque sRGB with 8 bits a channel."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image, ImageChops, ImageCms

_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
_SRGB_GAMMA = 1 / 2.2
_SRGB = ImageCms.createProfile("sRGB")


class UnsupportedColour(Exception):
    """A kind of pixels that no shop photo has."""


def to_srgb(picture: Image.Image, note: Callable[[str], None]) -> Image.Image:
    """An RGB copy of a loaded picture, alpha flattened on white; ``note`` is told what was done.

    The embedded profile wins over a PNG's gamma, as the PNG specification has it.
    """
    profile = picture.info.get("icc_profile")
    gamma = None if "srgb" in picture.info else picture.info.get("gamma")
    pixels, alpha = _split(picture, note)
    converted = _by_profile(pixels, profile, note) if isinstance(profile, bytes) and profile else None
    if converted is None:
        converted = _by_gamma(pixels, gamma, note)
    if converted.mode != "RGB":
        if converted.mode == "CMYK":
            note("converted-from-cmyk")
        converted = converted.convert("RGB")
    if alpha is None:
        return converted
    note("alpha-flattened")
    converted.paste("white", mask=ImageChops.invert(alpha))
    return converted


def _split(picture: Image.Image, note: Callable[[str], None]) -> tuple[Image.Image, Image.Image | None]:
    """Colours as L, RGB or CMYK with 8 bits, and alpha where anything is really transparent."""
    if picture.mode.startswith("I;16"):
        note("reduced-from-16-bit")
        return _from_16_bit(picture)
    if picture.mode == "1":
        picture = _keeping_info(picture.convert("L"), picture)
    key = picture.info.get("transparency")
    if picture.mode == "RGB" and isinstance(key, tuple) and max(key) > 255:
        picture.info["transparency"] = tuple(value >> 8 for value in key)  # of 16 bits, as the pixels were
    if picture.mode in {"P", "PA"} or (picture.mode in {"L", "RGB"} and "transparency" in picture.info):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    if picture.mode in {"LA", "RGBA"}:
        alpha = picture.getchannel("A")
        colours = picture.convert("L" if picture.mode == "LA" else "RGB")
        lowest = alpha.getextrema()[0]
        return colours, alpha if isinstance(lowest, int | float) and lowest < 255 else None
    if picture.mode == "YCbCr":
        picture = picture.convert("RGB")
    if picture.mode not in _PROFILE_SPACES:
        raise UnsupportedColour(picture.mode)
    return picture, None


def _keeping_info(converted: Image.Image, source: Image.Image) -> Image.Image:
    if "transparency" in source.info:
        converted.info["transparency"] = 255 if source.info["transparency"] else 0
    return converted


def _from_16_bit(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Grey with 16 bits, rounded: Pillow's own conversion would clip everything above 255 to white."""
    whole = picture.convert("I")
    grey = whole.point([(value * 255 + 32767) // 65535 for value in range(65536)], "L")
    transparent = picture.info.get("transparency")
    if not isinstance(transparent, int):
        return grey, None
    return grey, whole.point([0 if value == transparent else 255 for value in range(65536)], "L")


def _by_profile(pixels: Image.Image, profile: bytes, note: Callable[[str], None]) -> Image.Image | None:
    """``pixels`` through the embedded profile; ``None`` where the profile is broken or of another colour space."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != _PROFILE_SPACES[pixels.mode]:
            note("profile-ignored")
            return None
        transform = ImageCms.buildTransform(
            source,
            _SRGB,
            pixels.mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if pixels.mode == "RGB" and _changes_nothing(transform):
            return pixels
        converted = ImageCms.applyTransform(pixels, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        note("profile-ignored")
        return None
    note("converted-from-cmyk" if pixels.mode == "CMYK" else "profile-applied")
    return converted


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a lattice over the whole cube comes out as it went in: nearly every photo's profile is sRGB itself."""
    steps = range(0, 256, 51)
    lattice = bytes(value for red in steps for green in steps for blue in steps for value in (red, green, blue))
    probe = Image.frombytes("RGB", (len(lattice) // 3, 1), lattice)
    result = ImageCms.applyTransform(probe, transform)
    assert result is not None
    return all(abs(before - after) <= 1 for before, after in zip(lattice, result.tobytes(), strict=True))


def _by_gamma(pixels: Image.Image, gamma: object, note: Callable[[str], None]) -> Image.Image:
    """A PNG's ``gAMA`` (samples are light to this power) where it differs from sRGB's; others as they are."""
    if not isinstance(gamma, float) or not 0.1 <= gamma <= 10 or abs(gamma - _SRGB_GAMMA) < 0.02:
        return pixels
    note("gamma-applied")
    return pixels.point(_encoded(gamma) * len(pixels.getbands()))


def _encoded(gamma: float) -> list[int]:
    """sRGB values (IEC 61966-2-1) of samples that were written with ``gamma``."""
    light = [(sample / 255) ** (1 / gamma) for sample in range(256)]
    curve = [12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055 for value in light]
    return [round(255 * value) for value in curve]
