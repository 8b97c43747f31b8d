"""Styling's background work. The doors are thin: what they open imports torch, which web processes must not load."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from catalog.models import Merchant
from jobs.context import JobContext
from jobs.errors import UserError
from jobs.registry import job_handler
from styling import realtime
from styling.models import StyleModel
from styling.services import references, stylising, training


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


@job_handler(references.RENDITIONS_KIND)
def make_reference_renditions(context: JobContext) -> dict[str, Any]:
    """Make the smaller copies of a shop's new references."""
    merchant = Merchant.objects.get(pk=context.job.merchant_key or 0)
    outcome = references.make_missing_renditions(
        merchant=merchant,
        on_progress=lambda done, total: context.report(done=done, total=total),
        should_stop=context.should_stop,
    )
    context.raise_if_stopped()
    return outcome


@shared_task(name=realtime.TASK, acks_late=False)
def render_now(request: str, model_id: int, options: dict[str, Any]) -> None:
    """Render the picture of a request whose sender waits."""
    from styling.stylisation_job import render_one

    content = realtime.take(request)
    model = StyleModel.objects.select_related("merchant").filter(pk=model_id).first()
    if content is None or model is None:
        return
    outcome: realtime.Rendered | UserError
    try:
        made = render_one(content=content, model=model, options=stylising.StyliseOptions.from_dict(options))
    except UserError as error:
        outcome = error
    except Exception:
        # Logged by Celery as it is; its sender need not wait for nothing.
        realtime.answer(request, realtime.failed())
        raise
    else:
        outcome = realtime.Rendered(
            content=made.content,
            width=made.width,
            height=made.height,
            truth=dict(made.truth),
            breaches=[dict(breach) for breach in made.breaches],
        )
    realtime.answer(request, outcome)
