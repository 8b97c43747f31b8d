"""Pictures as arrays: what of a picture a network sees, and how what it answers becomes a picture of the same kind.

Colour models work in 8-bit sRGB; grey ones keep 16 bits where the picture has them. Transparent pixels are shown to the
network on white, and transparency is laid back over the rendering.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms
from torch import Tensor

from styling.cyclegan.errors import CycleGANError

#: Pixels of a picture beyond which it is refused; what is held of it is some 8 bytes a pixel, and
#: beyond, Pillow takes it for a bomb.
LARGEST_PIXELS = 89_000_000

_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True, slots=True)
class Pixels:
    """One picture: ``color`` is H×W×C, uint8 or (grey alone) uint16; ``alpha`` is H×W uint8."""

    color: NDArray[Any]
    alpha: NDArray[np.uint8] | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, as Pillow has them."""
        return self.color.shape[1], self.color.shape[0]

    @property
    def maximum(self) -> int:
        """The value that is white."""
        return int(np.iinfo(self.color.dtype).max)

    def unit(self, top: int, left: int, bottom: int, right: int) -> Tensor:
        """A rectangle, cut off at the picture's border, as 1×C×h×w float32 in [-1, 1]."""
        part = torch.from_numpy(self.color[top:bottom, left:right].astype(np.float32))
        return (part * (2 / self.maximum) - 1).permute(2, 0, 1).unsqueeze(0)

    def scaled(self, width: int, height: int) -> Tensor:
        """The whole, resized (Lanczos), as 1×C×height×width float32 in [-1, 1]."""
        if self.color.dtype == np.uint16:
            picture = Image.fromarray(self.color[..., 0].astype(np.float32))
        else:
            picture = Image.fromarray(self.color if self.color.shape[2] == 3 else self.color[..., 0])
        # Steps of box reduction first: Lanczos over a large picture would take longer than the network.
        smaller = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        values = torch.from_numpy(np.array(smaller, dtype=np.float32)).reshape(height, width, -1)
        return (values * (2 / self.maximum) - 1).clamp(-1, 1).permute(2, 0, 1).unsqueeze(0)

    def blank(self) -> NDArray[Any]:
        """An array for a rendering."""
        return np.empty_like(self.color)

    def quantised(self, values: Tensor) -> NDArray[Any]:
        """1×C×h×w in [-1, 1] as h×w×C in this picture's own type."""
        levels = values[0].permute(1, 2, 0).clamp(-1, 1).add(1).mul(self.maximum / 2)
        rounded: NDArray[Any] = levels.numpy().round().astype(self.color.dtype)
        return rounded

    def to_image(self, color: NDArray[Any]) -> Image.Image:
        """A rendering (H×W×C) as a picture: RGB, L or I;16, with the original's transparency (RGBA, LA)."""
        image = Image.fromarray(color if color.shape[2] == 3 else color[..., 0])
        if self.alpha is not None and color.dtype == np.uint8:
            image.putalpha(Image.fromarray(self.alpha))
        return image


def check_size(image: Image.Image) -> None:
    """Raise ``CycleGANError('picture-too-large')`` above ``LARGEST_PIXELS``."""
    if image.width * image.height > LARGEST_PIXELS:
        raise CycleGANError(
            "picture-too-large",
            f"The picture has {image.width} × {image.height} pixels; {LARGEST_PIXELS // 10**6} million is the most. "
            "Make it smaller first.",
        )


def read(image: Image.Image, *, channels: int) -> Pixels:
    """A picture as a network of ``channels`` (1 or 3) sees it.

    Raises what ``check_size`` raises.
    """
    check_size(image)
    if image.mode == "F" or image.mode.startswith("I"):
        return Pixels(_deep(image, channels), None)
    image = _in_srgb(image)
    alpha = None
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        alpha = np.array(layer.getchannel("A"))
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
        alpha = None if alpha.min() == 255 else alpha
    values = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return Pixels(values if channels == 3 else values[..., None], alpha)


def _deep(image: Image.Image, channels: int) -> NDArray[Any]:
    """A 16-bit or floating-point (0 to 255) grey picture: 16 bits for a grey model, 8 for one of colours."""
    values = np.asarray(image)
    if image.mode == "F":
        values = np.nan_to_num(values) * 257.0
    deep = np.clip(values, 0, 65535)
    if channels == 1:
        return deep.astype(np.uint16)[..., None]
    return np.repeat((deep / 257.0).round().astype(np.uint8)[..., None], channels, axis=2)


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture in sRGB by its own profile; as it is where it has none, or one that does not fit."""
    embedded = image.info.get("icc_profile")
    if not embedded or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(image, profile, _SRGB, outputMode=mode) or image
    except (ImageCms.PyCMSError, OSError):
        return image
