"""What a file is by its first bytes, and what it costs by its headers, before any decoder sees it."""

from __future__ import annotations

from catalog.images import limits

_SCAN = 0xDA
_STANDALONE = {0x01, *range(0xD0, 0xD9)}
_AVIF_BRANDS = {b"avif", b"avis"}


def format_of(head: bytes) -> str | None:
    """Pillow's name of the format, for the formats on the allow-list; None for everything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:6] in {b"GIF87a", b"GIF89a"}:
        return "GIF"
    if head[:4] in {b"II*\x00", b"MM\x00*"}:
        return "TIFF"
    if head[4:8] == b"ftyp" and (head[8:12] in _AVIF_BRANDS or b"avif" in head[16:40]):
        return "AVIF"
    return None


def count_jpeg_scans(content: bytes) -> int:
    """Number of scans of a JPEG, counted over its markers; stops a little beyond the limit."""
    scans, position = 0, 2
    while position + 4 <= len(content) and scans <= limits.MOST_JPEG_SCANS:
        if content[position] != 0xFF:
            # Inside a scan's data: the next marker is an 0xFF that no stuffing zero or restart follows.
            position = content.find(b"\xff", position)
            if position < 0:
                break
            following = content[position + 1 : position + 2]
            if following in {b"\x00", b"\xff", b""} or following[0] in _STANDALONE:
                position += 2 if following != b"\xff" else 1
                continue
        marker = content[position + 1]
        if marker == 0xD9:
            break
        if marker in _STANDALONE or marker in {0x00, 0xFF}:
            position += 1 if marker == 0xFF else 2
            continue
        scans += marker == _SCAN
        position += 2 + int.from_bytes(content[position + 2 : position + 4])
    return scans
