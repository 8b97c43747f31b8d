"""A database that goes away while a job works: no fault of the job, which goes back into its queue when it is over."""

from __future__ import annotations

import time
import uuid

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from jobs import lifecycle
from jobs.context import worker_is_stopping
from jobs.lifecycle import LostLease
from jobs.models import JobEvent
from jobs.services import RETRIED

log = structlog.get_logger(__name__)

#: Outages without progress between them. A job that takes the database down with it every time must end some day, too;
#: one that works for days gets over any number of them.
MOST_FORGIVEN = 10
EVENT = "database-away"
_SECONDS_BETWEEN_LOOKS = 0.5


def is_one(error: BaseException) -> bool:
    """Whether the error is that our connection to the database is gone, rather than what we asked over it."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return connection.connection is None or not connection.is_usable()


def give_back_when_over(job_id: uuid.UUID, fence: int) -> None:
    """Wait for the database for as long as the lease may last, and return the job; beyond that the lease decides."""
    if not _is_over():
        return
    try:
        furthest = lifecycle.held(job_id, fence).values_list("progress_furthest", flat=True).first() or 0
        forgiven = _is_forgiven(job_id, furthest)
        lifecycle.log_event(job_id, EVENT, fence=fence, furthest=furthest)
        lifecycle.give_back(job_id, fence, reason="the database was away", fault=not forgiven)
    except (LostLease, DatabaseError) as error:  # taken over in the meantime, or away again
        log.warning("jobs.not_given_back", job_id=str(job_id), error=str(error))


def _is_forgiven(job_id: uuid.UUID, furthest: int) -> bool:
    """Whether the job has had few outages since it last got further than ever, or since a person pressed “Retry”."""
    events = JobEvent.objects.filter(job_id=job_id)
    retried = events.filter(name=RETRIED).order_by("-pk").values_list("pk", flat=True).first()
    return events.filter(name=EVENT, data__furthest=furthest, pk__gt=retried or 0).count() < MOST_FORGIVEN


def _is_over() -> bool:
    deadline = time.monotonic() + settings.JOBS_LEASE_SECONDS
    while time.monotonic() < deadline:
        connection.close()
        try:
            connection.ensure_connection()
        except OperationalError:
            if worker_is_stopping.wait(_SECONDS_BETWEEN_LOOKS):
                return False
        else:
            return True
    return False
