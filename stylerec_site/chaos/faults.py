"""The faults, each as it happens to real sites, drawn from a seeded random generator."""

from __future__ import annotations

import contextlib
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis
from django.conf import settings

from jobs.models import Job
from jobs.services import ring
from stylerec_site.chaos.handlers import STEP_SECONDS
from stylerec_site.processes import Processes

#: How long another worker may take to pick up what a frozen one held.
LONGEST_TAKEOVER_SECONDS = 20.0
WORKERS = {"worker-a": "prefork", "worker-b": "solo"}


@dataclass
class Faults:
    """Breaks the parts of a running site. ``counts`` says what was done."""

    processes: Processes
    valkey_port: int
    directory: Path
    dice: random.Random
    with_sweeper: bool
    counts: Counter[str] = field(default_factory=Counter)

    def start_all(self) -> None:
        """Bring every part up that is not running."""
        self._start_valkey()
        for name in WORKERS:
            self._start_worker(name)
        if self.with_sweeper:
            self.processes.start_sweeper()

    def strike(self) -> None:
        """One fault, chosen by the dice."""
        faults: list[Callable[[], None]] = [
            self.kill_child,
            self.kill_worker,
            self.freeze_worker,
            self.freeze_worker,
            self.kill_valkey,
            self.flush_broker,
            self.double_messages,
        ]
        if self.with_sweeper:
            faults.append(self.kill_sweeper)
        fault = self.dice.choice(faults)
        fault()
        self.counts[fault.__name__] += 1

    def kill_child(self) -> None:
        """kill -9 of a pool process in the middle of its job."""
        parent = psutil.Process(self.processes.pid_of("worker-a"))
        children = parent.children()
        if children:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.dice.choice(children).kill()

    def kill_worker(self) -> None:
        """kill -9 of a whole worker, which comes back."""
        name = self.dice.choice(list(WORKERS))
        self.processes.end(name, signal.SIGKILL)
        self._start_worker(name)

    def freeze_worker(self) -> None:
        """A worker that stands still past its lease (a paused machine), then goes on as if nothing had been.

        It wakes up when others have taken its jobs over: the moment in which two workers do the same work.
        """
        name = self.dice.choice(list(WORKERS))
        held = list(Job.objects.filter(status=Job.Status.RUNNING).values_list("pk", "fence"))
        self.processes.kill(name, signal.SIGSTOP)
        lease = settings.JOBS_LEASE_SECONDS + settings.JOBS_SWEEP_SECONDS + 1
        deadline = time.monotonic() + lease + (LONGEST_TAKEOVER_SECONDS if self.with_sweeper else 0)
        while time.monotonic() < deadline and any(self._is_held(job_id, fence) for job_id, fence in held):
            time.sleep(0.1)
        time.sleep(STEP_SECONDS)
        self.processes.kill(name, signal.SIGCONT)

    def _is_held(self, job_id: uuid.UUID, fence: int) -> bool:
        """Whether a job still waits for the worker that claimed it under this fence, or for the next one."""
        now = Job.objects.filter(pk=job_id).values_list("fence", "status").first()
        return now is not None and now[0] == fence and now[1] in (Job.Status.RUNNING, Job.Status.QUEUED)

    def kill_valkey(self) -> None:
        """kill -9 of the broker, which comes back with what its append-only file holds."""
        self.processes.end("valkey", signal.SIGKILL)
        self._start_valkey()

    def flush_broker(self) -> None:
        """Everything that the broker knew is gone."""
        with contextlib.suppress(redis.RedisError):
            redis.Redis(port=self.valkey_port).flushall()

    def double_messages(self) -> None:
        """The same messages three times over, for finished jobs too."""
        for job_id, queue in Job.objects.order_by("?").values_list("pk", "queue")[:10]:
            for _ in range(3):
                ring(job_id, queue=queue)

    def kill_sweeper(self) -> None:
        """kill -9 of the sweeper, which comes back."""
        self.processes.end("sweeper", signal.SIGKILL)
        self.processes.start_sweeper()

    def _start_valkey(self) -> None:
        self.processes.start_valkey(port=self.valkey_port, directory=self.directory / "valkey")

    def _start_worker(self, name: str) -> None:
        self.processes.start_worker(
            name,
            queues="gpu,default,events",
            pool=WORKERS[name],
            concurrency=2 if WORKERS[name] == "prefork" else 1,
            include="stylerec_site.chaos.handlers",
        )
