"""Smaller copies of a picture for ``srcset``, made when it arrives and never at page view."""

from __future__ import annotations

import io
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

#: Widths in pixels; the picture's own width is always there as the original file.
WIDTHS = (240, 480, 960)
WEBP_QUALITY = 82


def store(content: bytes, *, folder: str, sha256: str, owner: int, extension: str) -> str:
    """Store ``content`` under a name made from its hash and its owner; the name. Storing it again changes nothing."""
    identifier = uuid5(NAMESPACE_URL, f"{owner}:{sha256}").hex
    name = f"{folder}/{identifier[:2]}/{identifier}.{extension}"
    if default_storage.exists(name):
        return name
    return default_storage.save(name, ContentFile(content))


def make_renditions(content: bytes, *, sha256: str, owner: int) -> list[dict[str, Any]]:
    """WebP copies of a picture: ``[{"width", "height", "format", "path"}]``, narrow first."""
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        widths = [width for width in WIDTHS if width < picture.width] + [min(picture.width, 1600)]
        return [_rendition(picture, width=width, sha256=sha256, owner=owner) for width in widths]


def _rendition(picture: Image.Image, *, width: int, sha256: str, owner: int) -> dict[str, Any]:
    height = max(1, round(picture.height * width / picture.width))
    smaller = picture if width == picture.width else picture.resize((width, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    smaller.convert("RGB").save(buffer, "WEBP", quality=WEBP_QUALITY, method=3)
    path = store(buffer.getvalue(), folder="renditions", sha256=f"{sha256}:{width}", owner=owner, extension="webp")
    return {"width": width, "height": height, "format": "webp", "path": path}
