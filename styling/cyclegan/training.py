"""The training loop: pictures of two domains in, a translator artifact out.

Exactness: in a run with a step budget, every random decision follows from (seed, step) and everything else
is in the checkpoint, so a run killed at any step and resumed ends bit-equal to one never killed (same
machine, same threads).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from styling.cyclegan import artifact, checkpoints, data, devices, distributed, samples, schedule
from styling.cyclegan.domains import DOMAINS
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import Generator
from styling.cyclegan.scoring import Scorer, Scores
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.stepping import Stepper

logger = logging.getLogger(__name__)

#: So many steps in a row without a finite loss, and the run is given up.
BAD_STEPS = 5
#: A last model this little worse than the best still is the better choice: scores of few pictures are noisy.
BEST_MARGIN = 0.03
#: Share of the run before which low content is not yet a collapse.
COLLAPSE_FROM = 0.3
#: Variety of renderings, as a share of the sources', below which they are all one picture.
SMALLEST_VARIETY = 0.1

Phase = Literal["training", "scoring", "finishing"]


@dataclass(frozen=True, slots=True)
class StepReport:
    """What ``on_step`` is told after each step."""

    step: int
    #: Steps the run will have; an estimate where the budget is in minutes.
    total_steps: int
    #: Share of the budget used, in [0, 1].
    fraction: float
    #: Mean over the batch: adversarial, cycle, identity (or contrast), discriminator.
    losses: dict[str, float]
    eta_seconds: float
    phase: Phase
    #: A sample grid (PNG) drawn at this step.
    sample: Path | None = None
    #: Held-out scores taken at this step.
    scores: Scores | None = None


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """How a run ended. ``directory`` holds the artifact unless ``reason`` is ``stopped``."""

    directory: Path
    #: Scores of the chosen weights and figures of the run, as in ``metrics.json``.
    metrics: dict[str, Any]
    stopped_early: bool = False
    #: ``""``, ``stopped`` (by ``should_stop``: resume continues), ``diverged`` or ``collapsed`` (the best
    #: was kept).
    reason: str = ""
    #: The reason in a sentence for the person who asked for the training.
    message: str = ""
    #: Files left out, with reasons.
    skipped: list[data.Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Ending:
    reason: Literal["", "stopped", "diverged", "collapsed"]
    message: str = ""


_STOPPED = _Ending("stopped", "Training was stopped. Resume it to continue where it was.")
_DIVERGED = _Ending(
    "diverged",
    "Training became unstable and was stopped; the best version so far was kept. "
    "Train again with a lower learning rate or another seed.",
)
_COLLAPSED = _Ending(
    "collapsed",
    "The style took over and products were no longer recognisable, so training was stopped and the best version "
    "so far was kept. Add more style pictures, raise the cycle weight or train for less time.",
)


def train(
    *,
    source: Sequence[Path],
    target: Sequence[Path],
    out: Path,
    settings: TrainingSettings,
    on_step: Callable[[StepReport], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    resume: bool = False,
    device: str | None = None,
) -> TrainingResult:
    """Train a translator from ``source`` to ``target`` pictures and leave its artifact in ``out``.

    ``on_step`` hears of every step; ``should_stop`` is asked before each and ends the run after a checkpoint.
    With ``resume``, the newest checkpoint in ``out`` is continued; without one the run starts. Under
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
                run = _Run(settings, pictures_a, pictures_b, out, compute, workers)
                return run.to_its_end(resume=resume, on_step=on_step, should_stop=should_stop)
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


class _Run:
    """One attempt at a run: its pictures, its state, and the loop."""

    def __init__(
        self,
        settings: TrainingSettings,
        pictures_a: data.Pictures,
        pictures_b: data.Pictures,
        out: Path,
        compute: devices.Compute,
        workers: distributed.Workers,
    ) -> None:
        train_a, held_a = data.split(pictures_a, settings)
        train_b, held_b = data.split(pictures_b, settings)
        self.settings, self.out, self.compute, self.workers = settings, out, compute, workers
        self.skipped = pictures_a.skipped + pictures_b.skipped
        self.counts = {
            "source_pictures": len(train_a.tensors),
            "target_pictures": len(train_b.tensors),
            "held_out_source": len(held_a.tensors),
            "held_out_target": len(held_b.tensors),
        }
        self.fingerprint = pictures_a.fingerprint[:32] + pictures_b.fingerprint[:32]
        self.held_a = held_a.squares(settings.image_size)
        self.held_b = held_b.squares(settings.image_size)
        self.scorer = Scorer(
            sources=self.held_a,
            styles=self.held_b,
            feature_weights=Path(settings.feature_weights) if settings.feature_weights else None,
        )
        self.stepper = Stepper(settings, train_a, train_b, compute, workers)
        self.state = self.stepper.state

    def to_its_end(
        self,
        *,
        resume: bool,
        on_step: Callable[[StepReport], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> TrainingResult:
        settings, state = self.settings, self.state
        if resume and (checkpoint := checkpoints.read_latest(self.out)) is not None:
            state.restore(checkpoint)
            if checkpoint.record["fingerprint"] != self.fingerprint:
                logger.warning("The pictures have changed since the checkpoint: the run goes on with the new ones.")
        ending = _Ending("")
        previous = time.monotonic()

        while True:
            fraction, stop = self._agreed_progress(should_stop)
            if stop:
                ending = _STOPPED
                break
            if fraction >= 1:
                break

            losses = self.stepper.step(fraction)
            now = time.monotonic()
            state.seconds, previous = state.seconds + now - previous, now
            if losses is None:
                state.bad_steps += 1
                if state.bad_steps >= BAD_STEPS:
                    ending = _DIVERGED
                    break
                continue
            state.bad_steps = 0
            state.curve.add(state.step, losses)

            fraction, _ = self._agreed_progress(None)
            sample = scores = None
            if fraction >= (state.previews + 1) / settings.previews:
                state.previews = int(fraction * settings.previews)
                sample = self._preview()
            if fraction >= (state.evaluations + 1) / settings.evaluations:
                state.evaluations = int(fraction * settings.evaluations)
                scores = self._evaluate()
            if on_step is not None and self.workers.is_first:
                on_step(self._report(fraction, losses, sample, scores))
            if scores is not None and fraction >= COLLAPSE_FROM and _has_collapsed(scores, settings):
                ending = _COLLAPSED
                break
            if state.step % settings.checkpoint_every == 0:
                self._checkpoint()

        if ending.reason in ("", "stopped"):
            self._checkpoint()
        return self._finish(ending)

    def _agreed_progress(self, should_stop: Callable[[], bool] | None) -> tuple[float, bool]:
        """Share done and whether to stop, as the first process sees them: clocks differ."""
        done = schedule.fraction_done(self.settings, step=self.state.step, seconds=self.state.seconds)
        stop = bool(should_stop()) if should_stop is not None and self.workers.is_first else False
        if self.workers.count == 1:
            return done, stop
        agreed = self.workers.agree(torch.tensor([done, float(stop)], dtype=torch.float64, device=self.compute.device))
        return float(agreed[0]), bool(agreed[1])

    def _report(
        self, fraction: float, losses: dict[str, float], sample: Path | None, scores: Scores | None
    ) -> StepReport:
        state = self.state
        return StepReport(
            step=state.step,
            total_steps=max(state.step, round(state.step / fraction)),
            fraction=fraction,
            losses=losses,
            eta_seconds=state.seconds * (1 - fraction) / fraction,
            phase="training" if scores is None else "scoring",
            sample=sample,
            scores=scores,
        )

    def _preview(self) -> Path | None:
        if not self.workers.is_first:
            return None
        folder = self.out / "previews"
        folder.mkdir(exist_ok=True)
        path = folder / f"step-{self.state.step:06d}.png"
        artifact.write_atomically(path, self._sample_grid(self.state.average))
        return path

    def _sample_grid(self, generator: Generator) -> bytes:
        shown = self.held_a[: samples.COLUMNS]
        return samples.grid([shown, translate(generator, shown, self.compute), self.held_b[: samples.COLUMNS]])

    def _evaluate(self) -> Scores:
        """Score the averaged generator; keep its weights where they are the best so far."""
        state = self.state
        scores = self._scores(state.average)
        if scores.quality > state.best_quality and not _has_collapsed(scores, self.settings):
            state.best_quality, state.best_step = scores.quality, state.step
            if self.workers.is_first:
                checkpoints.write(self.out, "best", state.average.state_dict(), {"step": state.step})
        return scores

    def _scores(self, generator: Generator) -> Scores:
        return self.scorer.score(translate(generator, self.held_a, self.compute))

    def _checkpoint(self) -> None:
        state = self.state
        if not state.is_finite():
            logger.warning("Step %d has weights that are not finite: not saved.", state.step)
            return
        snapshot = state.snapshot(fingerprint=self.fingerprint)
        if self.workers.is_first:
            checkpoints.write(self.out, checkpoints.step_name(state.step), snapshot.tensors, snapshot.record)

    def _finish(self, ending: _Ending) -> TrainingResult:
        """Choose between the last weights and the best, and write the artifact."""
        settings, state = self.settings, self.state
        if ending.reason == "stopped":
            return TrainingResult(self.out, {}, True, ending.reason, ending.message, self.skipped)
        chosen, chosen_step = state.average, state.step
        scores = self._scores(chosen) if ending.reason == "" and state.is_finite() else None
        if scores is None or scores.quality < state.best_quality - BEST_MARGIN:
            best = checkpoints.read(self.out, "best") if state.best_step else None
            if best is not None:
                chosen.load_state_dict(best.tensors)
                chosen_step, scores = state.best_step, self._scores(chosen)
        if scores is None:
            raise CycleGANError(ending.reason, _nothing_usable(ending))
        metrics: dict[str, Any] = {
            **scores.to_dict(),
            "chosen_step": chosen_step,
            "steps": state.step,
            "seconds": round(state.seconds, 1),
            "batch_size": settings.batch_size,
            "stopped": ending.reason,
            **self.counts,
            "skipped": [{"file": skip.path.name, "reason": skip.reason} for skip in self.skipped],
        }
        notice = DOMAINS[settings.domain].notice
        if notice:
            metrics["notice"] = notice
        if self.workers.is_first:
            artifact.write(
                self.out,
                settings=settings,
                weights=chosen.state_dict(),
                metrics=metrics,
                losses=state.curve.rows,
                samples=self._sample_grid(chosen),
            )
        return TrainingResult(self.out, metrics, bool(ending.reason), ending.reason, ending.message, self.skipped)


@torch.no_grad()
def translate(generator: Generator, pictures: Tensor, compute: devices.Compute, *, batch_size: int = 8) -> Tensor:
    """``pictures`` (N×C×H×W in [-1, 1], CPU) through ``generator`` in eval mode, clamped, back on the CPU."""
    parts = []
    with compute.autocast():
        for batch in pictures.split(batch_size):
            parts.append(generator(batch.to(compute.device)).float().clamp(-1, 1).cpu())
    return torch.cat(parts)


def _has_collapsed(scores: Scores, settings: TrainingSettings) -> bool:
    return scores.content_score < settings.min_content or scores.variety < SMALLEST_VARIETY


def _nothing_usable(ending: _Ending) -> str:
    if ending.reason == "diverged":
        return "Training became unstable before it learned anything usable. Lower the learning rate and train again."
    return (
        "The style took over before anything usable was learned: products were no longer recognisable. "
        "Add more and more varied pictures, or raise the cycle weight, and train again."
    )
