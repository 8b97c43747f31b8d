"""The one Celery task. A message says only "look at this job"; everything else is in the row."""

from __future__ import annotations

import os
import socket
import uuid

import structlog
from celery import shared_task

from jobs import lifecycle, outages
from jobs.context import Heartbeat, JobCancelled, JobContext, JobInterrupted
from jobs.errors import UserError
from jobs.lifecycle import LostLease
from jobs.models import Job
from jobs.registry import handler_of

log = structlog.get_logger(__name__)


def worker_name() -> str:
    """This process, as it appears in a job's row."""
    return f"{socket.gethostname()}:{os.getpid()}"


@shared_task(name="jobs.run")
def run(job_id: str) -> None:
    """Claim the job and do it. A message that is late, doubled or about a finished job ends here."""
    fence = lifecycle.claim(uuid.UUID(job_id), worker=worker_name())
    if fence is not None:
        work(uuid.UUID(job_id), fence)


def work(job_id: uuid.UUID, fence: int) -> None:
    """Run the handler of a claimed job and record how it ended; a database that went away is waited for."""
    try:
        _work(job_id, fence)
    except Exception as error:
        if not outages.is_one(error):
            raise
        log.warning("jobs.database_away", job_id=str(job_id), error=str(error))
        outages.give_back_when_over(job_id, fence)


def _work(job_id: uuid.UUID, fence: int) -> None:
    job = Job.objects.get(pk=job_id)
    context = JobContext(job=job, fence=fence)
    with structlog.contextvars.bound_contextvars(job_id=str(job_id), job_kind=job.kind, fence=fence):
        try:
            with Heartbeat(context):
                result = handler_of(job.kind)(context)
            if lifecycle.held(job_id, fence).exists():
                context.complete(result or {})
        except LostLease:
            log.warning("jobs.lost_lease")
        except JobCancelled:
            _quietly(lifecycle.mark_cancelled, job_id, fence)
        except JobInterrupted:
            _quietly(lifecycle.give_back, job_id, fence, reason="the worker is shutting down", fault=False)
        except UserError as error:
            log.info("jobs.failed", code=error.code)
            _quietly(lifecycle.fail, job_id, fence, error)
        except Exception as error:
            if outages.is_one(error):
                raise
            log.exception("jobs.crashed")
            _quietly(lifecycle.give_back, job_id, fence, reason=f"{type(error).__name__}: {error}", fault=True)


def _quietly(move, *arguments, **keywords) -> None:  # type: ignore[no-untyped-def]
    """A move that somebody else's claim has overtaken needs no further word."""
    try:
        move(*arguments, **keywords)
    except LostLease:
        log.warning("jobs.lost_lease")
