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
from django.db import connection

from jobs.models import Job
from jobs.services import ring
from recommend.services.event_stream import STREAM
from stylerec_site.chaos import disk
from stylerec_site.chaos import postgres as server
from stylerec_site.chaos.handlers import STEP_SECONDS
from stylerec_site.processes import Processes

#: How long another worker may take to pick up what a frozen one held.
LONGEST_TAKEOVER_SECONDS = 20.0
#: Name → pool and processes. Jobs mostly wait, so that many of them cost little, and each fault meets several.
WORKERS = {"worker-a": ("prefork", 6), "worker-b": ("prefork", 6), "worker-c": ("solo", 1)}
SECONDS_OF_FULL_DISK = 1.5
#: A job that has got nowhere three times is given up, and rightly: a disk must not be full all the time.
MOST_FULL_DISKS = 2
LONGEST_DRAIN_SECONDS = 20.0


@dataclass
class Faults:
    """Breaks the parts of a running site. ``counts`` says what was done."""

    processes: Processes
    valkey_port: int
    directory: Path
    dice: random.Random
    with_sweeper: bool = True
    #: The folder of a PostgreSQL that may be restarted.
    postgres: Path | None = None
    #: The folder of a small disk that may be filled.
    disk: Path | None = None
    #: Held while everything that Valkey knows is thrown away: what was accepted and not yet stored lies nowhere else.
    accepting: contextlib.AbstractContextManager[object] = field(default_factory=contextlib.nullcontext)
    only: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    _deck: list[Callable[[], None]] = field(default_factory=list)

    def start_all(self) -> None:
        """Bring every part up that is not running."""
        self._start_valkey()
        for name in WORKERS:
            self._start_worker(name)
        if self.with_sweeper:
            self.processes.start_sweeper()

    def strike(self) -> str:
        """One fault, drawn from a shuffled deck that holds each of them once; its name."""
        if not self._deck:
            self._deck = self.possible()
            self.dice.shuffle(self._deck)
            # Drawn from the end: a short storm meets the database's faults first.
            self._deck.sort(key=lambda fault: "database" in fault.__name__)
        fault = self._deck.pop()
        fault()
        self.counts[fault.__name__] += 1
        return fault.__name__

    def possible(self) -> list[Callable[[], None]]:
        """The faults that this site can be given."""
        faults: list[Callable[[], None]] = [
            self.kill_children,
            self.kill_worker,
            self.freeze_worker,
            self.kill_valkey,
            self.flush_valkey,
            self.double_messages,
        ]
        if self.with_sweeper:
            faults.append(self.kill_sweeper)
        if self.processes.is_started("events"):
            faults.append(self.kill_event_consumer)
        if self.disk and self.counts[self.fill_disk.__name__] < MOST_FULL_DISKS:
            faults.append(self.fill_disk)
        if self.postgres:
            faults += [self.crash_database, self.restart_database]
        return [fault for fault in faults if not self.only or fault.__name__ in self.only]

    def kill_children(self) -> None:
        """kill -9 of pool processes in the middle of their jobs: some, or all of them."""
        name = self.dice.choice([name for name, (pool, _) in WORKERS.items() if pool == "prefork"])
        busy = {int(worker.rpartition(":")[2]) for worker in self._running_workers()}
        children = [child for child in psutil.Process(self.processes.pid_of(name)).children() if child.pid in busy]
        for child in self.dice.sample(children, self.dice.randint(min(2, len(children)), len(children))):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def _running_workers(self) -> list[str]:
        return list(Job.objects.filter(status=Job.Status.RUNNING).values_list("worker", flat=True))

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
        self.processes.kill(name, signal.SIGSTOP)
        frozen = psutil.Process(self.processes.pid_of(name))
        pids = {frozen.pid, *(child.pid for child in frozen.children())}
        running = Job.objects.filter(status=Job.Status.RUNNING).values_list("pk", "fence", "worker")
        held = [(pk, fence) for pk, fence, worker in running if int(worker.rpartition(":")[2]) in pids]
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

    def flush_valkey(self) -> None:
        """Everything that Valkey knew is gone: messages, counters, the consumer's group."""
        server = redis.Redis(port=self.valkey_port)
        with contextlib.suppress(redis.RedisError), self.accepting:
            deadline = time.monotonic() + LONGEST_DRAIN_SECONDS
            while server.xlen(STREAM) and time.monotonic() < deadline:
                time.sleep(0.05)
            server.flushall()

    def double_messages(self) -> None:
        """The same messages three times over, for finished jobs too."""
        for job_id, queue in Job.objects.order_by("?").values_list("pk", "queue")[:10]:
            for _ in range(3):
                ring(job_id, queue=queue)

    def kill_sweeper(self) -> None:
        """kill -9 of the sweeper, which comes back."""
        self.processes.end("sweeper", signal.SIGKILL)
        self.processes.start_sweeper()

    def kill_event_consumer(self) -> None:
        """kill -9 of the process that stores accepted events, which comes back."""
        self.processes.end("events", signal.SIGKILL)
        self.processes.start_event_consumer()

    def fill_disk(self) -> None:
        """No room for another byte where pictures and results are kept, for a while."""
        assert self.disk is not None
        disk.fill(self.disk)
        time.sleep(SECONDS_OF_FULL_DISK)
        disk.make_room(self.disk)

    def crash_database(self) -> None:
        """PostgreSQL ends without a word to anybody, stays away, and replays its log when it comes back."""
        self._restart_database("immediate")

    def restart_database(self) -> None:
        """PostgreSQL ends every connection, shuts down in order, stays away, and comes back."""
        self._restart_database("fast")

    def _restart_database(self, mode: server.StopMode) -> None:
        assert self.postgres is not None
        connection.close()  # ours, so that we do not learn of it from an error
        server.restart(self.postgres, mode=mode, seconds_away=self.dice.uniform(0.2, 1.5))

    def _start_valkey(self) -> None:
        self.processes.start_valkey(port=self.valkey_port, directory=self.directory / "valkey")

    def _start_worker(self, name: str) -> None:
        pool, size = WORKERS[name]
        self.processes.start_worker(
            name,
            queues="gpu,default,events",
            pool=pool,
            concurrency=size,
            include="stylerec_site.chaos.handlers",
        )
