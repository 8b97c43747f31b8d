"""Apply a trained translator to pictures: verified weights, sizes kept, strength, colour and product kept on request."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from styling.cyclegan import artifact, devices, pixels, tiling
from styling.cyclegan.engines import Engines
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import Generator, keep_chroma
from styling.cyclegan.pixels import Pixels
from styling.cyclegan.rendering import Core, changed, rows_of
from styling.cyclegan.tiling import TiledNetwork, Window
from styling.cyclegan.truth import lab_of, product_mask

#: The most pixels on each of which the network runs: the blocks' maps of more would not fit into memory.
LARGEST_DETAILED = 40_000_000
#: The network works on a picture at this longer side at most, or at this multiple of the training size, so that strokes
#: keep nearly the width that they were learned at; what it answers is brought to the picture's own size.
WORKING_SIDE = 512
LARGEST_SCALE = 2
#: Longer side beyond which it never works, however large the training size: its answer would not fit into memory.
LARGEST_WORKING_SIDE = 2048
_MULTIPLE = 4
_LEAST = 8 * _MULTIPLE
#: Pixels that go through the network together, and pixels of the band that is painted at a time.
_BATCH_PIXELS = 512 * 512
_BAND_PIXELS = 1 << 20
#: The product is looked for in the picture at this size at most.
_MASKED_SIDE = 512
#: Width of the soft border between a kept product and its new background, as a share of the picture.
_FEATHER = 0.01


@dataclass(frozen=True)
class TranslateOptions:
    """How a model is applied."""

    strength: float = 1.0  #: 0 leaves the picture, 1 is the whole effect
    keep_product: bool = False  #: restyle only what is around the product
    keep_background: bool = False  #: restyle the product alone: a white ground stays white
    keep_color: float = 0.0  #: 1 keeps the picture's own chroma
    #: Run the network on every pixel, in tiles: strokes are as fine as in training, pixel for pixel, and a large
    #: picture takes minutes.
    full_detail: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.strength <= 1 and 0 <= self.keep_color <= 1):
            raise CycleGANError("bad-settings", "Strength and colour-keeping are numbers from 0 to 1.")
        if self.keep_product and self.keep_background:
            raise CycleGANError("bad-settings", "Product and background cannot both be kept: nothing would change.")


class Translator:
    """A loaded model. ``translate`` takes and gives pictures of any size; aspect ratio and size stay as they are.

    ``engine`` fixes the way in which the network is run (a name of ``engines.NAMES``); by default the fastest is found
    once the work is long enough to pay for the search. ``tile`` is the side of the largest rectangle that is computed
    at once, by default what some 700 MB allow.
    """

    def __init__(
        self,
        generator: Generator,
        config: dict[str, Any],
        compute: devices.Compute,
        *,
        engine: str | None = None,
        tile: int | None = None,
    ) -> None:
        self.config = config
        self._size = int(config["image_size"])
        self._color_keep = generator.color_keep
        self._channels = generator.feature_channels[0]
        self._tile = tile or tiling.automatic_tile(generator.feature_channels[1] // 2)
        self._core = Core(generator).eval().requires_grad_(False)
        self.engines = Engines(
            self._core,
            compute,
            channels=self._channels,
            rendered=lambda source, answer: changed(source, answer, color_keep=self._color_keep),
            only=engine,
        )

    @classmethod
    def load(cls, directory: Path, *, device: str | None = None, engine: str | None = None) -> Translator:
        """Load and verify an artifact. Raises ``CycleGANError`` as ``artifact.load_generator`` does."""
        generator, config = artifact.load_generator(directory)
        return cls(generator, config, devices.choose(device), engine=engine)

    def translate(self, images: Sequence[Image.Image], *, options: TranslateOptions | None = None) -> list[Image.Image]:
        """Each picture in the model's style, at its own size: RGB or RGBA, or L or I;16 of a grey model.

        Raises ``CycleGANError``: ``picture-too-large``, ``out-of-memory``.
        """
        options = options or TranslateOptions()
        pictures = [pixels.read(image, channels=self._channels) for image in images]
        if options.full_detail:
            return [self._in_full_detail(picture, options) for picture in pictures]
        results: list[Image.Image] = []
        for size, alike in itertools.groupby(pictures, key=lambda picture: self._working_size(picture.size)):
            most = max(1, _BATCH_PIXELS // (size[0] * size[1]))
            while batch := list(itertools.islice(alike, most)):
                changes = self._changes(torch.cat([picture.scaled(*size) for picture in batch]))
                results += [
                    self._painted(picture, change[None], options)
                    for picture, change in zip(batch, changes, strict=True)
                ]
        return results

    def _working_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height that the network works at: shape kept, sides multiples of four."""
        most = max(self._size, min(max(LARGEST_SCALE * self._size, WORKING_SIDE), LARGEST_WORKING_SIDE))
        scale = min(most, max(self._size, *size)) / max(size)
        width, height = (max(_LEAST, round(side * scale / _MULTIPLE) * _MULTIPLE) for side in size)
        return width, height

    def _changes(self, sources: Tensor) -> Tensor:
        """What the network answers to N×C×H×W; in smaller batches, then in tiles, where memory does not suffice."""
        count, _channels, height, width = sources.shape
        if height * width > self._tile**2:
            return torch.cat([self._tiled_change(source[None]) for source in sources])
        try:
            return self.engines(sources)
        except (RuntimeError, MemoryError) as error:
            if not devices.is_out_of_memory(error):
                raise
        if count > 1:
            middle = count // 2
            return torch.cat((self._changes(sources[:middle]), self._changes(sources[middle:])))
        return self._tiled_change(sources)

    def _tiled_change(self, source: Tensor) -> Tensor:
        height, width = source.shape[2:]
        parts: dict[Window, Tensor] = {}
        self._tiled(
            lambda w: source[:, :, w.top : w.bottom, w.left : w.right], height, width, lambda w, t: parts.update({w: t})
        )
        whole = source.new_empty(1, next(iter(parts.values())).shape[1], height, width)
        for place, part in parts.items():
            whole[:, :, place.top : place.bottom, place.left : place.right] = part
        return whole

    def _tiled(
        self,
        read: Callable[[Window], Tensor],
        height: int,
        width: int,
        write: Callable[[Window, Tensor], object],
    ) -> None:
        """Render in tiles, in smaller ones where memory does not suffice."""
        network = TiledNetwork(self._core, self.engines.compute)
        tile = self._tile
        while True:
            try:
                return network.render(read, height=height, width=width, tile=tile, write=write)
            except (RuntimeError, MemoryError) as error:
                if not devices.is_out_of_memory(error):
                    raise
                if tile <= tiling.SMALLEST_TILE:
                    raise CycleGANError(
                        "out-of-memory", "There is not enough memory for this picture, even in small tiles."
                    ) from error
            tile //= 2

    def _in_full_detail(self, picture: Pixels, options: TranslateOptions) -> Image.Image:
        width, height = picture.size
        if width * height > LARGEST_DETAILED:
            raise CycleGANError(
                "picture-too-large",
                f"Full detail takes pictures of {LARGEST_DETAILED // 10**6} million pixels at most; this one has "
                f"{width} × {height}. Render it without, or make it smaller.",
            )
        full_height, full_width = (max(_LEAST, math.ceil(side / _MULTIPLE) * _MULTIPLE) for side in (height, width))
        keep, color = _kept(picture, options), picture.blank()

        def read(window: Window) -> Tensor:
            part = picture.unit(window.top, window.left, window.bottom, window.right)
            return tiling.padded(part, height=window.bottom - window.top, width=window.right - window.left)

        def write(place: Window, change: Tensor) -> None:
            rows, columns = min(place.bottom, height) - place.top, min(place.right, width) - place.left
            inside = Window(place.top, place.left, place.top + rows, place.left + columns)
            self._paint(picture, inside, change[:, :, :rows, :columns], keep, options, color)

        if full_height * full_width <= self._tile**2:
            whole = Window(0, 0, full_height, full_width)
            write(whole, self._changes(read(whole)))
        else:
            self._tiled(read, full_height, full_width, write)
        return picture.to_image(color)

    def _painted(self, picture: Pixels, change: Tensor, options: TranslateOptions) -> Image.Image:
        """``change`` (1×K×h×w), brought to the picture's size a band at a time, applied to it."""
        width, height = picture.size
        keep, color = _kept(picture, options), picture.blank()
        step = max(1, _BAND_PIXELS // width)
        for top in range(0, height, step):
            bottom = min(height, top + step)
            band = rows_of(change, top=top, bottom=bottom, height=height, width=width)
            self._paint(picture, Window(top, 0, bottom, width), band, keep, options, color)
        return picture.to_image(color)

    def _paint(
        self,
        picture: Pixels,
        place: Window,
        change: Tensor,
        keep: Tensor | None,
        options: TranslateOptions,
        color: NDArray[Any],
    ) -> None:
        """Write what ``change`` (1×K×h×w) makes of the rectangle at ``place`` into ``color``."""
        source = picture.unit(place.top, place.left, place.bottom, place.right)
        result = changed(source, change, color_keep=self._color_keep)
        if self._channels == 3:
            result = keep_chroma(result, source, options.keep_color)
        if options.strength < 1:
            result = torch.lerp(source, result, options.strength)
        if keep is not None:
            width, height = picture.size
            rows = rows_of(keep, top=place.top, bottom=place.bottom, height=height, width=width)
            result = torch.lerp(result, source, rows[..., place.left : place.right])
        color[place.top : place.bottom, place.left : place.right] = picture.quantised(result)


def _kept(picture: Pixels, options: TranslateOptions) -> Tensor | None:
    """How much of each pixel stays, 1×1×h×w in [0, 1] with soft borders; ``None`` where nothing does.

    Where no product stands out from its background, nothing can be kept and the whole picture is restyled.
    """
    if not (options.keep_product or options.keep_background):
        return None
    small = picture.scaled(*(min(side, _MASKED_SIDE) for side in picture.size))
    levels = small[0].add(1).mul(127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    mask, confidence = product_mask(lab_of(Image.fromarray(levels if levels.shape[2] == 3 else levels[..., 0])))
    if confidence == 0:
        return None
    soft = Image.fromarray(((mask if options.keep_product else ~mask) * 255).astype(np.uint8))
    soft = soft.filter(ImageFilter.GaussianBlur(max(1.0, _FEATHER * max(soft.size))))
    return torch.from_numpy(np.array(soft, dtype=np.float32))[None, None] / 255
