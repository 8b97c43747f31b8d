"""The image pool: old fakes come back, the same ones whoever asks."""

from __future__ import annotations

import torch

from styling.cyclegan.image_pool import ImagePool


def _pool(lanes: range, size: int = 8) -> ImagePool:
    return ImagePool(size=size, lanes=lanes, batch_size=4, shape=(1, 2, 2), seed=3)


def _fakes(step: int, lanes: range) -> torch.Tensor:
    return torch.stack([torch.full((1, 2, 2), float(step * 10 + lane)) for lane in lanes])


def test_fakes_are_shown_fresh_until_the_pool_is_full_and_half_of_them_old_after_that() -> None:
    lanes = range(4)
    pool = _pool(lanes)

    fresh = [torch.equal(pool.exchange(_fakes(step, lanes), step=step), _fakes(step, lanes)) for step in range(2)]
    old = [
        bool(shown[0, 0, 0] < step * 10)
        for step in range(2, 102)
        for shown in pool.exchange(_fakes(step, lanes), step=step)
    ]

    assert fresh == [True, True]
    assert 150 < sum(old) < 250


def test_two_devices_with_half_the_lanes_each_see_what_one_sees() -> None:
    whole, first, second = _pool(range(4)), _pool(range(2)), _pool(range(2, 4))

    for step in range(12):
        shown = whole.exchange(_fakes(step, range(4)), step=step)
        halves = [
            pool.exchange(_fakes(step, lanes), step=step) for pool, lanes in ((first, range(2)), (second, range(2, 4)))
        ]
        assert torch.equal(shown, torch.cat(halves))


def test_a_pool_of_nothing_shows_the_newest() -> None:
    fakes = _fakes(1, range(4))

    assert _pool(range(4), size=0).exchange(fakes, step=1) is fakes
