"""A domain's notice ("Not for diagnosis …") inside the files of its renderings, so that it travels with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

_IMAGE_DESCRIPTION = 0x010E  # EXIF


def notice_of(config: Mapping[str, Any]) -> str:
    """The notice of the artifact whose ``config.json`` this is; empty where its domain needs none."""
    return str((config.get("domain") or {}).get("notice", ""))


def png_options(notice: str) -> dict[str, Any]:
    """What ``Image.save`` takes to write ``notice`` into a PNG, under its standard keyword ``Disclaimer``."""
    if not notice:
        return {}
    info = PngInfo()
    info.add_itxt("Disclaimer", notice)
    return {"pnginfo": info}


def jpeg_options(notice: str) -> dict[str, Any]:
    """The same for a JPEG, as its EXIF image description."""
    if not notice:
        return {}
    exif = Image.Exif()
    exif[_IMAGE_DESCRIPTION] = notice
    return {"exif": exif}
