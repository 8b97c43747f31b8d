"""Colour profiles written byte by byte (ICC.1:2001-04), so that what they must do to a colour is known beforehand."""

from __future__ import annotations

import struct

from PIL import ImageCms


def red_is_blue() -> bytes:
    """sRGB with the primaries of red and blue exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)


def linear_grey() -> bytes:
    """Grey whose samples are proportional to light."""
    curve = b"curv" + struct.pack(">III", 0, 0, 0)[:8]
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": _xyz(0.9642, 1.0, 0.8249), b"kTRC": curve})


def grey_cyan() -> bytes:
    """CMYK ink in which full cyan prints as the grey of L* = 50, black as black, and the others not at all."""
    lattice = bytearray()
    for point in range(16):
        cyan, black = point >> 3 & 1, point & 1
        lattice += bytes([0 if black else 128 if cyan else 255, 128, 128])
    straight = bytes(range(256))
    identity = struct.pack(">9i", *(0x10000 if index % 4 == 0 else 0 for index in range(9)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + straight * 4 + bytes(lattice) + straight * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"wtpt": _xyz(0.9642, 1.0, 0.8249), b"A2B0": table})


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    description = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + b"\0" * 78
    everything = {b"desc": description, b"cprt": b"text\0\0\0\0x\0", **tags}
    at = 128 + 4 + 12 * len(everything)
    table, data = struct.pack(">I", len(everything)), b""
    for name, body in everything.items():
        body += b"\0" * (-len(body) % 4)
        table += name + struct.pack(">II", at + len(data), len(body))
        data += body
    header = struct.pack(
        ">I4sI4s4s4s12s4s",
        at + len(data),
        b"lcms",
        0x02200000,
        kind,
        space,
        connection,
        b"\x07\xea\0\x01\0\x01" * 2,
        b"acsp",
    )
    illuminant = struct.pack(">3i", round(0.9642 * 65536), 65536, round(0.8249 * 65536))
    return (header + b"\0" * 28 + illuminant).ljust(128, b"\0") + table + data
