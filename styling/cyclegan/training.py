"""Training: pictures of two domains in, a translator artifact out.

Exactness: in a run with a step budget, every random decision follows from (seed, step) and everything else
is in the checkpoint, so a run killed at any step and resumed ends bit-equal to one never killed (same
machine, same threads).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from styling.cyclegan import checkpoints, data, devices, distributed
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.reports import StepReport, TrainingResult
from styling.cyclegan.run import Run
from styling.cyclegan.settings import TrainingSettings

__all__ = ["StepReport", "TrainingResult", "train"]

logger = logging.getLogger(__name__)


def train(
    *,
    source: Sequence[Path],
    target: Sequence[Path],
    out: Path,
    settings: TrainingSettings,
    on_step: Callable[[StepReport], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    resume: bool = False,
    start_from: Path | None = None,
    device: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> TrainingResult:
    """Train a translator from ``source`` to ``target`` pictures and leave its artifact in ``out``.

    ``on_step`` hears of every step; ``should_stop`` is asked before each and ends the run after a checkpoint.
    ``clock``, in seconds, is what a budget in minutes
    is measured by. With ``resume``, the newest checkpoint in ``out`` is continued; without one the run starts: with
    random weights, or with the networks of the artifact ``start_from``, to train that model further. Under
    torchrun the batch is shared between the processes. Raises ``CycleGANError`` (see there); where a run
    fails after a usable version was scored, that version is kept and the result says so instead.
    """
    settings.validate()
    compute = devices.choose(device, precision=settings.precision)
    pictures_a = data.load_pictures(source, settings, role="source")
    pictures_b = data.load_pictures(target, settings, role="target")
    out.mkdir(parents=True, exist_ok=True)
    with distributed.join(compute) as workers:
        if not resume and workers.is_first:
            checkpoints.clear(out)  # or a later resume would continue the run before this one
        while True:
            try:
                run = Run(settings, pictures_a, pictures_b, out, compute, workers, clock=clock)
                return run.to_its_end(resume=resume, start_from=start_from, on_step=on_step, should_stop=should_stop)
            except (RuntimeError, MemoryError) as error:
                if not devices.is_out_of_memory(error) or workers.count > 1:
                    raise
                settings = _smaller(settings, error)
                resume = True
            if compute.device.type == "cuda":
                torch.cuda.empty_cache()


def _smaller(settings: TrainingSettings, error: BaseException) -> TrainingSettings:
    if settings.batch_size == 1:
        raise CycleGANError(
            "out-of-memory",
            "Memory ran out even with one picture per step. Choose a smaller crop_size or width, or free memory.",
        ) from error
    smaller = replace(settings, batch_size=settings.batch_size // 2)
    logger.warning("Memory ran out: going on with batch size %d.", smaller.batch_size)
    return smaller
