"""What a run tells while it goes on, and at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from styling.cyclegan.data import Skipped
from styling.cyclegan.scoring import Scores

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
    skipped: list[Skipped] = field(default_factory=list)
