"""A product's picture made to fill a region of any shape: moved and scaled, never cut through the product.

Where the region asks for more than the picture has, its backdrop goes on. Low frequencies (light, the seam of wall and
floor) continue from the picture's edge; the texture on top is mirrored from the strip between edge and product, so wood
stays wood. Where the product itself touches the edge there is no backdrop to go on with: the whole picture is then shown
over a blurred copy of itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

from recommend.creatives.drawing.formats import Box
from recommend.creatives.drawing.subject import Subject

Pixels = NDArray[np.float32]
#: Share of the product region that the product fills where the picture allows it.
_FILLED = 0.92
#: Pictures are not enlarged beyond this: they would look soft.
_MOST_ENLARGED = 3.2


@dataclass(frozen=True, slots=True)
class Placed:
    """A region filled: its picture, the product's box on it, and whether backdrop was added."""

    picture: Image.Image
    product: Box
    is_extended: bool


def fill(picture: Image.Image, subject: Subject, *, size: tuple[int, int], room: Box) -> Placed:
    """Fill ``size`` with the picture so that the product's box lies inside ``room`` (pixels of the region)."""
    product = subject.box
    wide, high = product[2] - product[0], product[3] - product[1]
    most = min((room[2] - room[0]) / wide, (room[3] - room[1]) / high)
    covering = max(size[0] / picture.width, size[1] / picture.height)
    scale = min(most, max(covering, most * _FILLED), max(_MOST_ENLARGED, covering))
    scaled = picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.LANCZOS
    )
    left = _offset(product[0] * scale, product[2] * scale, scaled.width, size[0], room[0], room[2])
    top = _offset(product[1] * scale, product[3] * scale, scaled.height, size[1], room[1], room[3])
    missing = (left, top, size[0] - left - scaled.width, size[1] - top - scaled.height)
    box = tuple(round(edge * scale) for edge in product)
    if max(missing) <= 0:
        cut = scaled.crop((-left, -top, size[0] - left, size[1] - top))
        return Placed(cut, _moved(box, left, top), is_extended=False)
    if any(gap > 0 and touched for gap, touched in zip(missing, subject.touches, strict=True)):
        return _on_itself(picture, product, size=size, room=room)
    strips = (box[0], box[1], scaled.width - box[2], scaled.height - box[3])
    extended = _extended(np.asarray(scaled, dtype=np.float32), missing, strips)
    shift = (max(0, missing[0]), max(0, missing[1]))
    whole = Image.fromarray(np.clip(extended + 0.5, 0, 255).astype(np.uint8))
    x, y = shift[0] - left, shift[1] - top
    return Placed(whole.crop((x, y, x + size[0], y + size[1])), _moved(box, left, top), is_extended=True)


def _offset(start: float, end: float, length: int, span: int, room_start: int, room_end: int) -> int:
    """Where the picture begins along one axis: the product in the middle of its room, moved so that the picture covers."""
    wanted = (room_start + room_end) / 2 - (start + end) / 2
    if length >= span:
        wanted = min(0, max(span - length, wanted))
    lowest, highest = room_start - start, room_end - end
    return round(min(highest, max(lowest, wanted)))


def _moved(box: tuple[int, ...], left: int, top: int) -> Box:
    return box[0] + left, box[1] + top, box[2] + left, box[3] + top


def _on_itself(picture: Image.Image, product: Box, *, size: tuple[int, int], room: Box) -> Placed:
    """The whole picture inside the room, over a blurred copy of itself that covers the region."""
    covering = max(size[0] / picture.width, size[1] / picture.height)
    cover = picture.resize((round(picture.width * covering) + 1, round(picture.height * covering) + 1))
    x, y = (cover.width - size[0]) // 2, (cover.height - size[1]) // 2
    ground = cover.crop((x, y, x + size[0], y + size[1])).filter(ImageFilter.GaussianBlur(min(size) / 14))
    scale = min((room[2] - room[0]) / picture.width, (room[3] - room[1]) / picture.height)
    whole = picture.resize(
        (max(1, int(picture.width * scale)), max(1, int(picture.height * scale))), Image.Resampling.LANCZOS
    )
    left = (room[0] + room[2] - whole.width) // 2
    top = (room[1] + room[3] - whole.height) // 2
    ground.paste(whole, (left, top))
    box = tuple(int(edge * scale) for edge in product)
    return Placed(ground, _moved(box, left, top), is_extended=True)


def _extended(pixels: Pixels, missing: tuple[int, int, int, int], strips: tuple[int, int, int, int]) -> Pixels:
    """``pixels`` (H×W×3) with as much more backdrop at left, top, right, bottom as is missing."""
    pixels = _along(pixels, max(0, missing[0]), max(0, missing[2]), strips[0], strips[2])
    turned = pixels.transpose(1, 0, 2)
    return _along(turned, max(0, missing[1]), max(0, missing[3]), strips[1], strips[3]).transpose(1, 0, 2)


def _along(pixels: Pixels, before: int, after: int, strip_before: int, strip_after: int) -> Pixels:
    """More columns on both sides."""
    parts = [pixels]
    if before:
        parts.insert(0, _columns(pixels, before, strip_before)[:, ::-1])
    if after:
        parts.append(_columns(pixels[:, ::-1], after, strip_after))
    return np.concatenate(parts, axis=1)


def _columns(pixels: Pixels, count: int, strip: int) -> Pixels:
    """``count`` columns that lead away from the left edge, nearest first. ``strip`` columns there show no product."""
    strip = max(8, int(0.75 * min(strip, pixels.shape[1])))  # its far end may hold the product's own soft edge
    near = pixels[:, :strip]
    blur = max(6.0, min(near.shape[:2]) / 8)
    low = ndimage.gaussian_filter(near, (blur / 2, blur, 0), mode="nearest")
    # The light goes on as it is at the edge; further out its small irregularities fade, so that nothing looks combed.
    edge = low[:, :1]
    calm = ndimage.gaussian_filter1d(edge, pixels.shape[0] / 18, axis=0, mode="nearest")
    fade = np.clip(np.arange(count, dtype=np.float32) / max(1.0, 0.2 * pixels.shape[1]), 0, 1)[None, :, None]
    light = edge * (1 - fade) + calm * fade
    texture = near - low
    period = np.arange(count) % (2 * strip)
    mirrored = np.where(period < strip, period, 2 * strip - 1 - period)
    return light + texture[:, mirrored]
