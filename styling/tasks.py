"""Styling's background work. The doors are thin: what they open imports torch, which web processes must not load."""

from __future__ import annotations

from typing import Any

from jobs.context import JobContext
from jobs.registry import job_handler
from styling.services import stylising, training


@job_handler(training.KIND)
def train_style(context: JobContext) -> dict[str, Any]:
    """Train a style's translator; a second attempt goes on from the first one's checkpoint."""
    from styling.training_job import run_training

    return run_training(context)


@job_handler(stylising.KIND)
def stylise_pictures(context: JobContext) -> dict[str, Any]:
    """Render a run's pictures; a second attempt renders only those that are missing."""
    from styling.stylisation_job import run_stylisation

    return run_stylisation(context)
