"""Raw pieces of picture files, put together wrongly on purpose."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

#: Stands for everything that must never leave with a picture: places, names, scripts.
CANARY = b"CANARY-31.2304N-121.4737E"


def plain(width: int = 48, height: int = 32) -> Image.Image:
    """A small photo-like picture: two gradients and a block."""
    ramp = Image.linear_gradient("L").resize((width, height))
    picture = Image.merge(
        "RGB", (ramp, ramp.transpose(Image.Transpose.ROTATE_180), Image.new("L", (width, height), 90))
    )
    picture.paste((200, 40, 60), (width // 4, height // 4, width // 2, height // 2))
    return picture


def encoded(kind: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    """``picture`` (or a plain one) as a file of this kind."""
    buffer = io.BytesIO()
    (picture or plain()).save(buffer, kind, **options)
    return buffer.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    """A JPEG segment with its true length."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """``jpeg`` with segments put right behind its start."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def jpeg_claiming(width: int, height: int) -> bytes:
    """A whole JPEG whose frame header lies about the size."""
    jpeg = bytearray(encoded("JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(jpeg)


def jpeg_with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated until there are ``count``."""
    jpeg = encoded("JPEG", progressive=True)
    last, end = jpeg.rindex(b"\xff\xda"), jpeg.rindex(b"\xff\xd9")
    return jpeg[:end] + jpeg[last:end] * (count - jpeg.count(b"\xff\xda")) + jpeg[end:]


def exif(*entries: tuple[int, int, int, bytes], order: bytes = b"MM") -> bytes:
    """An EXIF block with one directory of raw entries ``(tag, type, count, value)``, its values within the entries."""
    big = order == b"MM"
    mark = ">" if big else "<"
    head = order + struct.pack(f"{mark}HIH", 42, 8, len(entries))
    body = b"".join(struct.pack(f"{mark}HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return head + body + b"\0\0\0\0"


def orientation(value: int) -> bytes:
    """An EXIF block that says nothing but the orientation."""
    return exif((0x0112, 3, 1, struct.pack(">HH", value, 0)))


def with_gps() -> bytes:
    """An EXIF block with a maker, a place and our canary."""
    data = Image.Exif()
    data[0x010F] = CANARY.decode()
    data.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 49.0), 3: "E", 4: (121.0, 28.0, 25.0), 29: CANARY.decode()})
    return data.tobytes()


def chunk(kind: bytes, body: bytes = b"", *, crc: int | None = None, length: int | None = None) -> bytes:
    """A PNG chunk; ``crc`` and ``length`` may lie."""
    check = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body) if length is None else length) + kind + body + struct.pack(">I", check)


def png(
    *middle: bytes,
    width: int = 4,
    height: int = 4,
    depth: int = 8,
    colour: int = 2,
    rows: bytes | None = None,
    interlace: int = 0,
) -> bytes:
    """A PNG of raw chunks. ``rows`` are the unpacked scan lines; ``middle`` goes between header and data."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    lines = b"\0" * height * (1 + 3 * width) if rows is None else rows
    data = chunk(b"IDAT", zlib.compress(lines, 9)) if lines else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(middle) + data + chunk(b"IEND")


def gif(*blocks: bytes, width: int = 8, height: int = 8) -> bytes:
    """A GIF of raw blocks with a palette of black and white."""
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + b"".join(blocks) + b";"
    )


def gif_frame(*, width: int = 8, height: int = 8, left: int = 0, data: bytes | None = None) -> bytes:
    """A picture block: all black unless ``data`` says otherwise."""
    if data is None:
        data = encoded("GIF", Image.new("P", (width, height))) if width * height < 10_000 else b"\x02\x02\x4c\x01\x00"
        data = data[data.index(b",") + 10 : -1] if data[:3] == b"GIF" else data
    return b"," + struct.pack("<HHHHB", left, 0, width, height, 0) + data


def riff(*chunks: tuple[bytes, bytes], size: int | None = None) -> bytes:
    """A WebP of raw chunks."""
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def webp_chunk(webp: bytes) -> tuple[bytes, bytes]:
    """The picture's own chunk of a simple WebP."""
    return webp[12:16], webp[20 : 20 + int.from_bytes(webp[16:20], "little")]


def canvas(width: int, height: int, *, flags: int = 0) -> tuple[bytes, bytes]:
    """A ``VP8X`` chunk: the extended header with its canvas."""
    return b"VP8X", bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def animation_frame(webp: bytes, width: int, height: int) -> tuple[bytes, bytes]:
    """An ``ANMF`` chunk that holds a simple WebP's picture."""
    kind, data = webp_chunk(webp)
    sizes = b"\0" * 6 + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little") + b"\x10\0\0\0"
    return b"ANMF", sizes + kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)


def box(kind: bytes, body: bytes = b"") -> bytes:
    """A box of an ISO media file."""
    return struct.pack(">I", len(body) + 8) + kind + body


def avif_claiming(width: int, height: int) -> bytes:
    """A whole AVIF whose size property lies."""
    avif = bytearray(encoded("AVIF"))
    place = avif.index(b"ispe") + 8
    avif[place : place + 8] = struct.pack(">II", width, height)
    return bytes(avif)


def tiff(*entries: tuple[int, int, int, int], following: int = 0, data: bytes = b"\0" * 64) -> bytes:
    """A little-endian TIFF with one directory ``(tag, type, count, value)``; its pixels lie at byte 8."""
    at = 8 + len(data)
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0" + struct.pack("<I", at) + data + directory + struct.pack("<I", following)


def tiff_entries(**changed: int) -> list[tuple[int, int, int, int]]:
    """What a grey TIFF of 8×8 pixels needs."""
    values = {
        "width": 8,
        "height": 8,
        "bits": 8,
        "compression": 1,
        "photometric": 1,
        "offset": 8,
        "rows": 8,
        "bytes": 64,
    }
    values |= changed
    tags = {"width": 256, "height": 257, "bits": 258, "compression": 259, "photometric": 262, "offset": 273}
    tags |= {"rows": 278, "bytes": 279}
    return [(tag, 4, 1, values[name]) for name, tag in tags.items()]
