"""The verbs that people and other rooms use on jobs: ask for one, cancel it, try it again."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar, cast

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.errors import Conflict
from jobs.lifecycle import log_event
from jobs.models import Job

log = structlog.get_logger(__name__)
#: The log's word for a person's “Retry”.
RETRIED = "retried"
AnyJob = TypeVar("AnyJob", bound=Job)


def enqueue(job: AnyJob) -> AnyJob:
    """Save an unsaved job in the caller's transaction and ring for it on commit.

    With an ``idempotency_key`` that exists already, the earlier job is returned and nothing new is asked for.
    """
    try:
        with transaction.atomic():
            job.save()
            log_event(job.pk, "asked", str(job.created_by or ""))
            transaction.on_commit(lambda: ring(job.pk, queue=job.queue))
    except IntegrityError:
        if not job.idempotency_key:
            raise
        return cast(AnyJob, type(job)._default_manager.get(idempotency_key=job.idempotency_key))
    return job


def ring(job_id: uuid.UUID, *, queue: str) -> bool:
    """Tell the workers of ``queue`` that a job waits. A broker that is away is no error: the sweeper rings again."""
    from jobs.tasks import run  # the task module imports this one

    try:
        run.apply_async(args=(str(job_id),), queue=queue, retry=False)
    except Exception as error:  # noqa: BLE001 - kombu lets every client's own exceptions through
        log.warning("jobs.ring_failed", job_id=str(job_id), error=str(error))
        return False
    Job.objects.filter(pk=job_id, status=Job.Status.QUEUED).update(rung_at=timezone.now())
    return True


def request_cancel(*, job: Job, by: Any = None) -> None:
    """Ask for the end of a job: at once while it waits, within a step while it runs."""
    now = timezone.now()
    with transaction.atomic():
        if Job.objects.filter(pk=job.pk, status=Job.Status.QUEUED).update(
            status=Job.Status.CANCELLED, cancel_requested_at=now, finished_at=now
        ):
            log_event(job.pk, "cancelled", str(by or ""))
        elif Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING, cancel_requested_at=None).update(
            cancel_requested_at=now
        ):
            log_event(job.pk, "cancel-requested", str(by or ""))
        elif not Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING).exists():
            raise Conflict("job-finished", _("This job has ended already."), _("There is nothing to cancel."))
    job.refresh_from_db()


def retry(*, job: Job, by: Any = None) -> None:
    """Put a failed, cancelled or given-up job back into its queue; it goes on from its last checkpoint."""
    retriable = [status for status, targets in Job.TRANSITIONS.items() if "queued" in targets and status != "running"]
    with transaction.atomic():
        if not Job.objects.filter(pk=job.pk, status__in=retriable).update(
            status=Job.Status.QUEUED,
            cancel_requested_at=None,
            finished_at=None,
            fruitless_attempts=0,
            progress_furthest=0,
            rung_at=None,
            not_before=None,
            error_code="",
            error_message="",
            error_hint="",
        ):
            raise Conflict(
                "job-not-retriable",
                _("Only a job that failed, was cancelled or was given up can be tried again."),
                _("Wait until it has ended, or start a new one."),
            )
        log_event(job.pk, RETRIED, str(by or ""))
        transaction.on_commit(lambda: ring(job.pk, queue=job.queue))
    job.refresh_from_db()
