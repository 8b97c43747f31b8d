"""Apply a trained translator to pictures: verified weights, sizes kept, strength, colour and product kept on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from styling.cyclegan import artifact, devices
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import Generator, keep_chroma
from styling.cyclegan.truth import lab_of, product_mask

#: A picture is translated with its longer side at this multiple of the training size at most.
LARGEST_SCALE = 2
_MULTIPLE = 4
#: Width of the soft border between a kept product and its new background, as a share of the picture.
_FEATHER = 0.01


@dataclass(frozen=True)
class TranslateOptions:
    """How a model is applied."""

    strength: float = 1.0  #: 0 leaves the picture, 1 is the whole effect
    keep_product: bool = False  #: restyle only what is around the product
    keep_color: float = 0.0  #: 1 keeps the picture's own chroma

    def __post_init__(self) -> None:
        if not (0 <= self.strength <= 1 and 0 <= self.keep_color <= 1):
            raise CycleGANError("bad-settings", "Strength and colour-keeping are numbers from 0 to 1.")


class Translator:
    """A loaded model. ``translate`` takes and gives pictures of any size; aspect ratio and size stay as they are."""

    def __init__(self, generator: Generator, config: dict[str, Any], compute: devices.Compute) -> None:
        self._generator = generator.to(compute.device)
        self._compute = compute
        self.config = config
        self._size = int(config["image_size"])

    @classmethod
    def load(cls, directory: Path, *, device: str | None = None) -> Translator:
        """Load and verify an artifact. Raises ``CycleGANError`` as ``artifact.load_generator`` does."""
        generator, config = artifact.load_generator(directory)
        return cls(generator, config, devices.choose(device))

    def translate(self, images: Sequence[Image.Image], *, options: TranslateOptions | None = None) -> list[Image.Image]:
        """Each picture in the model's style, RGB, at its own size.

        A picture is translated at the model's working size and the *change* is brought to the picture's own size, so
        that details finer than the model knows are kept.
        """
        options = options or TranslateOptions()
        results: list[Image.Image] = []
        for image in images:
            rgb = image.convert("RGB")
            small = rgb.resize(self._working_size(rgb.size), Image.Resampling.LANCZOS)
            source = _to_tensor(small)
            translated = keep_chroma(self._forward(source), source, options.keep_color)
            styled = _to_image(translated).resize(rgb.size, Image.Resampling.LANCZOS)
            results.append(_finish(rgb, styled, options))
        return results

    def _working_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Near the training size, shape kept, sides multiples of four."""
        longest = min(max(size), LARGEST_SCALE * self._size)
        scale = max(longest, self._size) / max(size)
        width, height = (max(8 * _MULTIPLE, round(side * scale / _MULTIPLE) * _MULTIPLE) for side in size)
        return width, height

    def _forward(self, source: Tensor) -> Tensor:
        try:
            with torch.inference_mode(), self._compute.autocast():
                return self._generator(source.to(self._compute.device)).float().cpu()
        except RuntimeError as error:
            if devices.is_out_of_memory(error):
                raise CycleGANError(
                    "out-of-memory", "There is not enough memory for a picture of this size. Use a smaller one."
                ) from error
            raise


def _to_tensor(image: Image.Image) -> Tensor:
    """1×3×H×W in [-1, 1]."""
    pixels = torch.from_numpy(np.array(image, dtype=np.float32))
    return (pixels / 127.5 - 1).permute(2, 0, 1).unsqueeze(0)


def _to_image(tensor: Tensor) -> Image.Image:
    pixels = ((tensor[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).round()
    return Image.fromarray(pixels.to(torch.uint8).numpy())


def _finish(original: Image.Image, styled: Image.Image, options: TranslateOptions) -> Image.Image:
    if options.strength < 1:
        styled = Image.blend(original, styled, options.strength)
    if options.keep_product:
        mask, confidence = product_mask(lab_of(original))
        if confidence > 0:
            soft = Image.fromarray((mask * 255).astype(np.uint8)).resize(original.size)
            soft = soft.filter(ImageFilter.GaussianBlur(max(1.0, _FEATHER * max(original.size))))
            styled = Image.composite(original, styled, soft)
    return styled
