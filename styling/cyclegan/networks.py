"""Generators and PatchGAN discriminator (Zhu et al. 2017), and an InstanceNorm that takes given statistics.

All take and return ``N×C×H×W`` pictures in [-1, 1], with H and W multiples of 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Weights of the luma that colour keeping leaves to the generator (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)

#: Mean and variance (N×C×1×1, float32) of one normalisation layer's input.
Statistics = tuple[Tensor, Tensor]


class InstanceNorm(nn.Module):
    """Instance normalisation without weights, as in the paper, computed as GroupNorm with a group per
    channel.

    The CPU has a vectorised GroupNorm kernel, but runs InstanceNorm as batch norm of a reshaped copy.
    ``recording`` and ``replaying`` below let the statistics of one picture (a thumbnail) serve another (its
    tiles).
    """

    EPSILON = 1e-5

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.recorder: list[Statistics] | None = None
        self.given: Statistics | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.recorder is not None:
            values = x.float()
            variance, mean = torch.var_mean(values, dim=(2, 3), keepdim=True, correction=0)
            self.recorder.append((mean, variance))
        if self.given is not None:
            mean, variance = self.given
            scale = torch.rsqrt(variance + self.EPSILON)
            return torch.addcmul((-mean * scale).to(x.dtype), x, scale.to(x.dtype))
        return F.group_norm(x, self.channels, eps=self.EPSILON)


def _instance_norms(network: nn.Module) -> dict[str, InstanceNorm]:
    return {name: module for name, module in network.named_modules() if isinstance(module, InstanceNorm)}


@contextmanager
def recording(network: nn.Module) -> Iterator[dict[str, Statistics]]:
    """Collect every InstanceNorm's input statistics of the *last* forward pass inside the block.

    The dict is filled on leaving the block, by layer name, each ``(mean, variance)`` of shape N×C×1×1.
    """
    collected: dict[str, Statistics] = {}
    norms = _instance_norms(network)
    for norm in norms.values():
        norm.recorder = []
    try:
        yield collected
    finally:
        for name, norm in norms.items():
            if norm.recorder:
                collected[name] = norm.recorder[-1]
            norm.recorder = None


@contextmanager
def replaying(network: nn.Module, statistics: Mapping[str, Statistics]) -> Iterator[None]:
    """Normalise with ``statistics`` (from ``recording``) instead of each picture's own, inside the block.

    Statistics of one picture (N = 1) serve any batch of tiles by broadcasting. Source of the idea: thumbnail
    instance normalisation (Chen et al. 2022, "Towards Ultra-Resolution Neural Style Transfer").
    """
    norms = _instance_norms(network)
    for name, norm in norms.items():
        norm.given = statistics[name]
    try:
        yield
    finally:
        for norm in norms.values():
            norm.given = None


def luma(x: Tensor) -> Tensor:
    """Luma (N×1×H×W) of colour pictures (N×3×H×W), same range."""
    weights = x.new_tensor(LUMA).view(1, 3, 1, 1)
    return (x * weights).sum(dim=1, keepdim=True)


def keep_chroma(translated: Tensor, source: Tensor, strength: float) -> Tensor:
    """``translated`` with its chroma moved towards ``source``'s: 0 leaves it, 1 keeps luma alone
    (N×3×H×W).
    """
    if strength == 0:
        return translated
    luma_only = source + luma(translated) - luma(source)
    return torch.lerp(translated, luma_only, strength)


class ResidualBlock(nn.Module):
    """Two reflect-padded 3×3 convolutions around a skip, as in the paper."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=False),
            InstanceNorm(channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=False),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.body(x)
        return result


def _upsample(inputs: int, outputs: int, upsampling: str) -> list[nn.Module]:
    if upsampling == "transpose":
        return [nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=False)]
    # Odena et al. 2016: resize, then convolve, and no checkerboard can arise.
    return [
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.ReflectionPad2d(1),
        nn.Conv2d(inputs, outputs, 3, bias=False),
    ]


class Generator(nn.Module):
    """Encoder, residual blocks, decoder (Johnson et al. 2016, Zhu et al. 2017).

    ``resnet`` ends in tanh. ``residual`` adds what it computes to its input, so that it starts as a copy and
    needs few steps to keep content; its output is clamped to [-1, 1] in eval mode alone, so that in training
    a value beyond the range still has a gradient. With ``color_keep`` the source's chroma is mixed back in.
    """

    def __init__(
        self,
        *,
        architecture: str = "residual",
        width: int = 32,
        blocks: int = 4,
        channels: int = 3,
        upsampling: str = "resize",
        color_keep: float = 0.0,
    ) -> None:
        super().__init__()
        self.is_residual = architecture == "residual"
        self.color_keep = color_keep
        self.feature_channels = (channels, 2 * width, 4 * width, 4 * width, 4 * width)
        self.stem = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(channels, width, 7, bias=False),
            InstanceNorm(width),
            nn.ReLU(inplace=True),
        )
        self.down1 = nn.Sequential(
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False),
            InstanceNorm(2 * width),
            nn.ReLU(inplace=True),
        )
        self.down2 = nn.Sequential(
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1, bias=False),
            InstanceNorm(4 * width),
            nn.ReLU(inplace=True),
        )
        self.blocks = nn.ModuleList(ResidualBlock(4 * width) for _ in range(blocks))
        self.up = nn.Sequential(
            *_upsample(4 * width, 2 * width, upsampling),
            InstanceNorm(2 * width),
            nn.ReLU(inplace=True),
            *_upsample(2 * width, width, upsampling),
            InstanceNorm(width),
            nn.ReLU(inplace=True),
        )
        head = nn.Conv2d(width, channels, 7)
        self.head = nn.Sequential(nn.ReflectionPad2d(3), head)
        initialise(self)
        if self.is_residual:
            with torch.no_grad():
                head.weight.mul_(0.1)  # the first output is all but a copy

    def forward(self, x: Tensor) -> Tensor:
        return self.translate(x)[0]

    def translate(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The translation, and the feature maps met on the way (see ``features``)."""
        hidden, maps = self._encode(x)
        # Float32 again, where bfloat16's 8 bits of mantissa would band smooth backgrounds.
        change = self.head(self.up(hidden)).float()
        if not self.is_residual:
            return keep_chroma(torch.tanh(change), x, self.color_keep), maps
        translated = keep_chroma(x + change, x, self.color_keep)
        return (translated if self.training else translated.clamp(-1.0, 1.0)), maps

    def features(self, x: Tensor) -> list[Tensor]:
        """Five maps, from pixels to the last block, that CUT contrasts (channels in ``feature_channels``)."""
        return self._encode(x)[1]

    def _encode(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        first = self.down1(self.stem(x))
        hidden = self.down2(first)
        maps = [x, first, hidden]
        halfway = max(len(self.blocks) // 2 - 1, 0)
        for index, block in enumerate(self.blocks):
            hidden = block(hidden)
            if index == halfway:
                maps.append(hidden)
        maps.append(hidden)
        return hidden, maps


class Discriminator(nn.Module):
    """PatchGAN (Isola et al. 2017): a logit per overlapping patch, N×1×h×w; 3 layers see 70 px, 2 see 34."""

    def __init__(self, *, width: int = 64, layers: int = 3, channels: int = 3) -> None:
        super().__init__()
        body: list[nn.Module] = [
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        inputs = width
        for layer in range(1, layers + 1):
            outputs = width * min(2**layer, 8)
            stride = 2 if layer < layers else 1
            body += [
                nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1, bias=False),
                InstanceNorm(outputs),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            inputs = outputs
        body.append(nn.Conv2d(inputs, 1, 4, padding=1))
        self.body = nn.Sequential(*body)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.body(x)
        return result


def initialise(network: nn.Module) -> None:
    """The paper's start: convolution weights from N(0, 0.02), biases zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def build_generator(config: Mapping[str, Any]) -> Generator:
    """The generator that ``config`` (``generator_config``'s dict, or an artifact's ``generator``)
    describes.
    """
    return Generator(
        architecture=config["architecture"],
        width=config["width"],
        blocks=config["blocks"],
        channels=config["channels"],
        upsampling=config["upsampling"],
        color_keep=config["color_keep"],
    )
