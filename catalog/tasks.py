"""The catalogue's background work."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from catalog.models import ImportRun
from catalog.services import imports
from jobs.context import JobContext
from jobs.registry import job_handler


@job_handler(imports.KIND)
def run_import(context: JobContext) -> dict[str, Any]:
    """Import the uploaded table; a second attempt finds the first one's rows and goes on."""
    run = ImportRun.objects.select_related("merchant", "created_by").get(pk=context.job_id)
    with default_storage.open(str(run.source.name), "rb") as file:
        source = imports.open_upload(file.read(), name=run.source_name)
    planned = imports.apply(
        merchant=run.merchant,
        source=source,
        actor=run.created_by,
        on_progress=lambda done, total: context.report(
            done=done, total=total, message=_("%(done)d of %(total)d") % {"done": done, "total": total}
        ),
        should_stop=context.should_stop,
    )
    context.raise_if_stopped()
    problems = imports.problem_rows(planned)
    with context.fenced():
        ImportRun.objects.filter(pk=run.pk).update(problems=problems, rows_bad=len(planned.bad))
        result = {"new": len(planned.new), "changed": len(planned.changed), "bad": len(planned.bad)}
        context.complete(result)
    return result
