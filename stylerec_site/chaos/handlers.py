"""The work that is rehearsed under faults: a few steps, each with a file and one effect that must happen exactly once.

Only the workers that the chaos command starts load this module.
"""

from __future__ import annotations

import time
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from jobs.context import JobContext
from jobs.models import JobEvent
from jobs.registry import job_handler

FENCED, UNFENCED, ENDLESS = "chaos.fenced", "chaos.unfenced", "chaos.endless"
EFFECT = "chaos-effect"
STEPS = 5
STEP_SECONDS = 0.4
#: Large enough for more than one block, small enough for a small disk.
FILE_BYTES = 6_000


def _steps_to_do(context: JobContext) -> list[int]:
    done = JobEvent.objects.filter(job_id=context.job_id, name=EFFECT).values_list("data__step", flat=True)
    return sorted(set(range(STEPS)) - set(done))


def _written(context: JobContext, step: int) -> str:
    """The step's file, under a name of this attempt alone."""
    name = f"chaos/{context.job_id}/{step}-{context.fence}.bin"
    return default_storage.save(name, ContentFile(bytes([step]) * FILE_BYTES))


def _effect(context: JobContext, step: int, file: str) -> None:
    JobEvent.objects.create(job_id=context.job_id, name=EFFECT, fence=context.fence, data={"step": step, "file": file})


@job_handler(FENCED)
def fenced(context: JobContext) -> dict[str, Any]:
    """As every handler of ours works: effects and success under the fence."""
    for step in _steps_to_do(context):
        time.sleep(STEP_SECONDS)
        file = _written(context, step)
        with context.fenced():
            _effect(context, step, file)
        context.report(done=step + 1, total=STEPS)
    return {"steps": STEPS}


@job_handler(UNFENCED)
def unfenced(context: JobContext) -> dict[str, Any]:
    """The negative control: the same work without the fence. Under faults it must double effects."""
    for step in _steps_to_do(context):
        time.sleep(STEP_SECONDS)
        _effect(context, step, _written(context, step))
        context.report(done=step + 1, total=STEPS)
    return {"steps": STEPS}


@job_handler(ENDLESS)
def endless(context: JobContext) -> dict[str, Any]:
    """Work that ends only when it is asked to, as a long training does."""
    while not context.should_stop():
        time.sleep(0.05)
    context.raise_if_stopped()
    return {}
