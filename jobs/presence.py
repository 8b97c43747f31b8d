"""Which workers are alive: each writes a row every few seconds; doors ask here before they promise anything."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import structlog
from celery.signals import worker_ready, worker_shutting_down
from django.db import connection
from django.utils import timezone

from jobs.context import worker_is_stopping
from jobs.models import WorkerPresence

log = structlog.get_logger(__name__)

BEAT_SECONDS = 5
#: A worker that has not been heard of for this long counts as gone.
SEEN_WITHIN = timedelta(seconds=30)


def workers_seen(queue: str | None = None) -> list[WorkerPresence]:
    """Workers heard of lately, those that listen to ``queue`` where one is given."""
    alive = WorkerPresence.objects.filter(seen_at__gte=timezone.now() - SEEN_WITHIN)
    return [worker for worker in alive if queue is None or queue in worker.queues]


@worker_ready.connect
def announce(sender: Any, **_: Any) -> None:
    """Begin to write this worker's row."""
    queues = sorted(sender.app.amqp.queues.consume_from)
    worker_is_stopping.clear()
    threading.Thread(target=_beat, args=(sender.hostname, queues), name="presence", daemon=True).start()


@worker_shutting_down.connect
def note_shutdown(**_: Any) -> None:
    """In a solo worker, running jobs see this at their next step, checkpoint and go back to the queue."""
    worker_is_stopping.set()


def _beat(name: str, queues: list[str]) -> None:
    started_at = timezone.now()
    while True:
        try:
            WorkerPresence.objects.update_or_create(
                name=name, defaults={"queues": queues, "seen_at": timezone.now(), "started_at": started_at}
            )
        except Exception as error:  # noqa: BLE001 - the database is away: the next beat tries again
            log.warning("jobs.presence_failed", error=str(error))
        finally:
            connection.close()
        if worker_is_stopping.wait(BEAT_SECONDS):
            WorkerPresence.objects.filter(name=name).delete()
            connection.close()
            return
