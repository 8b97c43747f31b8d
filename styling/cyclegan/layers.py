"""The layers that networks are built of: padding, resizing and normalising, each as this trainer needs it."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class InstanceNorm(nn.Module):
    """Instance normalisation without weights, as in the paper, computed as GroupNorm with a group per
    channel.

    The CPU has a vectorised GroupNorm kernel, but runs InstanceNorm as batch norm of a reshaped copy.
    """

    EPSILON = 1e-5

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, self.channels, eps=self.EPSILON)


class ReflectionPad(nn.Module):
    """Mirror ``margin`` pixels outwards, in the dtype that comes in: autocast would cast there and back."""

    def __init__(self, margin: int) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, x: Tensor) -> Tensor:
        if x.requires_grad and torch.is_grad_enabled() and not torch.compiler.is_compiling():
            padded: Tensor = _ReflectionPadFunction.apply(x, self.margin)
            return padded
        with torch.autocast(x.device.type, enabled=False):
            return F.pad(x, [self.margin] * 4, mode="reflect")


class _ReflectionPadFunction(torch.autograd.Function):
    """Reflection padding whose gradient folds the margins back by slices; PyTorch's goes pixel by pixel."""

    @staticmethod
    def forward(context: Any, x: Tensor, margin: int) -> Tensor:
        context.margin = margin
        with torch.autocast(x.device.type, enabled=False):
            return F.pad(x, [margin] * 4, mode="reflect")

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        margin = context.margin
        for dimension in (2, 3):
            length = gradient.shape[dimension] - 2 * margin
            inner = gradient.narrow(dimension, margin, length).clone()
            inner.narrow(dimension, 1, margin).add_(gradient.narrow(dimension, 0, margin).flip(dimension))
            inner.narrow(dimension, length - 1 - margin, margin).add_(
                gradient.narrow(dimension, margin + length, margin).flip(dimension)
            )
            gradient = inner
        return gradient, None


class ResizeConv(nn.Conv2d):
    """Nearest-neighbour doubling, then a 3×3 convolution: no checkerboards can arise (Odena et al. 2016).

    Computed at the low resolution. Each of the four pixels that one becomes sees 2×2 low-resolution pixels,
    so one 2×2 convolution onto four times the channels, whose weights are sums of the 3×3 ones, gives the
    same numbers for four ninths of the work and without the large intermediate picture.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        count, _, height, width = x.shape
        # In one dimension, the even pixel sees (w0, w1 + w2) from one place to the left, the odd one (w0 +
        # w1, w2).
        rows = torch.stack((self.weight[:, :, 0], self.weight[:, :, 1] + self.weight[:, :, 2]), dim=2)
        odd_rows = torch.stack((self.weight[:, :, 0] + self.weight[:, :, 1], self.weight[:, :, 2]), dim=2)
        phases = []
        for half in (rows, odd_rows):
            phases.append(torch.stack((half[..., 0], half[..., 1] + half[..., 2]), dim=3))
            phases.append(torch.stack((half[..., 0] + half[..., 1], half[..., 2]), dim=3))
        with torch.autocast(x.device.type, enabled=False):
            padded = F.pad(x, [1, 1, 1, 1], mode="replicate")
        answers = F.conv2d(padded, torch.cat(phases)).view(count, 4, self.out_channels, height + 1, width + 1)
        parts = [
            answers[:, 2 * down + right, :, down : down + height, right : right + width]
            for down in (0, 1)
            for right in (0, 1)
        ]
        even, odd = (torch.stack(parts[start : start + 2], dim=-1).flatten(3) for start in (0, 2))
        return torch.stack((even, odd), dim=3).flatten(2, 3)


class _BoundedFunction(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        context.save_for_backward(x)
        return x.clamp(-1.0, 1.0)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (x,) = context.saved_tensors
        outward = ((x > 1.0) & (gradient < 0)) | ((x < -1.0) & (gradient > 0))
        return gradient.masked_fill(outward, 0.0)


def bounded(x: Tensor) -> Tensor:
    """``x`` clamped to [-1, 1]; beyond the range, only a gradient that leads back inside passes.

    A plain clamp has none there, so that what once went out stays out; with no clamp a discriminator judges
    values that no picture can have.
    """
    if x.requires_grad and torch.is_grad_enabled():
        result: Tensor = _BoundedFunction.apply(x)
        return result
    return x.clamp(-1.0, 1.0)


class FewChannelConv(nn.Conv2d):
    """A convolution of pictures: with 3 channels, oneDNN's gradient is ten times faster in channels-last."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.contiguous(memory_format=torch.channels_last)).contiguous()
