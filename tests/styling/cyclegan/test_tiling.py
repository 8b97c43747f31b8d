"""Tiles under the whole picture's statistics: the same picture as in one piece, from windows of bounded size."""

from __future__ import annotations

import pytest
import torch

from styling.cyclegan import export, tiling
from styling.cyclegan.devices import choose
from styling.cyclegan.networks import Generator
from styling.cyclegan.rendering import Core
from styling.cyclegan.tiling import TiledNetwork, Window


def sharp(**settings) -> Core:
    """A network whose weights are large enough that every statistic shows."""
    torch.manual_seed(3)
    generator = Generator(width=6, blocks=2, **settings)
    for module in generator.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            torch.nn.init.kaiming_normal_(module.weight)
    return Core(generator).eval().requires_grad_(False)


def in_tiles(core: Core, picture: torch.Tensor, *, tile: int, precision: str) -> tuple[torch.Tensor, list[Window]]:
    """The network's answer put together from tiles, and the windows that were read."""
    height, width = picture.shape[2:]
    seen: list[Window] = []

    def read(window):
        seen.append(window)
        return picture[:, :, window.top : window.bottom, window.left : window.right]

    answer = torch.full((1, 12 if core.generator.is_residual else 3, height, width), float("nan"))

    def write(place, part):
        answer[:, :, place.top : place.bottom, place.left : place.right] = part

    compute = choose("cpu", precision=precision)
    TiledNetwork(core, compute).render(read, height=height, width=width, tile=tile, write=write)
    return answer, seen


@pytest.mark.parametrize(
    "network", [{"architecture": "residual"}, {"architecture": "resnet", "upsampling": "transpose"}]
)
def test_tiled_equals_untiled(network):
    core, picture = sharp(**network), export.probe(1, 3, 212, 300)
    with torch.inference_mode():
        whole = core(picture)
    tiled, _seen = in_tiles(core, picture, tile=96, precision="float32")
    assert (tiled - whole).abs().max() < 1e-3 * whole.abs().max()


def test_tiled_equals_untiled_in_bfloat16_within_its_rounding():
    core, picture = sharp(), export.probe(1, 3, 160, 160)
    with torch.inference_mode():
        whole = core(picture)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = core(picture)
    tiled, _seen = in_tiles(core, picture, tile=96, precision="bfloat16")
    assert (tiled - whole).square().mean() < 2 * (rounded - whole).square().mean()


def test_no_window_is_larger_than_the_tile():
    _answer, seen = in_tiles(sharp(), export.probe(1, 3, 400, 240), tile=128, precision="float32")
    assert max(window.bottom - window.top for window in seen) <= 128
    assert max(window.right - window.left for window in seen) <= 128


@pytest.mark.parametrize(("height", "width"), [(4, 4), (64, 260), (132, 100), (1000, 68)])
def test_tiles_cover_a_picture_once(height, width):
    covered = torch.zeros(height, width, dtype=torch.int32)
    for tile in tiling.tiles(height, width, 64):
        assert tile.top % 4 == tile.left % 4 == 0
        covered[tile.top : tile.bottom, tile.left : tile.right] += 1
    assert bool((covered == 1).all())


def test_padding_mirrors_even_what_is_smaller_than_itself():
    padded = tiling.padded(torch.tensor([[[[1.0, 2.0]]]]), height=3, width=7)
    assert padded[0, 0].tolist() == [[1, 2, 2, 1, 1, 2, 2]] * 3


def test_the_core_s_own_norms_are_left_alone():
    core, picture = sharp(), export.probe(1, 3, 64, 64)
    with torch.inference_mode():
        before = core(picture)
        in_tiles(core, export.probe(1, 3, 128, 128), tile=96, precision="float32")
        assert torch.equal(core(picture), before)
