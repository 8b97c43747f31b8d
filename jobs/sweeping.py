"""The sweeper: rings again for every job that nobody works on, whatever became of its message."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from jobs.models import Job
from jobs.services import ring

log = structlog.get_logger(__name__)


def sweep() -> int:
    """Ring for waiting jobs whose message is gone, and for running ones whose lease ran out. How many were rung."""
    now = timezone.now()
    overdue = now - timedelta(seconds=settings.JOBS_SWEEP_SECONDS)
    due = Q(not_before=None) | Q(not_before__lte=now)
    silent = Q(rung_at=None) | Q(rung_at__lt=overdue)
    waiting = Job.objects.filter(due & silent, status=Job.Status.QUEUED).order_by("created_at")
    expired = Job.objects.with_expired_lease().filter(silent)
    # A long queue is no lost message: ring only for as many as the broker cannot account for.
    room = {
        queue: count - _queue_length(queue)
        for queue, count in Counter(
            Job.objects.filter(due, status=Job.Status.QUEUED).values_list("queue", flat=True)
        ).items()
    }
    rung = 0
    for job_id, queue in expired.values_list("pk", "queue"):
        rung += ring(job_id, queue=queue)
        Job.objects.filter(pk=job_id, status=Job.Status.RUNNING).update(rung_at=now)
    for job_id, queue in waiting.values_list("pk", "queue"):
        if room.get(queue, 0) <= 0:
            continue
        room[queue] -= 1
        rung += ring(job_id, queue=queue)
    if rung:
        log.info("jobs.swept", rung=rung)
    return rung


def _queue_length(queue: str) -> int:
    """Messages that wait in the broker; zero when it cannot be asked, so that ringing is tried."""
    try:
        with current_app.connection_for_read() as broker:
            channel: Any = broker.default_channel
            return int(channel.client.llen(queue))
    except Exception as error:  # noqa: BLE001 - kombu lets every client's own exceptions through
        log.warning("jobs.broker_away", error=str(error))
        return 0
