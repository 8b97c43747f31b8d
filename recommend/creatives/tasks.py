"""The background work of creatives. The door is thin: what it opens loads SciPy and fonts, which web processes need not."""

from __future__ import annotations

from typing import Any

from jobs.context import JobContext
from jobs.registry import job_handler
from recommend.creatives.services import sets


@job_handler(sets.KIND)
def draw_creatives(context: JobContext) -> dict[str, Any]:
    """Draw a set's creatives; a second attempt draws only those that are missing."""
    from recommend.creatives.drawing_job import run_drawing

    return run_drawing(context)
