"""Networks: sizes of the papers, exact rewrites, statistics that can be given."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from styling.cyclegan.layers import InstanceNorm, ReflectionPad, ResizeConv, bounded
from styling.cyclegan.losses import ContrastObjective
from styling.cyclegan.networks import Discriminator, Generator, keep_chroma, luma
from styling.cyclegan.presets import preset


@pytest.mark.parametrize("architecture", ["residual", "resnet"])
@pytest.mark.parametrize("upsampling", ["resize", "transpose"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_generator_keeps_size_and_range(architecture: str, upsampling: str, channels: int) -> None:
    generator = Generator(architecture=architecture, width=4, blocks=1, channels=channels, upsampling=upsampling).eval()
    picture = torch.rand(2, channels, 20, 28) * 2 - 1

    translated = generator(picture)

    assert translated.shape == picture.shape
    assert translated.dtype == torch.float32
    assert translated.abs().max() <= 1


def test_the_paper_sizes_are_the_papers() -> None:
    generator = Generator(architecture="resnet", width=64, blocks=9, upsampling="transpose")
    discriminator = Discriminator(width=64, layers=3)

    assert sum(p.numel() for p in generator.parameters()) == pytest.approx(11.38e6, rel=0.002)
    assert sum(p.numel() for p in discriminator.parameters()) == pytest.approx(2.77e6, rel=0.005)


def test_a_residual_generator_starts_as_nearly_a_copy() -> None:
    picture = torch.rand(1, 3, 32, 32) - 0.5
    torch.manual_seed(0)

    change = Generator(width=8, blocks=2)(picture) - picture

    assert 0 < change.abs().mean() < 0.1


def test_resizing_at_low_resolution_equals_resize_then_convolve() -> None:
    layer = ResizeConv(5, 7).double()
    x = torch.randn(2, 5, 6, 8, dtype=torch.double)

    plain = F.conv2d(F.pad(F.interpolate(x, scale_factor=2.0), [1] * 4, mode="replicate"), layer.weight)

    torch.testing.assert_close(layer(x), plain)


def test_the_folded_gradient_of_reflection_padding_is_right() -> None:
    x = torch.randn(1, 2, 5, 6, dtype=torch.double, requires_grad=True)

    assert torch.autograd.gradcheck(ReflectionPad(2), x)


def test_what_left_the_range_has_a_gradient_back_into_it_and_none_further_out() -> None:
    x = torch.tensor([-2.0, -2.0, 0.5, 2.0, 2.0], requires_grad=True)

    shown = bounded(x)
    shown.backward(torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0]))

    assert shown.tolist() == [-1, -1, 0.5, 1, 1]
    assert x.grad is not None
    assert x.grad.tolist() == [0, -1, 1, 1, 0]


def test_instance_norm_is_instance_norm() -> None:
    x = torch.randn(3, 4, 6, 5)

    torch.testing.assert_close(InstanceNorm(4)(x), F.instance_norm(x), atol=1e-5, rtol=1e-4)


def test_keeping_colour_moves_chroma_alone() -> None:
    source, translated = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)

    kept = keep_chroma(translated, source, 1.0)

    torch.testing.assert_close(luma(kept), luma(translated))
    torch.testing.assert_close(kept - luma(kept), source - luma(source))
    torch.testing.assert_close(keep_chroma(translated, source, 0.0), translated)


def test_feature_maps_have_the_channels_that_contrast_expects() -> None:
    generator = Generator(width=4, blocks=3)
    maps = generator.features(torch.zeros(1, 3, 16, 16))

    assert tuple(feature.shape[1] for feature in maps) == generator.feature_channels
    assert len(ContrastObjective(generator, [Discriminator(width=4)], preset("draft")).projections) == len(maps)
