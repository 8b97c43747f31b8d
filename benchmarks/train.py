"""One training step of the paper's CycleGAN: this trainer against the paper's own way, side by side.

Baseline: the reference's step written plainly (eager, float32, batch 1, every translation its own pass) with
``nn.InstanceNorm2d`` and unfused Adam. Ours: the trainer's own step on the same architecture (9-block ResNet, 64
filters, 70 px PatchGAN, 256 px) in its best arithmetic, batched, and compiled where the trainer would compile.

Times are per picture; the two are timed in turn, so that a noisy neighbour falls on both. Losses are compared over
the same steps, from the same weights, on the same pictures at batch 1 (smaller ones, to keep it short); the baseline
under other orders of the pictures shows the spread between runs, and ours must lie within it.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.machine import report
from styling.cyclegan import data, devices, distributed
from styling.cyclegan.layers import InstanceNorm, ReflectionPad
from styling.cyclegan.losses import CycleObjective
from styling.cyclegan.presets import preset
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.stepping import Stepper


def drawn_pictures(count: int, side: int, *, seed: int) -> data.Pictures:
    """Smooth coloured noise: the work of a step does not depend on what the pictures show."""
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, side // 16, side // 16, generator=draw)
    smooth = F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False).clamp(0, 1)
    tensors = list((smooth * 255).to(torch.uint8))
    return data.Pictures(tensors, [Path(str(index)) for index in range(count)], [])


def plain_copy(network: nn.Module) -> nn.Module:
    """``network`` with the reference's own layers in place of this project's, and the same weights."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, InstanceNorm):
                setattr(module, name, nn.InstanceNorm2d(child.channels))
            elif isinstance(child, ReflectionPad):
                setattr(module, name, nn.ReflectionPad2d(child.margin))
            elif type(child) is not nn.Conv2d and isinstance(child, nn.Conv2d):
                child.__class__ = nn.Conv2d
    return network


class PlainCycleGAN:
    """The reference's training step (junyanz/pytorch-CycleGAN-and-pix2pix), as written there."""

    def __init__(self, settings: TrainingSettings, stepper: Stepper) -> None:
        objective, judging = copy.deepcopy((stepper.state.objective, stepper.state.judging))
        assert isinstance(objective, CycleObjective)
        self.g_ab, self.g_ba = plain_copy(objective.generator), plain_copy(objective.backward_generator)
        self.d_b, self.d_a = (plain_copy(judge) for judge in judging.judges.children())
        generators = itertools.chain(self.g_ab.parameters(), self.g_ba.parameters())
        judges = itertools.chain(self.d_a.parameters(), self.d_b.parameters())
        plain: dict[str, Any] = {"lr": settings.learning_rate, "betas": (0.5, 0.999), "foreach": False, "fused": False}
        self.generator_optimizer = torch.optim.Adam(generators, **plain)
        self.judge_optimizer = torch.optim.Adam(judges, **plain)
        self.settings = settings

    def step(self, real_a: Tensor, real_b: Tensor) -> dict[str, float]:
        """One step; the same losses as the trainer names them."""
        ones, zeros = torch.ones_like, torch.zeros_like
        fake_b, fake_a = self.g_ab(real_a), self.g_ba(real_b)
        back_a, back_b = self.g_ba(fake_b), self.g_ab(fake_a)
        for judge in (self.d_a, self.d_b):
            judge.requires_grad_(False)
        self.generator_optimizer.zero_grad()
        identity = F.l1_loss(self.g_ab(real_b), real_b) + F.l1_loss(self.g_ba(real_a), real_a)
        answers = self.d_b(fake_b), self.d_a(fake_a)
        adversarial = sum((F.mse_loss(answer, ones(answer)) for answer in answers), torch.zeros(()))
        cycle = F.l1_loss(back_a, real_a) + F.l1_loss(back_b, real_b)
        settings = self.settings
        (adversarial + settings.cycle_start * cycle + settings.identity_start * identity).backward()
        self.generator_optimizer.step()

        for judge in (self.d_a, self.d_b):
            judge.requires_grad_(True)
        self.judge_optimizer.zero_grad()
        judged = 0.0
        for judge, real, fake in ((self.d_a, real_a, fake_a), (self.d_b, real_b, fake_b)):
            on_real, on_fake = judge(real), judge(fake.detach())
            loss = (F.mse_loss(on_real, ones(on_real)) + F.mse_loss(on_fake, zeros(on_fake))) * 0.5
            loss.backward()
            judged += loss.item()
        self.judge_optimizer.step()
        return {
            "adversarial": adversarial.item(),
            "cycle": cycle.item(),
            "identity": identity.item(),
            "discriminator": judged,
        }


def matrix_peak(dtype: torch.dtype) -> float:
    """Measured matrix-product rate, in 10⁹ multiply-accumulates a second."""
    side = 1536
    left, right = (torch.randn(side, side).to(dtype) for _ in range(2))
    times = []
    for _ in range(6):
        start = time.perf_counter()
        left @ right
        times.append(time.perf_counter() - start)
    return side**3 / min(times) / 1e9


def step_macs(settings: TrainingSettings) -> float:
    """Multiply-accumulates per picture of one step: six translations and six judgements, forward and backward."""
    from torch.utils.flop_counter import FlopCounterMode

    stepper = make_stepper(replace(settings, batch_size=1, compile="never", precision="float32"))
    with FlopCounterMode(display=False) as counter:
        stepper.step(0.0)
    return counter.get_total_flops() / 2


def make_stepper(settings: TrainingSettings) -> Stepper:
    """The trainer's own step on drawn pictures."""
    size = settings.image_size
    return Stepper(
        settings,
        drawn_pictures(8, size, seed=1),
        drawn_pictures(8, size, seed=2),
        devices.choose("cpu", precision=settings.precision),
        distributed.Workers(),
    )


def batches(settings: TrainingSettings, *, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The crops that the trainer's steps see."""
    chosen = replace(settings, seed=seed)
    size = settings.image_size
    crops = [data.Crops(drawn_pictures(8, size, seed=1 + index), chosen, domain=index) for index in (0, 1)]
    for step in itertools.count():
        yield tuple(crop.batch(step, range(settings.batch_size)) for crop in crops)  # type: ignore[misc]


def compare_losses(settings: TrainingSettings, steps: int) -> dict[str, Any]:
    """Mean losses over ``steps`` of both ways from the same weights on the same pictures, one a step.

    Ours in float32 too, which tells the way from the arithmetic. The baseline under three other orders of the
    pictures shows what runs of one and the same way differ by.
    """
    single = replace(settings, batch_size=1, compile="never")
    steppers = {"ours": make_stepper(single), "ours_float32": make_stepper(replace(single, precision="float32"))}
    plain = {seed: PlainCycleGAN(single, steppers["ours"]) for seed in range(4)}
    crops = {seed: batches(single, seed=seed) for seed in plain}
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in (*steppers, *(f"order_{seed}" for seed in plain))}
    for _ in range(steps):
        for name, stepper in steppers.items():
            losses = stepper.step(0.0)
            if losses is not None:
                rows[name].append(losses)
        for seed, way in plain.items():
            rows[f"order_{seed}"].append(way.step(*next(crops[seed])))
    means = {
        way: {name: round(statistics.fmean(row[name] for row in taken), 4) for name in taken[0]}
        for way, taken in rows.items()
    }
    orders = [means[f"order_{seed}"] for seed in plain]
    apart = {name: round(abs(means["ours"][name] - orders[0][name]), 4) for name in orders[0]}
    spread = {
        name: round(max(order[name] for order in orders) - min(order[name] for order in orders), 4)
        for name in orders[0]
    }
    return {
        "steps": steps,
        "side": settings.image_size,
        "means": means,
        "ours_from_baseline": apart,
        "baseline_between_orders": spread,
        "equal_within_spread": all(apart[name] <= spread[name] for name in apart),
    }


def preset_seconds(name: str, repeats: int) -> float:
    """Seconds per picture of the step that ``name`` really trains with: its networks, crops and batch."""
    settings = preset(name)
    stepper = make_stepper(settings)
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        stepper.step(0.0)
        times.append((time.perf_counter() - start) / settings.batch_size)
    return statistics.median(times[1:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="the record as the last line of stdout")
    parser.add_argument("--steps", type=int, default=50, help="steps over which losses are compared (default: 50)")
    parser.add_argument(
        "--loss-side", type=int, default=64, help="side of the pictures on which losses are compared (default: 64)"
    )
    parser.add_argument("--repeats", type=int, default=3, help="timed steps of each way (default: 3)")
    parser.add_argument("--batch-size", type=int, default=2, help="pictures per step of our way (default: 2)")
    parser.add_argument(
        "--compile",
        choices=["auto", "always", "never"],
        default="auto",
        help="torch.compile our step (auto: as the trainer decides)",
    )
    arguments = parser.parse_args()
    torch.manual_seed(0)
    settings = replace(preset("paper"), pool_size=0, image_size=256, compile=arguments.compile)
    batched = replace(settings, batch_size=arguments.batch_size)

    start = time.perf_counter()
    stepper = make_stepper(batched)
    stepper.step(0.0)
    stepper.step(0.0)
    warm_up = time.perf_counter() - start
    plain = PlainCycleGAN(settings, make_stepper(replace(settings, compile="never")))
    crops = batches(settings, seed=0)
    plain.step(*next(crops))
    ours, baseline = [], []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        plain.step(*next(crops))
        baseline.append(time.perf_counter() - start)
        start = time.perf_counter()
        stepper.step(0.0)
        ours.append((time.perf_counter() - start) / arguments.batch_size)
    seconds, plain_seconds = statistics.median(ours), statistics.median(baseline)
    del stepper, plain

    macs, peak = step_macs(settings), matrix_peak(torch.bfloat16)
    report(
        benchmark="train",
        ratios={"step": plain_seconds / seconds},
        details={
            "baseline_seconds_per_picture": round(plain_seconds, 3),
            "seconds_per_picture": round(seconds, 3),
            "batch_size": arguments.batch_size,
            "compiled": devices.should_compile(batched, devices.choose("cpu")),
            "warm_up_seconds": round(warm_up, 1),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "bfloat16_peak_gmac_per_second": round(peak),
            "share_of_bfloat16_peak": round(macs / seconds / 1e9 / peak, 3),
            "draft_seconds_per_picture": round(preset_seconds("draft", arguments.repeats), 4),
            "losses": compare_losses(
                replace(settings, image_size=arguments.loss_side, crop_size=arguments.loss_side), arguments.steps
            ),
        },
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
