"""What of a generator runs at which size: the network at its working size, the colours at the picture's own.

The ``residual`` generator answers with an affine change of each pixel's colour, and such a change may be computed from a
smaller picture and applied to the large one (as in Gharbi et al. 2017, "Deep Bilateral Learning for Real-Time Image
Enhancement"): strokes keep the width they had in training, the product keeps its finest detail, and the cost hardly
grows with the picture. The ``resnet`` generator paints pixels; of these, too, the difference to the source is brought
to the picture's size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from styling.cyclegan.networks import Generator, keep_chroma


class Core(nn.Module):
    """A generator up to the change that it makes to colours.

    Takes N×C×H×W in [-1, 1] with H and W multiples of 4; gives N×C×H×W, to be added (``resnet``), or N×C(C+1)×H×W, an
    offset and a matrix (``residual``); see ``changed``.
    """

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        generator = self.generator
        full = generator.stem(x)
        half = generator.down1(full)
        hidden = generator.down2(half)
        for block in generator.blocks:
            hidden = block(hidden)
        return self.decode(hidden, x, full, half)

    def edges(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's maps of ``x`` that the decoder sees, at full and half resolution; empty where it sees none."""
        if not self.generator.is_residual:
            return x.new_empty(0), x.new_empty(0)
        full = self.generator.stem(x)
        return full, self.generator.down1(full)

    def decode(self, hidden: Tensor, x: Tensor, full: Tensor, half: Tensor) -> Tensor:
        """The change, from the blocks' answer, the source and its ``edges``."""
        generator = self.generator
        if generator.is_residual:
            change: Tensor = generator.head(generator.up2(generator.up1(hidden) + half) + full)
            return change.float()
        return torch.tanh(generator.head(generator.up2(generator.up1(hidden))).float()) - x


def changed(source: Tensor, change: Tensor, *, color_keep: float) -> Tensor:
    """``source`` (N×C×H×W in [-1, 1]) after ``change``, what ``Core`` answered, brought to the same size."""
    channels = source.shape[1]
    answer = source + change[:, :channels]
    if change.shape[1] > channels:
        matrix = change[:, channels:].unflatten(1, (channels, channels))
        answer = answer + (matrix * source.unsqueeze(1)).sum(dim=2)
    return keep_chroma(answer, source, color_keep).clamp(-1.0, 1.0)


def rows_of(maps: Tensor, *, top: int, bottom: int, height: int, width: int) -> Tensor:
    """Rows ``top`` to ``bottom`` of ``maps`` (1×K×h×w) resized bilinearly to height × width: 1×K×rows×width.

    A band at a time, because the whole of a large picture's coefficients would take four times the picture.
    """
    low = maps.shape[2]
    if (low, maps.shape[3]) == (height, width):
        return maps[:, :, top:bottom]
    place = (torch.arange(top, bottom) + 0.5) * (low / height) - 0.5
    place = place.clamp(0, low - 1)
    above = place.floor().long()
    below = (above + 1).clamp(max=low - 1)
    weight = (place - above).to(maps.dtype)[:, None]
    band = maps[:, :, above] * (1 - weight) + maps[:, :, below] * weight
    return F.interpolate(band, size=(bottom - top, width), mode="bilinear", align_corners=False)
