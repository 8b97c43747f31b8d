"""What one uploaded picture may cost."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Bounds of one upload. Pictures beyond the first five are refused by their headers, before any decoding."""

    #: Bytes of the uploaded file.
    most_bytes: int = 15 * MEGABYTE
    #: Width times height.
    most_pixels: int = 40_000_000
    #: Pixels of the longer side.
    longest_side: int = 12_000
    #: Frames of an animation, or pages.
    most_frames: int = 200
    #: Scans of one JPEG: each may cost a pass over all of its pixels. An ordinary progressive JPEG has about ten.
    most_scans: int = 64
    #: Seconds from the upload's arrival to the answer, by the clock.
    seconds: float = 6.0
    #: Seconds of processor time of the decoding child, whole ones as the kernel counts.
    cpu_seconds: int = 5
    #: Address space of the decoding child; with the copies that the server holds, the upload stays under 700 MB.
    memory_bytes: int = 620 * MEGABYTE
    #: Bytes of the safe copy. 40 MP of noise would be larger.
    most_output_bytes: int = 64 * MEGABYTE
    #: Quality of the safe copy, as JPEG with full colour resolution (4:4:4).
    jpeg_quality: int = 92


DEFAULT = Limits()
