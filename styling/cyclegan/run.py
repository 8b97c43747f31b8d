"""One run: the loop over steps, with previews, scores, checkpoints, and the choice of what is kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from styling.cyclegan import artifact, checkpoints, data, devices, distributed, samples, schedule
from styling.cyclegan.domains import DOMAINS
from styling.cyclegan.endings import (
    BAD_STEPS,
    COLLAPSE_FROM,
    COLLAPSED,
    DIVERGED,
    STOPPED,
    Ending,
    has_collapsed,
    nothing_usable,
)
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import Generator
from styling.cyclegan.reports import StepReport, TrainingResult
from styling.cyclegan.scoring import Scorer, Scores
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.stepping import Stepper

logger = logging.getLogger(__name__)

#: A last model this little worse than the best still is the better choice: scores of few pictures are noisy.
BEST_MARGIN = 0.03


class Run:
    """One attempt at a run: its pictures, its state, and the loop."""

    def __init__(
        self,
        settings: TrainingSettings,
        pictures_a: data.Pictures,
        pictures_b: data.Pictures,
        out: Path,
        compute: devices.Compute,
        workers: distributed.Workers,
        *,
        clock: Callable[[], float],
    ) -> None:
        train_a, held_a = data.split(pictures_a, settings)
        train_b, held_b = data.split(pictures_b, settings)
        self.settings, self.out, self.compute, self.workers = settings, out, compute, workers
        self.clock = clock
        self.skipped = pictures_a.skipped + pictures_b.skipped
        self.counts = {
            "source_pictures": len(train_a.tensors),
            "target_pictures": len(train_b.tensors),
            "held_out_source": len(held_a.tensors),
            "held_out_target": len(held_b.tensors),
        }
        self.fingerprint = pictures_a.fingerprint[:32] + pictures_b.fingerprint[:32]
        # Generators answer in multiples of four, and the paper's 286 is none.
        side = settings.image_size - settings.image_size % 4
        self.held_a, self.held_b = held_a.squares(side), held_b.squares(side)
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
        start_from: Path | None,
        on_step: Callable[[StepReport], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> TrainingResult:
        settings, state = self.settings, self.state
        checkpoint = checkpoints.read_latest(self.out) if resume else None
        if checkpoint is None and start_from is not None:
            state.begin_with(*artifact.read_networks(start_from))
        if checkpoint is not None:
            state.restore(checkpoint)
            if checkpoint.record["fingerprint"] != self.fingerprint:
                logger.warning("The pictures have changed since the checkpoint: the run goes on with the new ones.")
        ending = Ending("")
        previous = self.clock()

        while True:
            fraction, stop = self._agreed_progress(should_stop)
            if stop:
                ending = STOPPED
                break
            if fraction >= 1:
                break

            losses = self.stepper.step(fraction)
            now = self.clock()
            state.seconds, previous = state.seconds + now - previous, now
            if losses is None:
                state.bad_steps += 1
                if state.bad_steps >= BAD_STEPS:
                    ending = DIVERGED
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
            if scores is not None and fraction >= COLLAPSE_FROM and has_collapsed(scores, settings):
                ending = COLLAPSED
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
        if scores.quality > state.best_quality and not has_collapsed(scores, self.settings):
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

    def _finish(self, ending: Ending) -> TrainingResult:
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
            raise CycleGANError(ending.reason, nothing_usable(ending))
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
                # Beside a version from the middle of the run, the networks of its end are not that version's.
                networks=state.networks() if chosen_step == state.step else None,
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
