"""Generators and the PatchGAN discriminator (Zhu et al. 2017).

All take and return ``N×C×H×W`` pictures in [-1, 1], with H and W multiples of 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from styling.cyclegan.layers import (
    FewChannelConv,
    InstanceNorm,
    ReflectionPad,
    ResizeConv,
    bounded,
)

__all__ = [
    "Discriminator",
    "Generator",
    "InstanceNorm",
    "build_generator",
    "keep_chroma",
    "luma",
]

#: Weights of the luma that colour keeping leaves to the generator (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)


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
            ReflectionPad(1),
            nn.Conv2d(channels, channels, 3, bias=False),
            InstanceNorm(channels),
            nn.ReLU(inplace=True),
            ReflectionPad(1),
            nn.Conv2d(channels, channels, 3, bias=False),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.body(x)
        return result


def _upsample(inputs: int, outputs: int, upsampling: str) -> nn.Module:
    if upsampling == "transpose":
        return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=False)
    return ResizeConv(inputs, outputs)


class Generator(nn.Module):
    """Encoder, residual blocks, decoder (Johnson et al. 2016, Zhu et al. 2017).

    ``resnet`` is the paper's, and ends in tanh. ``residual`` is made for short runs. Its decoder also sees
    the encoder's maps of its resolution, so that lines fall on the source's edges, and it answers with an
    affine change of each pixel's colour, near none at the start: content is there from the first step, and a
    palette can be replaced, which a plain sum cannot do from normalised features that no longer know
    absolute colour. With ``color_keep`` the source's chroma is mixed back in.
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
            ReflectionPad(3),
            FewChannelConv(channels, width, 7, bias=False),
            InstanceNorm(width),
            nn.ReLU(inplace=True),
        )
        self.down1 = self._halve(width)
        self.down2 = self._halve(2 * width)
        self.blocks = nn.ModuleList(ResidualBlock(4 * width) for _ in range(blocks))
        self.up1 = self._double(4 * width, upsampling)
        self.up2 = self._double(2 * width, upsampling)
        # The paper's head sees 7 px; where only a change is drawn, 3 px do, at a fifth of the work.
        sight, outputs = (3, channels * (channels + 1)) if self.is_residual else (7, channels)
        head = FewChannelConv(width, outputs, sight)
        self.head = nn.Sequential(ReflectionPad(sight // 2), head)
        initialise(self)
        if self.is_residual:
            with torch.no_grad():
                head.weight.mul_(0.1)  # the first output is all but a copy

    def _halve(self, inputs: int) -> nn.Sequential:
        layers: list[nn.Module] = [nn.Conv2d(inputs, 2 * inputs, 3, stride=2, padding=1, bias=False)]
        if self.is_residual:
            # The paper's zeros tell the network where the border is, and a short run paints a band there.
            layers = [ReflectionPad(1), nn.Conv2d(inputs, 2 * inputs, 3, stride=2, bias=False)]
        return nn.Sequential(*layers, InstanceNorm(2 * inputs), nn.ReLU(inplace=True))

    @staticmethod
    def _double(inputs: int, upsampling: str) -> nn.Sequential:
        outputs = inputs // 2
        return nn.Sequential(_upsample(inputs, outputs, upsampling), InstanceNorm(outputs), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        return self.translate(x)[0]

    def translate(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The translation, and the feature maps met on the way (see ``features``)."""
        full, maps = self._encode(x)
        half, hidden = maps[1], maps[-1]
        if self.is_residual:
            # Float32 again, where bfloat16's 8 bits of mantissa would band smooth backgrounds.
            change = self.head(self.up2(self.up1(hidden) + half) + full).float()
            return bounded(keep_chroma(self._recoloured(x, change), x, self.color_keep)), maps
        return keep_chroma(torch.tanh(self.head(self.up2(self.up1(hidden))).float()), x, self.color_keep), maps

    @staticmethod
    def _recoloured(x: Tensor, change: Tensor) -> Tensor:
        """``x + matrix·x + offset`` at each pixel; the offset is the first C maps, the matrix the others."""
        channels = x.shape[1]
        offset, matrix = change.split((channels, channels * channels), dim=1)
        products = matrix.unflatten(1, (channels, channels)) * x.unsqueeze(1)
        return x + offset + products.sum(dim=2)

    def features(self, x: Tensor) -> list[Tensor]:
        """Five maps, from pixels to the last block, that CUT contrasts (channels in ``feature_channels``)."""
        return self._encode(x)[1]

    def _encode(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        full = self.stem(x)
        half = self.down1(full)
        hidden = self.down2(half)
        maps = [x, half, hidden]
        halfway = max(len(self.blocks) // 2 - 1, 0)
        for index, block in enumerate(self.blocks):
            hidden = block(hidden)
            if index == halfway:
                maps.append(hidden)
        maps.append(hidden)
        return full, maps


class Discriminator(nn.Module):
    """PatchGAN (Isola et al. 2017): a logit per overlapping patch, N×1×h×w; 3 layers see 70 px, 2 see 34."""

    def __init__(self, *, width: int = 64, layers: int = 3, channels: int = 3, norm: str = "instance") -> None:
        super().__init__()
        body: list[nn.Module] = [
            FewChannelConv(channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        inputs = width
        for layer in range(1, layers + 1):
            outputs = width * min(2**layer, 8)
            stride = 2 if layer < layers else 1
            if norm == "instance":
                convolution = nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1, bias=False)
                body += [convolution, InstanceNorm(outputs), nn.LeakyReLU(0.2, inplace=True)]
            else:
                convolution = nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1)
                body += [convolution, nn.LeakyReLU(0.2, inplace=True)]
            inputs = outputs
        body.append(nn.Conv2d(inputs, 1, 4, padding=1))
        self.body = nn.Sequential(*body)
        initialise(self)
        if norm == "none":
            # Without norms N(0, 0.02) would fade to nothing within three layers.
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, a=0.2)

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
