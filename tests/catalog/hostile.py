"""Hostile pictures, written by hand, each with what must become of it.

``python -m tests.catalog.hostile`` prints them as the table of ``docs/uploads.md``.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageCms

from tests.catalog import crafting
from tests.catalog.crafting import CANARY, chunk, encoded, gif, gif_frame, png, riff, segment, with_segments

ACCEPTED = "accepted"


@dataclass(frozen=True)
class Hostile:
    """A way to make the file, and its outcome: ``accepted`` (as a clean copy) or the code of the refusal."""

    name: str
    outcome: str
    build: Callable[[], bytes]


HOSTILE: list[Hostile] = []


def hostile(name: str, outcome: str, build: Callable[[], bytes]) -> None:
    HOSTILE.append(Hostile(name, outcome, build))


def _noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


# Not pictures, or not of our kinds.
hostile("empty file", "picture-empty", lambda: b"")
hostile("a single byte", "picture-unknown", lambda: b"\xff")
hostile("noise", "picture-unknown", lambda: b"\x01" + _noise(50_000))
hostile("plain text", "picture-unknown", lambda: b"dear shop, here is my vase")
hostile("PHP script", "picture-unknown", lambda: b"<?php system($_GET['c']); ?>")
hostile("ImageMagick drawing script", "picture-unknown", lambda: b"push graphic-context\nfill 'url(https://x/\"|ls\")'")
hostile("Linux program", "picture-unknown", lambda: b"\x7fELF\x02\x01\x01" + _noise(200))
hostile("JPEG beyond 15 MB", "picture-too-large", lambda: encoded("JPEG") + b"\0" * 15_000_000)
hostile("SVG with script", "picture-format", lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
hostile("SVG behind a byte-order mark", "picture-format", lambda: b"\xef\xbb\xbf \n<?xml version='1.0'?><svg/>")
hostile("XML with entities", "picture-format", lambda: b"<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>")
hostile("HTML page", "picture-format", lambda: b"<HTML><script>alert(1)</script>")
hostile("PostScript", "picture-format", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (w) file")
hostile("PDF", "picture-format", lambda: b"%PDF-1.7\n" + _noise(100))
hostile("BMP", "picture-format", lambda: encoded("BMP"))
hostile("ICO", "picture-format", lambda: encoded("ICO"))
hostile("JPEG 2000", "picture-format", lambda: encoded("JPEG2000"))
hostile("Photoshop file", "picture-format", lambda: b"8BPS\0\1" + b"\0" * 40)
hostile("HEIC from a telephone", "picture-format", lambda: crafting.box(b"ftyp", b"heic\0\0\0\0mif1heic") + _noise(99))
hostile("video", "picture-format", lambda: crafting.box(b"ftyp", b"isom\0\0\2\0isomavc1mp41") + _noise(99))
hostile("ZIP named .jpg", "picture-format", lambda: b"PK\3\4" + _noise(99))
hostile("BigTIFF", "picture-format", lambda: b"II+\0\x08\0\0\0" + b"\0" * 99)

# JPEG: lies about size and structure.
hostile("JPEG cut in half", "picture-broken", lambda: encoded("JPEG", crafting.plain(640, 480))[:4_000])
hostile("JPEG cut in its header", "picture-broken", lambda: encoded("JPEG")[:100])
hostile("JPEG of start and end only", "picture-broken", lambda: b"\xff\xd8\xff\xd9")
hostile("JPEG of noise", "picture-broken", lambda: b"\xff\xd8\xff\xe0" + _noise(50_000))
hostile("JPEG claiming 65,535 × 65,535", "picture-side-too-long", lambda: crafting.jpeg_claiming(65_535, 65_535))
hostile("JPEG claiming 12,001 × 1", "picture-side-too-long", lambda: crafting.jpeg_claiming(12_001, 1))
hostile("JPEG claiming 8,000 × 8,000", "picture-too-many-pixels", lambda: crafting.jpeg_claiming(8_000, 8_000))
hostile("JPEG claiming 4,000 × 4,000", ACCEPTED, lambda: crafting.jpeg_claiming(4_000, 4_000))
hostile("JPEG without height", "picture-broken", lambda: crafting.jpeg_claiming(48, 0))
hostile("JPEG without width", "picture-broken", lambda: crafting.jpeg_claiming(0, 32))
hostile("JPEG of 2,000 scans", "picture-too-complex", lambda: crafting.jpeg_with_scans(2_000))
hostile("JPEG of 65 scans", "picture-too-complex", lambda: crafting.jpeg_with_scans(65))
hostile("JPEG of 64 scans", ACCEPTED, lambda: crafting.jpeg_with_scans(64))
hostile(
    "JPEG of 10,000 comments",
    "picture-too-complex",
    lambda: with_segments(encoded("JPEG"), segment(0xFE, b"") * 10_000),
)
hostile("JPEG of 10 MB fill bytes", "picture-too-complex", lambda: with_segments(encoded("JPEG"), b"\xff" * 10_000_000))
hostile(
    "JPEG of 5 million restarts", "picture-too-complex", lambda: with_segments(encoded("JPEG"), b"\xff\xd0" * 5_000_000)
)
hostile("JPEG with a segment of no length", "picture-broken", lambda: with_segments(encoded("JPEG"), b"\xff\xe5\0\0"))
hostile("JPEG with two frame headers", "picture-broken", lambda: _two_frames())
hostile("lossless JPEG", "picture-format", lambda: encoded("JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1))
hostile("arithmetic JPEG", "picture-format", lambda: encoded("JPEG").replace(b"\xff\xc0", b"\xff\xc9", 1))
hostile("JPEG without Huffman tables", ACCEPTED, lambda: encoded("JPEG").replace(b"\xff\xc4", b"\xff\xe9"))
hostile("JPEG without quantisation", "picture-broken", lambda: encoded("JPEG").replace(b"\xff\xdb", b"\xff\xe9"))

# JPEG: what it carries along.
hostile("JPEG with a GPS position", ACCEPTED, lambda: encoded("JPEG", exif=crafting.with_gps()))
hostile("JPEG with an embedded thumbnail", ACCEPTED, lambda: _with_thumbnail())
hostile("JPEG with XMP", ACCEPTED, lambda: encoded("JPEG", xmp=b"<x:xmpmeta>" + CANARY + b"</x:xmpmeta>"))
hostile("JPEG with a script as comment", ACCEPTED, lambda: encoded("JPEG", comment=b"<script>" + CANARY + b"</script>"))
hostile("JPEG with IPTC", ACCEPTED, lambda: with_segments(encoded("JPEG"), segment(0xED, b"Photoshop 3.0\0" + CANARY)))
hostile("JPEG and ZIP in one", ACCEPTED, lambda: encoded("JPEG") + b"PK\3\4" + CANARY + b"PK\5\6" + b"\0" * 18)
hostile("JPEG and PHP in one", ACCEPTED, lambda: encoded("JPEG") + b"<?php /*" + CANARY + b"*/ ?>")
hostile(
    "JPEG with a second picture (MPO)",
    ACCEPTED,
    lambda: encoded("MPO", save_all=True, append_images=[crafting.plain(9, 9)]),
)
hostile("EXIF that contains itself", ACCEPTED, lambda: encoded("JPEG", exif=_exif_loop()))
hostile(
    "EXIF with four billion values",
    ACCEPTED,
    lambda: encoded("JPEG", exif=b"Exif\0\0" + crafting.exif((0x0112, 3, 2**32 - 1, b"\0\6\0\0"))),
)
hostile("EXIF of noise", ACCEPTED, lambda: with_segments(encoded("JPEG"), segment(0xE1, b"Exif\0\0" + _noise(60_000))))
hostile("EXIF orientation 99", ACCEPTED, lambda: encoded("JPEG", exif=b"Exif\0\0" + crafting.orientation(99)))
hostile(
    "EXIF orientation as text",
    ACCEPTED,
    lambda: encoded("JPEG", exif=b"Exif\0\0" + crafting.exif((0x0112, 2, 4, b"six\0"))),
)
hostile("ICC profile of noise", ACCEPTED, lambda: encoded("JPEG", icc_profile=CANARY + _noise(3_000)))
hostile("ICC profile for another colour space", ACCEPTED, lambda: encoded("JPEG", icc_profile=_lab_profile()))
hostile("ICC profile cut short", ACCEPTED, lambda: encoded("JPEG", icc_profile=_srgb_profile()[:300]))
hostile(
    "CMYK with a profile of noise",
    ACCEPTED,
    lambda: encoded("JPEG", crafting.plain().convert("CMYK"), icc_profile=_noise(500)),
)

# PNG.
hostile("PNG claiming 40,000 × 40,000", "picture-side-too-long", lambda: png(width=40_000, height=40_000, rows=b"\0"))
hostile(
    "PNG claiming 2³¹ pixels a side",
    "picture-side-too-long",
    lambda: png(width=2**31 - 1, height=2**31 - 1, rows=b"\0"),
)
hostile("PNG bomb, 11,000 × 11,000 in 16 kB", "picture-too-many-pixels", lambda: _white_png(11_000))
hostile("PNG of 6,324 × 6,324 in 5 kB", ACCEPTED, lambda: _white_png(6_324))
hostile("PNG with 100 MB of packed text", ACCEPTED, lambda: png(chunk(b"zTXt", b"a\0\0" + _packed(100_000_000))))
hostile(
    "PNG with 100 MB of international text",
    ACCEPTED,
    lambda: png(chunk(b"iTXt", b"a\0\1\0\0\0" + _packed(100_000_000))),
)
hostile("PNG with a 100 MB profile", "picture-broken", lambda: png(chunk(b"iCCP", b"a\0\0" + _packed(100_000_000))))
hostile("PNG with 2,000 packed texts", ACCEPTED, lambda: png(chunk(b"zTXt", b"a\0\0" + _packed(900_000)) * 2_000))
hostile("PNG with a script as text", ACCEPTED, lambda: png(chunk(b"tEXt", b"Comment\0<script>" + CANARY)))
hostile("PNG with a GPS position", ACCEPTED, lambda: encoded("PNG", exif=crafting.with_gps()))
hostile("PNG and ZIP in one", ACCEPTED, lambda: png() + b"PK\3\4" + CANARY)
hostile("PNG whose data unpack to 200 MB more", ACCEPTED, lambda: png(rows=b"\0" * 200_000_000))
hostile("PNG cut short", "picture-broken", lambda: encoded("PNG", crafting.plain(200, 200))[:-400])
hostile("PNG without data", "picture-broken", lambda: png(rows=b""))
hostile("PNG with too few rows", "picture-broken", lambda: png(rows=b"\0" * 20))
hostile("PNG with data of noise", "picture-broken", lambda: png(chunk(b"IDAT", _noise(500)), rows=b""))
hostile(
    "PNG with a wrong checksum over its pixels",
    ACCEPTED,
    lambda: png(chunk(b"IDAT", zlib.compress(b"\0" * 52), crc=1), rows=b""),
)
hostile("PNG with a header of checksum 0", "picture-broken", lambda: png()[:29] + b"\0\0\0\0" + png()[33:])
hostile("PNG without width", "picture-broken", lambda: png(width=0))
hostile("PNG of colour type 5", "picture-broken", lambda: png(colour=5))
hostile("PNG of 3 bits", "picture-broken", lambda: png(depth=3))
hostile("PNG of a palette that is not there", "picture-broken", lambda: png(colour=3, rows=b"\0\1\2\3\4" * 4))
hostile(
    "PNG with colours beyond its palette",
    ACCEPTED,
    lambda: png(chunk(b"PLTE", b"\xff\0\0"), colour=3, rows=b"\0\7\7\7\7" * 4),
)
hostile(
    "PNG with more transparency than palette",
    ACCEPTED,
    lambda: png(chunk(b"PLTE", b"\xff\0\0"), chunk(b"tRNS", b"\0" * 256), colour=3, rows=b"\0\0\0\0\0" * 4),
)
hostile("PNG with transparency of one byte", "picture-broken", lambda: png(chunk(b"tRNS", b"\1")))
hostile("PNG of 100,000 chunks", "picture-too-complex", lambda: png(chunk(b"teSt") * 100_000))
hostile("PNG with 100 gammas", "picture-too-complex", lambda: png(chunk(b"gAMA", b"\0\0\0\1") * 100))
hostile("PNG with gamma 0", ACCEPTED, lambda: png(chunk(b"gAMA", b"\0\0\0\0")))
hostile("PNG with a chunk of 4 GB", "picture-broken", lambda: png(chunk(b"teSt", length=2**32 - 1)))
hostile("PNG with a chunk beyond its end", "picture-broken", lambda: png(chunk(b"teSt", length=2**30)))
hostile("PNG with a chunk named in bytes", "picture-broken", lambda: png(chunk(b"\0\1\2\3")))
hostile(
    "animated PNG claiming 10,000 frames",
    "picture-too-many-frames",
    lambda: png(chunk(b"acTL", struct.pack(">II", 10_000, 0))),
)
hostile("animated PNG", ACCEPTED, lambda: encoded("PNG", save_all=True, append_images=[Image.new("RGB", (48, 32))]))

# GIF.
hostile("GIF of 301 frames", "picture-too-many-frames", lambda: gif(gif_frame() * 301))
hostile("GIF of 20 frames", ACCEPTED, lambda: gif(gif_frame() * 20))
hostile("GIF claiming 65,535 × 65,535", "picture-side-too-long", lambda: gif(gif_frame(), width=65_535, height=65_535))
hostile(
    "GIF whose frame is larger than its screen",
    "picture-side-too-long",
    lambda: gif(gif_frame(width=60_000, height=60_000)),
)
hostile("GIF whose frame lies outside", "picture-side-too-long", lambda: gif(gif_frame(left=50_000)))
hostile("GIF without frames", "picture-broken", lambda: gif())
hostile("GIF cut short", "picture-broken", lambda: encoded("GIF", crafting.plain(99, 99))[:1_500])
hostile("GIF with data of noise", "picture-broken", lambda: gif(gif_frame(data=b"\x08\xf0" + _noise(240) + b"\0")))
hostile("GIF with a code size of 200", "picture-broken", lambda: gif(gif_frame(data=b"\xc8\x02\x4c\x01\0")))
hostile("GIF and Java archive in one", ACCEPTED, lambda: encoded("GIF") + b"PK\3\4" + CANARY)
hostile("GIF with a script as comment", ACCEPTED, lambda: encoded("GIF", comment=CANARY))

# WebP.
hostile("WebP cut short", "picture-broken", lambda: encoded("WEBP", crafting.plain(99, 99))[:-200])
hostile("WebP claiming 16 million pixels a side", "picture-side-too-long", lambda: riff(crafting.canvas(2**24, 2**24)))
hostile(
    "WebP with a canvas that its picture does not fill",
    "picture-broken",
    lambda: riff(crafting.canvas(4_000, 4_000), crafting.webp_chunk(encoded("WEBP"))),
)
hostile("WebP of 300 frames", "picture-too-many-frames", lambda: _animated_webp(300))
hostile("WebP of 30 frames", ACCEPTED, lambda: _animated_webp(30))
hostile("WebP with pixels of noise", "picture-broken", lambda: riff((b"VP8L", b"\x2f\x2f\0\0\0" + _noise(4))))
hostile("WebP of 10,000 chunks", "picture-too-complex", lambda: riff(crafting.canvas(8, 8), *[(b"JUNK", b"")] * 10_000))
hostile("WebP without a picture", "picture-broken", lambda: riff())
hostile("WebP whose length says 0", "picture-broken", lambda: riff(crafting.webp_chunk(encoded("WEBP")), size=0))
hostile("WebP with a GPS position", ACCEPTED, lambda: encoded("WEBP", exif=crafting.with_gps(), xmp=CANARY))

# AVIF.
hostile("AVIF cut short", "picture-broken", lambda: encoded("AVIF")[:-60])
hostile("AVIF of its first box", "picture-broken", lambda: encoded("AVIF")[:32])
hostile(
    "AVIF claiming 4 billion pixels a side",
    "picture-side-too-long",
    lambda: crafting.avif_claiming(2**32 - 1, 2**32 - 1),
)
hostile("AVIF claiming 8,000 × 8,000", "picture-too-many-pixels", lambda: crafting.avif_claiming(8_000, 8_000))
hostile("AVIF claiming 4,000 × 4,000", ACCEPTED, lambda: crafting.avif_claiming(4_000, 4_000))
hostile("AVIF of 10,000 boxes", "picture-too-complex", lambda: encoded("AVIF")[:32] + crafting.box(b"free") * 10_000)
hostile(
    "AVIF with a box smaller than its head",
    "picture-broken",
    lambda: encoded("AVIF")[:32] + struct.pack(">I", 2) + b"meta",
)
hostile(
    "AVIF of 300 frames",
    "picture-too-many-frames",
    lambda: encoded(
        "AVIF",
        Image.new("RGB", (16, 16)),
        save_all=True,
        speed=10,
        append_images=[Image.new("RGB", (16, 16), (n % 256, 0, 0)) for n in range(299)],
    ),
)
hostile("AVIF with a GPS position", ACCEPTED, lambda: encoded("AVIF", exif=crafting.with_gps(), xmp=CANARY))

# TIFF.
hostile(
    "TIFF whose directories go in a circle",
    "picture-broken",
    lambda: crafting.tiff(*crafting.tiff_entries(), following=72),
)
hostile(
    "TIFF of 300 pages",
    "picture-too-many-frames",
    lambda: encoded("TIFF", Image.new("L", (1, 1)), save_all=True, append_images=[Image.new("L", (1, 1))] * 299),
)
hostile("TIFF of 3 pages", ACCEPTED, lambda: encoded("TIFF", save_all=True, append_images=[crafting.plain()] * 2))
hostile("TIFF with a JPEG inside", "picture-format", lambda: encoded("TIFF", compression="jpeg"))
hostile(
    "TIFF with a fax inside", "picture-format", lambda: encoded("TIFF", Image.new("1", (64, 64)), compression="group4")
)
hostile(
    "TIFF claiming 4 billion pixels a side",
    "picture-side-too-long",
    lambda: crafting.tiff(*crafting.tiff_entries(width=2**32 - 1)),
)
hostile("TIFF without height", "picture-broken", lambda: crafting.tiff(*crafting.tiff_entries(height=0)))
hostile(
    "TIFF with a tile of 2³¹ pixels",
    "picture-too-complex",
    lambda: crafting.tiff(*crafting.tiff_entries(), (322, 4, 1, 2**31), (323, 4, 1, 16), (324, 4, 1, 8)),
)
hostile(
    "TIFF with a million strips",
    "picture-too-complex",
    lambda: crafting.tiff((273, 4, 1_000_000, 8), *[e for e in crafting.tiff_entries() if e[0] != 273]),
)
hostile(
    "TIFF with its pixels beyond the end", "picture-broken", lambda: crafting.tiff(*crafting.tiff_entries(offset=10**9))
)
hostile("TIFF of 60 channels", "picture-too-complex", lambda: crafting.tiff(*crafting.tiff_entries(), (277, 3, 1, 60)))
hostile("TIFF of floating point", "picture-colour", lambda: encoded("TIFF", Image.new("F", (8, 8), 0.5)))
hostile("TIFF in Lab colours", "picture-colour", lambda: encoded("TIFF", Image.new("LAB", (8, 8))))
hostile(
    "TIFF of 60,000 tags", "picture-too-complex", lambda: crafting.tiff(*[(n, 4, 1, 1) for n in range(1_000, 61_000)])
)
hostile(
    "TIFF with private tags", ACCEPTED, lambda: encoded("TIFF", description=CANARY.decode(), artist=CANARY.decode())
)


def _two_frames() -> bytes:
    jpeg = encoded("JPEG")
    at = jpeg.index(b"\xff\xc0")
    return jpeg[:at] + jpeg[at : at + 19] + jpeg[at:]


def _with_thumbnail() -> bytes:
    thumbnail = encoded("JPEG", comment=CANARY)
    block = crafting.exif((0x0112, 3, 1, b"\0\1\0\0"))
    second = struct.pack(">HHHIIHHII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(thumbnail)) + b"\0" * 4
    return encoded("JPEG", exif=b"Exif\0\0" + block[:-4] + struct.pack(">I", 26) + second + thumbnail)


def _exif_loop() -> bytes:
    """The EXIF directory names itself as its GPS and EXIF directories."""
    entries = (0x8769, 4, 1, struct.pack(">I", 8)), (0x8825, 4, 1, struct.pack(">I", 8))
    return b"Exif\0\0" + crafting.exif(*entries)[:-4] + struct.pack(">I", 8)


def _lab_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def _srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _packed(size: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(size // 1_000_000)) + packer.flush()


def _white_png(side: int) -> bytes:
    """Two colours a pixel, so that millions of pixels take a few kilobytes."""
    row = b"\0" + b"\xff" * ((side + 7) // 8)
    return png(width=side, height=side, depth=1, colour=0, rows=row * side)


def _animated_webp(frames: int) -> bytes:
    frame = crafting.animation_frame(encoded("WEBP"), 48, 32)
    return riff(crafting.canvas(48, 32, flags=2), (b"ANIM", b"\xff" * 4 + b"\0\0"), *[frame] * frames)


def table() -> str:
    """The hostile pictures and their outcomes, as Markdown."""
    rows = [f"| {number} | {case.name} | {case.outcome} |" for number, case in enumerate(HOSTILE, start=1)]
    return "\n".join(["| | picture | outcome |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    print(table())
