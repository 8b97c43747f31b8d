"""The moves of a job along its transition table: each one conditional UPDATE, decided by its row count.

A claim returns the *fence*, a number that grows with every claim. Every later write carries it; when it matches no row,
somebody else has taken the job over and the writer must stop. So a lost, late or doubled message changes nothing.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.errors import UserError
from jobs.models import Job, JobEvent
from jobs.tenancy import tenancy

log = structlog.get_logger(__name__)


class LostLease(Exception):
    """Another worker has taken the job over; this one must stop without writing."""


def lease_end() -> Any:
    """The moment at which a lease taken or renewed now runs out."""
    return timezone.now() + timedelta(seconds=settings.JOBS_LEASE_SECONDS)


def log_event(job_id: uuid.UUID, name: str, message: str = "", *, fence: int = 0, **data: Any) -> None:
    """Append a line to the job's log.

    Whoever writes one holds the job's row until the line is committed, so that the lines' numbers grow as readers come to
    see them: a stream that goes on after the last number it has seen (``server_sent_events``) misses none. SQLite has one
    writer at a time anyway.
    """
    with transaction.atomic():
        if connection.features.has_select_for_update:
            Job.objects.select_for_update(no_key=True).filter(pk=job_id).values_list("pk").first()
        JobEvent.objects.create(job_id=job_id, name=name, message=message[:2000], fence=fence, data=data)


def claim(job_id: uuid.UUID, *, worker: str) -> int | None:
    """Take the job for ``worker``. The fence, or None where there is nothing to take."""
    now = timezone.now()
    due = Q(status=Job.Status.QUEUED) & (Q(not_before=None) | Q(not_before__lte=now))
    abandoned = Q(status=Job.Status.RUNNING, lease_expires_at__lt=now)
    with transaction.atomic():
        claimable = Job.objects.filter(due | abandoned, pk=job_id)
        if claimable.filter(cancel_requested_at__isnull=False).update(
            status=Job.Status.CANCELLED, finished_at=now, lease_expires_at=None, fence=F("fence") + 1
        ):
            log_event(job_id, "cancelled")
            return None
        if claimable.filter(fruitless_attempts__gte=settings.JOBS_MAX_FRUITLESS_ATTEMPTS).update(
            status=Job.Status.DEAD,
            finished_at=now,
            lease_expires_at=None,
            fence=F("fence") + 1,
            error_code="gave-up",
            error_message=_("The worker was stopped in the middle of this job several times in a row."),
            error_hint=_("Look at the job's log, then press “Retry”."),
        ):
            log_event(job_id, "dead", "no progress in the last attempts")
            tenancy().job_ended(Job.objects.get(pk=job_id))
            return None
        if not claimable.update(
            status=Job.Status.RUNNING,
            fence=F("fence") + 1,
            worker=worker,
            lease_expires_at=lease_end(),
            attempt=F("attempt") + 1,
            fruitless_attempts=F("fruitless_attempts") + 1,
            started_at=Coalesce("started_at", Now()),
            finished_at=None,
            eta_seconds=None,
        ):
            return None
        fence: int = Job.objects.values_list("fence", flat=True).get(pk=job_id)
        log_event(job_id, "claimed", worker, fence=fence)
        return fence


def held(job_id: uuid.UUID, fence: int) -> Any:
    """The job's row as a query, as long as ``fence`` still holds it."""
    return Job.objects.filter(pk=job_id, fence=fence, status=Job.Status.RUNNING)


def renew(job_id: uuid.UUID, fence: int) -> None:
    """Extend the lease; LostLease where it is no longer ours."""
    if not held(job_id, fence).update(lease_expires_at=lease_end()):
        raise LostLease(f"job {job_id} fence {fence}")


def succeed(job_id: uuid.UUID, fence: int, result: dict[str, Any]) -> None:
    """Running → succeeded, with the result."""
    _finish(
        job_id,
        fence,
        "succeeded",
        status=Job.Status.SUCCEEDED,
        result=result,
        progress_done=F("progress_total"),
    )


def fail(job_id: uuid.UUID, fence: int, error: UserError) -> None:
    """Running → failed: theirs to mend, so nothing is tried again until they ask."""
    _finish(
        job_id,
        fence,
        "failed",
        str(error),
        status=Job.Status.FAILED,
        error_code=error.code,
        error_message=str(error.message),
        error_hint=str(error.hint),
    )


def mark_cancelled(job_id: uuid.UUID, fence: int) -> None:
    """Running → cancelled."""
    _finish(job_id, fence, "cancelled", status=Job.Status.CANCELLED)


def _finish(job_id: uuid.UUID, fence: int, event: str, message: str = "", **changes: Any) -> None:
    with transaction.atomic():
        changes = {"error_code": "", "error_message": "", "error_hint": "", **changes}
        if not held(job_id, fence).update(
            finished_at=timezone.now(), lease_expires_at=None, eta_seconds=None, **changes
        ):
            raise LostLease(f"job {job_id} fence {fence}")
        log_event(job_id, event, message, fence=fence)
        if changes["status"] != Job.Status.CANCELLED:
            tenancy().job_ended(Job.objects.get(pk=job_id))


def give_back(job_id: uuid.UUID, fence: int, *, reason: str, fault: bool) -> None:
    """Running → queued, for another attempt; → dead when ``fault`` and three attempts brought nothing.

    Without ``fault`` (a worker that shuts down, a database that was away) the attempt is not held against the job.
    """
    with transaction.atomic():
        row = held(job_id, fence).values_list("fruitless_attempts", flat=True).first()
        if row is None:
            raise LostLease(f"job {job_id} fence {fence}")
        if fault and row >= settings.JOBS_MAX_FRUITLESS_ATTEMPTS:
            held(job_id, fence).update(
                status=Job.Status.DEAD,
                finished_at=timezone.now(),
                lease_expires_at=None,
                error_code="gave-up",
                error_message=_("This job failed %(count)s times in a row: %(reason)s")
                % {"count": row, "reason": reason},
                error_hint=_("The log has the details. Mend the cause, then press “Retry”."),
            )
            log_event(job_id, "dead", reason, fence=fence)
            tenancy().job_ended(Job.objects.get(pk=job_id))
            return
        pause = timedelta(seconds=min(300, 2 * 4 ** max(0, row - 1))) if fault else timedelta(0)
        held(job_id, fence).update(
            status=Job.Status.QUEUED,
            lease_expires_at=None,
            rung_at=None,
            not_before=timezone.now() + pause,
            fruitless_attempts=row if fault else max(0, row - 1),
            error_message=reason if fault else "",
        )
        log_event(job_id, "released", reason, fence=fence)
