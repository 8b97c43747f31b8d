"""Everything a run must remember from one step to the next, and its way into a checkpoint and back."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from styling.cyclegan.artifact import generator_config
from styling.cyclegan.checkpoints import Checkpoint
from styling.cyclegan.devices import Compute
from styling.cyclegan.distributed import Workers
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.image_pool import ImagePool
from styling.cyclegan.losses import ContrastObjective, CycleObjective, JudgingObjective
from styling.cyclegan.networks import Discriminator, Generator, build_generator
from styling.cyclegan.settings import TrainingSettings

#: Rows that the loss curve may have before every other one is dropped.
LONGEST_CURVE = 1000
#: Fields that may differ between a checkpoint and the run that resumes it: they change nothing of the
#: state's shape.
_RESUMABLE_WITH_OTHER = frozenset({"batch_size", "checkpoint_every", "compile", "precision"})
#: Fields that decide which networks there are and of what shape.
_SHAPING = (
    "algorithm",
    "architecture",
    "width",
    "blocks",
    "upsampling",
    "channels",
    "discriminator_width",
    "discriminator_layers",
    "discriminator_norm",
)


@dataclass
class LossCurve:
    """Mean losses of every ``interval`` steps; the interval doubles when the curve grows long."""

    rows: list[dict[str, float]] = field(default_factory=list)
    interval: int = 10
    pending: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def add(self, step: int, losses: Mapping[str, float]) -> None:
        """Take in one step's losses."""
        for name, value in losses.items():
            self.pending[name] = self.pending.get(name, 0.0) + value
        self.count += 1
        if self.count >= self.interval:
            self.rows.append({"step": step} | {name: total / self.count for name, total in self.pending.items()})
            self.pending, self.count = {}, 0
            if len(self.rows) >= LONGEST_CURVE:
                self.rows, self.interval = self.rows[1::2], self.interval * 2


@dataclass
class TrainingState:
    """Networks, optimisers, image pools and counters of one run."""

    settings: TrainingSettings
    workers: Workers
    objective: CycleObjective | ContrastObjective
    judging: JudgingObjective
    average: Generator
    generator_optimizer: torch.optim.Adam
    judge_optimizer: torch.optim.Adam
    pools: list[ImagePool]
    step: int = 0
    seconds: float = 0.0
    evaluations: int = 0
    previews: int = 0
    bad_steps: int = 0
    best_quality: float = -1.0
    best_step: int = 0
    best_content: float = 0.0
    curve: LossCurve = field(default_factory=LossCurve)

    @classmethod
    def start(cls, settings: TrainingSettings, compute: Compute, workers: Workers) -> TrainingState:
        """A run at step 0; the same seed gives the same weights on every process and device."""
        # The caller's random state is none of our business: what is drawn here is drawn in a fork of it.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            config = generator_config(settings)
            generator = build_generator(config)
            count = 2 if settings.algorithm == "cyclegan" else 1
            backward = build_generator(config) if count == 2 else None
            judges = [
                Discriminator(
                    width=settings.discriminator_width,
                    layers=settings.discriminator_layers,
                    channels=settings.channels,
                    norm=settings.discriminator_norm,
                )
                for _ in range(count)
            ]
            objective: CycleObjective | ContrastObjective = (
                CycleObjective(generator, backward, judges, settings)
                if backward is not None
                else ContrastObjective(generator, judges, settings)
            )
        objective.to(compute.device)
        judging = JudgingObjective(judges, settings).to(compute.device)
        crop = (settings.channels, settings.crop_size, settings.crop_size)
        return cls(
            settings=settings,
            workers=workers,
            objective=objective,
            judging=judging,
            average=copy.deepcopy(objective.generator).eval().requires_grad_(False),
            generator_optimizer=_adam(objective, settings.learning_rate, settings.beta1),
            judge_optimizer=_adam(judging, settings.discriminator_learning_rate, settings.beta1),
            pools=[
                ImagePool(
                    size=settings.pool_size,
                    lanes=workers.lanes(settings.batch_size),
                    batch_size=settings.batch_size,
                    shape=crop,
                    seed=settings.seed * count + index,
                )
                for index in range(count)
            ],
        )

    def update_average(self) -> None:
        """Move the averaged generator, faster at the start, so that it forgets the random weights."""
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step)) if self.settings.ema else 0.0
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.parameters()), list(self.objective.generator.parameters()), 1 - decay
            )

    def is_finite(self) -> bool:
        """Whether every weight is a number; a state that is not must not be saved over one that is."""
        weights: list[Tensor] = [*self.objective.parameters(), *self.judging.parameters()]
        return bool(torch.isfinite(torch.stack(torch._foreach_norm(weights))).all())

    def snapshot(self, *, fingerprint: str) -> Checkpoint:
        """Everything, as a checkpoint. Every process must call it (pools are gathered)."""
        tensors = self.networks()
        for name, optimizer in self._optimizers().items():
            for index, values in optimizer.state_dict()["state"].items():
                tensors |= {f"{name}/{index}/{key}": value for key, value in values.items()}
        for index, pool in enumerate(self.pools):
            tensors[f"pool/{index}"] = self.workers.gather(pool.pictures)
        record = {
            "settings": self.settings.to_dict(),
            "fingerprint": fingerprint,
            "counters": {name: getattr(self, name) for name in _COUNTERS},
            "pool_filled": self.pools[0].filled,
            "curve": {
                "rows": self.curve.rows,
                "interval": self.curve.interval,
                "pending": self.curve.pending,
                "count": self.curve.count,
            },
        }
        return Checkpoint(tensors, record)

    def networks(self) -> dict[str, Tensor]:
        """The weights of every network, as ``begin_with`` takes them."""
        return {
            f"{name}/{key}": value
            for name, module in self._modules().items()
            for key, value in module.state_dict().items()
        }

    def begin_with(self, networks: Mapping[str, Tensor], settings: TrainingSettings) -> None:
        """Start at step 0 with the networks that a run under ``settings`` ended with.

        Raises ``start-mismatch`` where this run's are others.
        """
        differing = [name for name in _SHAPING if getattr(settings, name) != getattr(self.settings, name)]
        if differing:
            raise CycleGANError(
                "start-mismatch",
                f"The model to go on from has other networks ({', '.join(differing)}). "
                "Train with its preset, or from the beginning.",
            )
        self._load(networks)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continue from ``checkpoint``; raises ``checkpoint-mismatch`` where it is of another run."""
        theirs, ours = checkpoint.record["settings"], self.settings.to_dict()
        differing = [name for name in ours if ours[name] != theirs.get(name) and name not in _RESUMABLE_WITH_OTHER]
        if differing:
            raise CycleGANError(
                "checkpoint-mismatch",
                f"The run to resume had other settings ({', '.join(differing)}). "
                "Resume it with its own, or train into a new folder.",
            )
        tensors = checkpoint.tensors
        self._load(tensors)
        for name, optimizer in self._optimizers().items():
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(tensors, f"{name}/").items():
                index, _, slot = key.partition("/")
                state.setdefault(int(index), {})[slot] = value
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        for lane, pool in enumerate(self.pools):
            pictures = tensors[f"pool/{lane}"]
            # After a fall-back to a smaller batch the lanes differ, and the pool starts afresh.
            if pictures.shape[0] == self.settings.batch_size and pictures.shape[1:] == pool.pictures.shape[1:]:
                pool.pictures.copy_(pictures[pool.lanes.start : pool.lanes.stop])
                pool.filled = checkpoint.record["pool_filled"]
        for name in _COUNTERS:
            setattr(self, name, checkpoint.record["counters"][name])
        self.curve = LossCurve(**checkpoint.record["curve"])

    def _load(self, tensors: Mapping[str, Tensor]) -> None:
        for name, module in self._modules().items():
            module.load_state_dict(_below(tensors, f"{name}/"))

    def _modules(self) -> dict[str, nn.Module]:
        return {"generators": self.objective, "judges": self.judging, "average": self.average}

    def _optimizers(self) -> dict[str, torch.optim.Adam]:
        return {"generator_optimizer": self.generator_optimizer, "judge_optimizer": self.judge_optimizer}


_COUNTERS = ("step", "seconds", "evaluations", "previews", "bad_steps", "best_quality", "best_step", "best_content")


def _adam(module: nn.Module, rate: float, beta1: float) -> torch.optim.Adam:
    return torch.optim.Adam(module.parameters(), lr=rate, betas=(beta1, 0.999), fused=True)


def _below(tensors: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
