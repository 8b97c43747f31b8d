"""The catalogue's background work."""

from __future__ import annotations

from typing import Any

import structlog
from celery import shared_task
from django.utils import translation
from django.utils.translation import gettext as _

from catalog.models import ImportRun, Merchant
from catalog.services import import_runs, imports, rendition_jobs, sweeping
from jobs.context import JobContext
from jobs.errors import UserError
from jobs.registry import job_handler

log = structlog.get_logger(__name__)


@shared_task(name="catalog.sweep_files")
def sweep_files() -> dict[str, int]:
    """Delete files and folders that no row names (daily, by the beat); how many, and how many bytes."""
    try:
        swept = sweeping.sweep()
    except UserError as error:
        log.error("files.not_swept", code=error.code, error=str(error))
        return {"files": 0, "folders": 0, "bytes": 0}
    return {"files": len(swept.files.leftovers), "folders": len(swept.folders), "bytes": swept.size}


@job_handler(import_runs.KIND)
def run_import(context: JobContext) -> dict[str, Any]:
    """Import the uploaded table; a second attempt finds the first one's rows and goes on."""
    run = ImportRun.objects.select_related("merchant", "created_by").get(pk=context.job_id)
    # Whoever asked reads what was wrong with their rows.
    with translation.override(context.parameters.get("language")), import_runs.opened(run) as source:
        planned = imports.apply(
            merchant=run.merchant,
            source=source,
            actor=run.created_by,
            on_progress=_reporter(context),
            should_stop=context.should_stop,
        )
        context.raise_if_stopped()
        problems = imports.problem_rows(planned)
    result = {
        # As counted when it was asked for: a second attempt finds the first one's rows unchanged.
        "new": run.rows_new,
        "changed": run.rows_changed,
        "bad": len(planned.bad),
        "pictures": planned.pictures_added,
        "without_all_pictures": len(planned.with_picture_problems),
    }
    with context.fenced():
        ImportRun.objects.filter(pk=run.pk).update(problems=problems, rows_bad=len(planned.bad))
        context.complete(result)
    import_runs.forget_files([str(run.source.name), str(run.pictures.name)])
    return result


@job_handler(rendition_jobs.KIND)
def make_renditions(context: JobContext) -> dict[str, Any]:
    """Make the smaller copies of a shop's new pictures."""
    merchant = Merchant.objects.get(pk=context.job.merchant_key or 0)
    outcome = rendition_jobs.make_missing(
        merchant=merchant, on_progress=_reporter(context), should_stop=context.should_stop
    )
    context.raise_if_stopped()
    return outcome


def _reporter(context: JobContext) -> imports.OnProgress:
    def report(done: int, total: int) -> None:
        context.report(done=done, total=total, message=_("%(done)d of %(total)d") % {"done": done, "total": total})

    return report
