"""What a file is, by its first bytes. Names, extensions and declared types are never believed."""

from __future__ import annotations

import re

_ALLOWED = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)
#: Recognised so that the refusal can say what it is; none of them is ever decoded.
_REFUSED = (
    (b"BM", "BMP"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"II+\0", "BigTIFF"),
    (b"MM\0+", "BigTIFF"),
    (b"PK\3\4", "ZIP"),
    (b"icns", "ICNS"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
)
_SVG = re.compile(rb"<(?:\?xml|!DOCTYPE|svg|html)\b", re.IGNORECASE)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"}


def sniff(data: bytes) -> tuple[str | None, bool]:
    """The format's name (``None`` where unknown), and whether it is one that we decode."""
    for magic, kind in _ALLOWED:
        if data.startswith(magic):
            return kind, True
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP", True
    if data[4:8] == b"ftyp":
        return _by_brands(data)
    for magic, kind in _REFUSED:
        if data.startswith(magic):
            return kind, False
    if _SVG.match(data[:256].lstrip(b"\xef\xbb\xbf \t\r\n")):
        return "SVG", False
    return None, False


def _by_brands(data: bytes) -> tuple[str, bool]:
    """An ISO media file says in its brands what it is; the first box holds them."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
    if data[8:12] in _AVIF_BRANDS or (data[8:12] in {b"mif1", b"msf1"} and brands & _AVIF_BRANDS):
        return "AVIF", True
    if brands & _HEIF_BRANDS or data[8:12] in {b"mif1", b"msf1"}:
        return "HEIC", False
    return "video", False
