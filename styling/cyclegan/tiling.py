"""Pictures larger than memory allows at once: tile by tile, under the whole picture's statistics, exactly.

Two things make a tile differ from the same place of the whole picture. What lies beyond its border: so each window is
wider than its tile, only the tile is kept, and where the picture ends, so does the window, and padding falls where it
would have fallen. And instance normalisation, whose mean and variance are those of the whole picture. Thumbnail
statistics (Chen et al. 2022, "Towards Ultra-Resolution Neural Style Transfer") only come near these: a thumbnail's
textures are finer, and the network answers to textures. Here every norm is measured over all tiles before anything
behind it is computed. That takes one pass of tiles per norm outside the residual blocks, each only as deep as its norm;
in between, the blocks' maps, a sixteenth of the picture's pixels, are held whole and changed in place, so that nothing
of the blocks, where most of the work is, is computed twice. Tiled equals untiled but for rounding.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from styling.cyclegan.devices import Compute
from styling.cyclegan.layers import InstanceNorm
from styling.cyclegan.networks import ResidualBlock
from styling.cyclegan.rendering import Core

#: Smallest side of a tile.
SMALLEST_TILE = 64
#: Pixels that a window is wider than its tile: of the encoder a place sees 6, of the decoder with the encoder's edges 12.
MARGIN = 16
#: Rows of the blocks' maps that are convolved at a time are those of so many values.
_STRIPE_VALUES = 1 << 23


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of a picture; the sides are multiples of 4."""

    top: int
    left: int
    bottom: int
    right: int

    def of(self, maps: Tensor, scale: int) -> Tensor:
        """This rectangle of ``maps`` (N×C×h×w), which are ``scale`` times smaller than the picture."""
        return maps[:, :, self.top // scale : self.bottom // scale, self.left // scale : self.right // scale]

    def within(self, outer: Window) -> Window:
        """This rectangle as seen from the corner of ``outer``."""
        return Window(self.top - outer.top, self.left - outer.left, self.bottom - outer.top, self.right - outer.left)


class _FixedNorm(nn.Module):
    """Instance normalisation with statistics from before."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = self.shift = torch.zeros(1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.shift, x.float(), self.scale).to(x.dtype)


class _Sums:
    """Mean and variance per channel of what comes piece by piece, in float64."""

    def __init__(self) -> None:
        self._count = 0
        self._total = self._squares = torch.zeros((), dtype=torch.float64)

    def add(self, values: Tensor) -> None:
        variance, mean = torch.var_mean(values.float(), dim=(0, 2, 3), keepdim=True, correction=0)
        count, mean = values.numel() // values.shape[1], mean.double()
        self._count += count
        self._total = self._total + count * mean
        self._squares = self._squares + count * (variance.double() + mean * mean)

    def settle(self, norm: nn.Module) -> None:
        """Let ``norm`` normalise with what was summed."""
        assert isinstance(norm, _FixedNorm)
        mean = self._total / self._count
        scale = torch.rsqrt((self._squares / self._count - mean * mean).clamp(min=0) + InstanceNorm.EPSILON)
        norm.scale, norm.shift = scale.float(), (-mean * scale).float()


class TiledNetwork:
    """A network made ready for tiles. ``core``'s weights are shared, its own norms are left alone."""

    def __init__(self, core: Core, compute: Compute) -> None:
        self._core = copy.deepcopy(core, {id(parameter): parameter for parameter in core.parameters()})
        for module in list(self._core.modules()):
            for name, child in module.named_children():
                if isinstance(child, InstanceNorm):
                    setattr(module, name, _FixedNorm())
        self._compute = compute

    def render(
        self,
        read: Callable[[Window], Tensor],
        *,
        height: int,
        width: int,
        tile: int,
        write: Callable[[Window, Tensor], object],
    ) -> None:
        """Render tile by tile.

        ``read`` gives 1×C×h×w in [-1, 1] of a window; ``write`` takes a tile's place and its 1×K×h×w answer. ``height``
        and ``width`` are the picture's, multiples of 4; ``tile`` is the side of the largest window that is computed.
        Memory follows from it, and from the blocks' maps: the first layer's filters × 3/2 bytes a pixel in bfloat16.
        """
        inner = max(SMALLEST_TILE, (tile - 2 * MARGIN) // 4 * 4)
        windows = [(place, _seen(place, height, width)) for place in tiles(height, width, inner)]
        with torch.inference_mode(), self._compute.autocast():
            hidden = self._encoded(read, windows, height, width)
            for block in self._core.generator.blocks:
                assert isinstance(block, ResidualBlock)
                _apply_block(block, hidden)
            for place, seen, answer in self._decoded(read, windows, hidden):
                write(place, place.within(seen).of(answer, 1).float().cpu())

    def _encoded(
        self, read: Callable[[Window], Tensor], windows: list[tuple[Window, Window]], height: int, width: int
    ) -> Tensor:
        """The maps that enter the blocks, whole."""
        generator, device = self._core.generator, self._compute.device
        stem, down1, down2 = generator.stem, generator.down1, generator.down2
        _measure(windows, stem[-2], 1, lambda _place, seen: stem[:-2](read(seen).to(device)))
        _measure(windows, down1[-2], 2, lambda _place, seen: down1[:-2](stem(read(seen).to(device))))
        hidden = torch.empty(
            (1, generator.feature_channels[2], height // 4, width // 4),
            dtype=self._compute.autocast_dtype or torch.float32,
            device=device,
        )

        def halved(place: Window, seen: Window) -> Tensor:
            answer: Tensor = down2[:-2](down1(stem(read(seen).to(device))))
            place.of(hidden, 4).copy_(place.within(seen).of(answer, 4))
            return answer

        _measure(windows, down2[-2], 4, halved)
        for stripe in _stripes(hidden):
            part = hidden[:, :, stripe]
            part.copy_(down2[-2](part)).relu_()
        return hidden

    def _decoded(
        self, read: Callable[[Window], Tensor], windows: list[tuple[Window, Window]], hidden: Tensor
    ) -> Iterator[tuple[Window, Window, Tensor]]:
        """Each tile's place, its window, and the window's answer."""
        core, device = self._core, self._compute.device
        up1, up2 = core.generator.up1, core.generator.up2
        _measure(windows, up1[-2], 2, lambda _place, seen: up1[:-2](seen.of(hidden, 4)))

        def doubled(_place: Window, seen: Window) -> Tensor:
            maps: Tensor = up1(seen.of(hidden, 4))
            if core.generator.is_residual:
                maps = maps + core.generator.down1(core.generator.stem(read(seen).to(device)))
            answer: Tensor = up2[:-2](maps)
            return answer

        _measure(windows, up2[-2], 1, doubled)
        for place, seen in windows:
            source = read(seen).to(device)
            yield place, seen, core.decode(seen.of(hidden, 4), source, *core.edges(source))


def _measure(
    windows: list[tuple[Window, Window]], norm: nn.Module, scale: int, maps_of: Callable[[Window, Window], Tensor]
) -> None:
    """Take ``norm``'s statistics over all tiles of ``maps_of``, whose answers are ``scale`` times smaller."""
    sums = _Sums()
    for place, seen in windows:
        sums.add(place.within(seen).of(maps_of(place, seen), scale))
    sums.settle(norm)


def _apply_block(block: ResidualBlock, hidden: Tensor) -> None:
    """``hidden += body(hidden)`` with two maps beside it."""
    pad, first, first_norm, _relu, _pad, second, second_norm = block.body
    inner = torch.empty_like(hidden)
    _convolve(hidden, pad, first, first_norm, inner)
    for stripe in _stripes(inner):
        part = inner[:, :, stripe]
        part.copy_(first_norm(part)).relu_()
    outer = torch.empty_like(hidden)
    _convolve(inner, pad, second, second_norm, outer)
    for stripe in _stripes(outer):
        hidden[:, :, stripe] += second_norm(outer[:, :, stripe])


def _convolve(maps: Tensor, pad: nn.Module, convolution: nn.Module, norm: nn.Module, into: Tensor) -> None:
    """A padded 3×3 convolution a stripe of rows at a time, whose statistics ``norm`` takes."""
    sums, height = _Sums(), maps.shape[2]
    for stripe in _stripes(maps):
        top, bottom = max(0, stripe.start - 2), min(height, stripe.stop + 2)
        answer = convolution(pad(maps[:, :, top:bottom]))[:, :, stripe.start - top : stripe.stop - top]
        sums.add(answer)
        into[:, :, stripe] = answer
    sums.settle(norm)


def _stripes(maps: Tensor) -> Iterator[slice]:
    height = maps.shape[2]
    step = max(4, _STRIPE_VALUES * height // maps.numel())
    return (slice(top, min(height, top + step)) for top in range(0, height, step))


def _seen(place: Window, height: int, width: int) -> Window:
    return Window(
        max(0, place.top - MARGIN),
        max(0, place.left - MARGIN),
        min(height, place.bottom + MARGIN),
        min(width, place.right + MARGIN),
    )


def tiles(height: int, width: int, side: int) -> Iterator[Window]:
    """Rectangles of at most ``side`` (a multiple of 4) that cover the picture once, of nearly equal sizes."""
    rows, columns = _cuts(height, side), _cuts(width, side)
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(columns):
            yield Window(top, left, bottom, right)


def _cuts(length: int, side: int) -> list[int]:
    count = math.ceil(length / side)
    step = math.ceil(length / count / 4) * 4
    return [*range(0, length, step), length]


def automatic_tile(width: int) -> int:
    """Side of windows that need some 700 MB, for a network whose first layer has ``width`` filters."""
    return max(256, int(1024 * math.sqrt(48 / max(width, 16))) // 64 * 64)


def padded(pictures: Tensor, *, height: int, width: int) -> Tensor:
    """``pictures`` (N×C×H×W) continued to the right and below, mirrored, to ``height`` and ``width``."""
    while pictures.shape[2] < height:
        # A mirror shows at most the picture once, so that tiny ones are mirrored again and again.
        pictures = torch.cat((pictures, pictures[:, :, pictures.shape[2] - height :].flip(2)), dim=2)
    while pictures.shape[3] < width:
        pictures = torch.cat((pictures, pictures[..., pictures.shape[3] - width :].flip(3)), dim=3)
    return pictures
