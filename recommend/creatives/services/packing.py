"""A set as one ZIP: its pictures, and a table of their links."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable
from typing import IO

from django.core.files.storage import default_storage

from catalog.tables import write_csv
from recommend.creatives.models import Creative, CreativeSet, TrackedLink
from recommend.creatives.texts import format_label

_IN_MEMORY = 8 * 2**20


def file_name(creative: Creative) -> str:
    """``SKU-format-code.jpg``, safe on every system; the code keeps SKUs apart that differ in other characters alone."""
    sku = re.sub(r"[^A-Za-z0-9._-]+", "-", creative.sku).strip("-.")[:60] or "product"
    return f"{sku}-{creative.format}-{creative.link.code}.jpg"


def pack(creative_set: CreativeSet, *, address_of: Callable[[TrackedLink], str]) -> IO[bytes]:
    """The ZIP as an open file, at its beginning. A picture whose file is lost is left out of it and of the table."""
    packed: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # type: ignore[assignment]  # noqa: SIM115
    rows = []
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # JPEG does not get any smaller
        for creative in creative_set.creatives.exclude(file="").select_related("link").order_by("pk"):
            try:
                with default_storage.open(str(creative.file.name), "rb") as file:
                    archive.writestr(file_name(creative), file.read())
            except OSError:
                continue
            rows.append(
                [
                    file_name(creative),
                    creative.sku,
                    creative.product_name,
                    format_label(creative.format),
                    address_of(creative.link),
                ]
            )
        header = ["file", "sku", "product", "format", "link"]
        archive.writestr("links.csv", write_csv(header, rows))
    packed.seek(0)
    return packed
