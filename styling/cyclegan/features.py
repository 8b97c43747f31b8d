"""A fixed feature bank for scores: hand-made colour, gradient and texture statistics, no downloaded weights.

The usual Inception features cannot be had offline. These see what a style is made of (palette, contrast,
stroke directions, grain), not what is depicted. ``ResNetFeatures`` takes torchvision's weights where
somebody has them.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import luma

#: Pictures are looked at with this side, so that scores do not depend on the training resolution.
SIDE = 128


def as_seen(pictures: Tensor, side: int = SIDE) -> Tensor:
    """N×3×side×side float32 in [0, 1] from N×C×H×W in [-1, 1]; grey becomes three equal channels."""
    seen = pictures.float().clamp(-1, 1).add(1).div(2)
    if seen.shape[1] == 1:
        seen = seen.expand(-1, 3, -1, -1)
    return F.interpolate(seen, size=(side, side), mode="bilinear", antialias=True, align_corners=False)


def style_features(pictures: Tensor) -> Tensor:
    """N×D float32 statistics of palette, gradients and texture at three scales, blind to place."""
    seen = as_seen(pictures)
    light = luma(seen)
    opponent = torch.cat((light, seen[:, :1] - seen[:, 1:2], (seen[:, :1] + seen[:, 1:2]) / 2 - seen[:, 2:]), dim=1)
    parts = [_moments(opponent), _soft_histogram(light, 0.0, 1.0, 16), _chroma_histogram(opponent[:, 1:])]
    level = opponent
    for _scale in range(3):
        magnitude, orientation = _gradients(level[:, :1])
        parts += [
            _soft_histogram((magnitude + 1e-3).log(), math.log(1e-3), 0.0, 10),
            _orientation_energy(magnitude, orientation, 8).mean(dim=(2, 3)),
            _moments(_filtered(level[:, :1])),
            _moments(_gradients(level[:, 1:2])[0]),
            _moments(_gradients(level[:, 2:3])[0]),
        ]
        level = F.avg_pool2d(level, 2)
    return torch.cat(parts, dim=1)


def content_features(pictures: Tensor) -> Tensor:
    """N×D unit vectors of where edges lie and how they run (a coarse HOG), blind to colour and sign."""
    magnitude, orientation = _gradients(F.avg_pool2d(luma(as_seen(pictures)), 2))
    energy = _orientation_energy(magnitude, orientation, 6)
    cells = F.avg_pool2d(energy, 4)
    neighbourhood = F.avg_pool2d(cells.square().sum(1, keepdim=True), 5, stride=1, padding=2).add(1e-4).sqrt()
    return F.normalize((cells / neighbourhood).flatten(1), dim=1)


def edge_maps(pictures: Tensor) -> Tensor:
    """N×1×h×w gradient magnitudes of the luma at half of ``SIDE``, compressed so that faint edges count."""
    magnitude, _ = _gradients(F.avg_pool2d(luma(as_seen(pictures)), 2))
    return magnitude.add(1e-3).sqrt()


class ResNetFeatures:
    """Means and deviations of what ResNet-18's first three stages see: 896 numbers a picture."""

    SIZE = 896

    def __init__(self, weights: Path) -> None:
        """``weights``: torchvision's file for ``resnet18``. Raises ``bad-settings`` when it holds something else."""
        from torchvision.models import resnet18

        network = resnet18(weights=None)
        try:
            network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        except Exception as error:
            raise CycleGANError("bad-settings", f"{weights} does not hold torchvision's ResNet-18 weights.") from error
        network.eval().requires_grad_(False)
        stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool, network.layer1)
        self._stages: tuple[nn.Module, ...] = (stem, network.layer2, network.layer3)

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        """N×896 float32 from N×C×H×W in [-1, 1]."""
        mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
        deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
        hidden = (as_seen(pictures, 224) - mean) / deviation
        parts = []
        for stage in self._stages:
            hidden = stage(hidden)
            parts += [hidden.mean(dim=(2, 3)), hidden.std(dim=(2, 3))]
        return torch.cat(parts, dim=1)


def _moments(maps: Tensor) -> Tensor:
    """Mean, deviation and signed cube root of the third moment of each channel."""
    mean = maps.mean(dim=(2, 3), keepdim=True)
    centred = maps - mean
    third = centred.pow(3).mean(dim=(2, 3))
    deviation = centred.square().mean(dim=(2, 3)).sqrt()
    return torch.cat((mean.flatten(1), deviation, third.sign() * third.abs().pow(1 / 3)), dim=1)


def _soft_histogram(maps: Tensor, low: float, high: float, bins: int) -> Tensor:
    """Share of pixels near each of ``bins`` levels, with linear sharing between neighbours."""
    place = (maps.flatten(1) - low) / (high - low) * (bins - 1)
    centres = torch.arange(bins, device=maps.device).view(1, -1, 1)
    return (1 - (place.clamp(0, bins - 1).unsqueeze(1) - centres).abs()).clamp_min(0).mean(dim=2)


def _chroma_histogram(chroma: Tensor, bins: int = 6) -> Tensor:
    """Joint soft histogram of the two opponent channels (N×bins²)."""
    centres = torch.linspace(-0.5, 0.5, bins, device=chroma.device).view(1, -1, 1)
    width = 1.0 / (bins - 1)
    near = (1 - (chroma.flatten(2).clamp(-0.5, 0.5).unsqueeze(2) - centres.unsqueeze(1)).abs() / width).clamp_min(0)
    return torch.einsum("nap,nbp->nab", near[:, 0], near[:, 1]).flatten(1) / near.shape[-1]


def _gradients(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Sobel magnitude, and orientation modulo 180° (a dark line on light runs as a light one on dark)."""
    kernel = grey.new_tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]) / 8
    both = F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), torch.stack((kernel, kernel.T)).unsqueeze(1))
    across, down = both[:, :1], both[:, 1:]
    return (across.square() + down.square() + 1e-12).sqrt(), torch.atan2(down, across).remainder(math.pi)


def _orientation_energy(magnitude: Tensor, orientation: Tensor, bins: int) -> Tensor:
    """N×bins×h×w gradient magnitude shared between the nearest two orientation bins."""
    place = orientation / math.pi * bins
    shares = []
    for centre in range(bins):
        distance = (place - centre).abs()
        shares.append((1 - torch.minimum(distance, bins - distance)).clamp_min(0) * magnitude)
    return torch.cat(shares, dim=1)


def _filtered(grey: Tensor) -> Tensor:
    """Absolute answers of 8 Gabor filters (4 directions, 2 wavelengths): grain, hatching, dots."""
    axis = torch.arange(-3, 4, device=grey.device, dtype=grey.dtype)
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    window = torch.exp(-(rows.square() + columns.square()) / 6)
    filters = []
    for wavelength in (2.5, 5.0):
        for direction in range(4):
            angle = math.pi * direction / 4
            wave = torch.cos((columns * math.cos(angle) + rows * math.sin(angle)) * 2 * math.pi / wavelength) * window
            wave = wave - window * (wave.sum() / window.sum())
            filters.append(wave / wave.abs().sum())
    return F.conv2d(F.pad(grey, (3, 3, 3, 3), mode="replicate"), torch.stack(filters).unsqueeze(1)).abs()
