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
        done = lifecycle.held(job_id, fence).values_list("progress_done", flat=True).first() or 0
        forgiven = _is_forgiven(job_id, done)
        lifecycle.log_event(job_id, EVENT, fence=fence, done=done)
        lifecycle.give_back(job_id, fence, reason="the database was away", fault=not forgiven)
    except (LostLease, DatabaseError) as error:  # taken over in the meantime, or away again
        log.warning("jobs.not_given_back", job_id=str(job_id), error=str(error))


def _is_forgiven(job_id: uuid.UUID, done: int) -> bool:
    """Whether the job has got further than before any outage so far, or has had few since it last did.

    Only what is further than ever counts: a job that begins anew each time and dies now sooner, now later gets nowhere.
    Whoever presses “Retry” forgives everything.
    """
    furthest, outages = -1, 0
    events = JobEvent.objects.filter(job_id=job_id, name__in=(EVENT, RETRIED)).order_by("pk")
    for name, data in events.values_list("name", "data"):
        before = int(data.get("done", 0))
        if name == RETRIED:
            furthest, outages = -1, 0
        elif before > furthest:
            furthest, outages = before, 1
        else:
            outages += 1
    return done > furthest or outages < MOST_FORGIVEN


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
