"""One training step: the generators' move, the discriminators' move, and the average that follows."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from styling.cyclegan import data, devices, schedule
from styling.cyclegan.devices import Compute
from styling.cyclegan.distributed import Workers
from styling.cyclegan.losses import PATCHES, part_names
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.state import TrainingState


class Stepper:
    """Takes the steps of one run on its training pictures; ``state`` is what they change."""

    def __init__(
        self,
        settings: TrainingSettings,
        source: data.Pictures,
        target: data.Pictures,
        compute: Compute,
        workers: Workers,
    ) -> None:
        self._settings, self._compute, self._workers = settings, compute, workers
        self._crops_a = data.Crops(source, settings, domain=0)
        self._crops_b = data.Crops(target, settings, domain=1)
        self._lanes = workers.lanes(settings.batch_size)
        self.state = TrainingState.start(settings, compute, workers)
        self._objective = workers.wrap(self.state.objective)
        self._judging = workers.wrap(self.state.judging)
        if devices.should_compile(settings, compute):
            self._objective.compile()
            self._judging.compile()

    def step(self, fraction: float) -> dict[str, float] | None:
        """One step of the generators, one of the discriminators; ``None`` where a loss was not finite."""
        settings, state, device = self._settings, self.state, self._compute.device
        rate = schedule.rate_factor(settings, fraction)
        _set_rate(state.generator_optimizer, settings.learning_rate * rate)
        _set_rate(state.judge_optimizer, settings.discriminator_learning_rate * rate)
        weights = torch.tensor(
            [
                schedule.annealed(settings, fraction, start=settings.cycle_start, end=settings.cycle_end),
                schedule.annealed(settings, fraction, start=settings.identity_start, end=settings.identity_end),
            ],
            device=device,
        )
        real_a = self._crops_a.batch(state.step, self._lanes).to(device)
        real_b = self._crops_b.batch(state.step, self._lanes).to(device)
        places = _contrast_places(settings, state.step, device)
        grain = schedule.annealed(settings, fraction, start=settings.judge_noise_start, end=settings.judge_noise_end)
        noise = [
            _noise(settings, state.step, self._lanes, domain=domain).mul_(grain).to(device)
            for domain in range(len(state.pools))
        ]
        state.step += 1

        # Generators. Frozen discriminators pass gradients through, but spend nothing on their own.
        state.judging.requires_grad_(False)
        with self._compute.autocast():
            total, parts, fakes = self._objective(real_a, real_b, weights, places, noise)
        total.backward()
        state.judging.requires_grad_(True)

        # Discriminators, on fakes new and old. Both losses are known finite before either optimiser moves.
        reals = (real_b, real_a)[: len(fakes)]
        shown = tuple(pool.exchange(fake, step=state.step) for pool, fake in zip(state.pools, fakes, strict=True))
        with self._compute.autocast():
            judged = self._judging(reals, shown, noise)
        judged.backward()

        values = self._workers.mean(torch.cat((parts, judged.detach().view(1))).float()).tolist()
        finite = all(math.isfinite(value) for value in values)
        if finite:
            state.generator_optimizer.step()
            state.judge_optimizer.step()
            state.update_average()
        state.generator_optimizer.zero_grad(set_to_none=True)
        state.judge_optimizer.zero_grad(set_to_none=True)
        return dict(zip((*part_names(settings), "discriminator"), values, strict=True)) if finite else None


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _noise(settings: TrainingSettings, step: int, lanes: range, *, domain: int) -> Tensor:
    """Standard normal noise for each lane's crop, N×C×crop×crop."""
    shape = (settings.channels, settings.crop_size, settings.crop_size)
    drawn = [
        np.random.Generator(np.random.Philox(key=settings.seed, counter=[step, lane, 6, domain])).standard_normal(
            shape, dtype=np.float32
        )
        for lane in lanes
    ]
    return torch.from_numpy(np.stack(drawn))


def _contrast_places(settings: TrainingSettings, step: int, device: torch.device) -> list[Tensor]:
    """Positions that CUT contrasts at this step, per feature map; none for CycleGAN."""
    if settings.algorithm == "cyclegan":
        return []
    draw = np.random.Generator(np.random.Philox(key=settings.seed, counter=[step, 0, 5, 0]))
    quarter = settings.crop_size // 4
    sizes = [settings.crop_size**2, (2 * quarter) ** 2, quarter**2, quarter**2, quarter**2]
    return [
        torch.from_numpy(draw.permutation(size)[: min(PATCHES, size)].astype(np.int64)).to(device) for size in sizes
    ]
