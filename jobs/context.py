"""What a handler may do while it works: report, ask whether to stop, and write under its fence."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection, transaction

from jobs import lifecycle
from jobs.lifecycle import LostLease
from jobs.models import Job

#: Set when this worker process was asked to end; running jobs then checkpoint and go back to the queue.
worker_is_stopping = threading.Event()


class JobCancelled(Exception):
    """The user asked for the end."""


class JobInterrupted(Exception):
    """The worker process is shutting down; the job goes back into its queue."""


class JobContext:
    """One attempt at one job, under one fence."""

    #: Seconds between two progress writes, and between two looks at the cancel flag.
    WRITE_EVERY = 1.0

    def __init__(self, *, job: Job, fence: int) -> None:
        self.job = job
        self.job_id: uuid.UUID = job.pk
        self.fence = fence
        self.parameters: dict[str, Any] = job.parameters
        self._furthest = job.progress_furthest
        self._written_at = self._looked_at = float("-inf")
        self._lost = threading.Event()
        self._cancelled = threading.Event()

    # --- Progress and stopping ---

    def report(self, *, done: int, total: int, message: str = "", eta_seconds: float | None = None) -> None:
        """Write progress (at most once a second). Further than any attempt before, it forgives them.

        Further than the last one alone would not do: a job that begins anew each time and fails now sooner, now later
        would never end.
        """
        self._raise_if_lost()
        now = time.monotonic()
        if done < total and now - self._written_at < self.WRITE_EVERY:
            return
        self._written_at = now
        changes: dict[str, Any] = {}
        if done > self._furthest:
            self._furthest = done
            changes = {"fruitless_attempts": 0, "progress_furthest": done}
        updated = lifecycle.held(self.job_id, self.fence).update(
            progress_done=done,
            progress_total=total,
            progress_message=message[:300],
            eta_seconds=eta_seconds,
            lease_expires_at=lifecycle.lease_end(),
            **changes,
        )
        if not updated:
            self._lose()

    def should_stop(self) -> bool:
        """Whether to end at the next safe point: cancelled, taken over, or the worker is shutting down."""
        if self._lost.is_set() or self._cancelled.is_set() or worker_is_stopping.is_set():
            return True
        now = time.monotonic()
        if now - self._looked_at >= self.WRITE_EVERY:
            self._looked_at = now
            self.look()
        return self._lost.is_set() or self._cancelled.is_set()

    def raise_if_stopped(self) -> None:
        """End the attempt in the right way after ``should_stop()`` said so."""
        self._raise_if_lost()
        if self._cancelled.is_set():
            raise JobCancelled
        if worker_is_stopping.is_set():
            raise JobInterrupted

    def look(self) -> None:
        """Read the cancel flag, and whether the fence still holds."""
        row = lifecycle.held(self.job_id, self.fence).values_list("cancel_requested_at", flat=True).first()
        if row is not None:
            self._cancelled.set()
        elif not lifecycle.held(self.job_id, self.fence).exists():
            self._lost.set()

    def beat(self) -> None:
        """Renew the lease (the heartbeat thread calls this)."""
        try:
            lifecycle.renew(self.job_id, self.fence)
        except LostLease:
            self._lost.set()

    def _lose(self) -> None:
        self._lost.set()
        self._raise_if_lost()

    def _raise_if_lost(self) -> None:
        if self._lost.is_set():
            raise LostLease(f"job {self.job_id} fence {self.fence}")

    # --- Effects ---

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """A transaction that holds the fence to its end: every effect of a job is written inside one."""
        with transaction.atomic():
            lifecycle.renew(self.job_id, self.fence)
            yield

    def complete(self, result: dict[str, Any]) -> None:
        """Succeed. Inside ``fenced()``, the effects and the success are one transaction."""
        lifecycle.succeed(self.job_id, self.fence, result)

    def log(self, name: str, message: str = "", **data: Any) -> None:
        """Append a line to the job's log."""
        lifecycle.log_event(self.job_id, name, message, fence=self.fence, **data)

    # --- Files ---

    @property
    def job_directory(self) -> Path:
        """A folder that all attempts share: checkpoints live here."""
        return self._made(settings.DATA_ROOT / "jobs" / str(self.job_id))

    @property
    def work_directory(self) -> Path:
        """A folder of this attempt alone, so that a frozen earlier attempt cannot write into our output."""
        return self._made(self.job_directory / f"fence-{self.fence}")

    def _made(self, directory: Path) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        return directory


class Heartbeat(threading.Thread):
    """Renews the lease and looks at the cancel flag while the handler works."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(name=f"heartbeat-{context.job_id}", daemon=True)
        self._context = context
        self._done = threading.Event()

    def __enter__(self) -> Heartbeat:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self.join(timeout=5)

    def run(self) -> None:
        while not self._done.wait(settings.JOBS_HEARTBEAT_SECONDS):
            try:
                close_old_connections()
                self._context.beat()
                self._context.look()
            except Exception:  # noqa: BLE001, S110 - the database is away: the next beat tries again, the lease decides
                pass
            finally:
                connection.close()
