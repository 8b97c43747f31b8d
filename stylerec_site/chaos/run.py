"""One storm: N jobs, S seconds of faults, time to recover, and the verdict. Or a control, which must fail, and soon."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from jobs.models import Job
from jobs.services import enqueue
from recommend.services.event_stream import STREAM
from stylerec_site.chaos.disk import small_disk
from stylerec_site.chaos.faults import Faults
from stylerec_site.chaos.handlers import FENCED, STEP_SECONDS, STEPS, UNFENCED
from stylerec_site.chaos.traffic import Traffic, open_storm_shop
from stylerec_site.chaos.verdict import Verdict, effects_doubled, progress, verdict
from stylerec_site.processes import Processes, free_port

Guard = Literal["sweeper", "fence"]
LONGEST_PAUSE_SECONDS = 1.5
#: How long workers may take to start on a busy machine.
LONGEST_START_SECONDS = 60.0
#: A fault that meets one job among idle workers shows little.
BUSY_WORKERS = 4
#: Results of 300 jobs, pictures and their copies need a fifth of it.
DISK_MEGABYTES = 64
#: What removes the guard's work from under a control, and nothing that takes long besides.
FAULTS_OF_CONTROLS = {"sweeper": ("kill_worker", "kill_children", "flush_valkey"), "fence": ("freeze_worker",)}


@dataclass(frozen=True)
class Storm:
    """What to do. ``without`` takes a guard away: a control, which ends as soon as it has failed in its own way."""

    jobs: int
    seconds: float
    seed: int
    without: Guard | None = None


def run(storm: Storm, *, say: Callable[[str], None]) -> tuple[Verdict, Faults, Traffic | None]:
    """Run jobs under faults on the site that the environment describes; the verdict, what was done, who watched."""
    call_command("migrate", verbosity=0)
    directory, dice = Path(settings.DATA_ROOT), random.Random(storm.seed)
    postgres = os.environ.get("STYLEREC_CHAOS_POSTGRES")
    with (
        small_disk(Path(settings.MEDIA_ROOT), megabytes=DISK_MEGABYTES) as is_small,
        Processes(log_directory=directory / "logs") as processes,
    ):
        faults = Faults(
            processes,
            int(os.environ["STYLEREC_CHAOS_PORT"]),
            directory,
            dice,
            with_sweeper=storm.without != "sweeper",
            postgres=Path(postgres) if postgres else None,
            disk=Path(settings.MEDIA_ROOT) if is_small else None,
            only=FAULTS_OF_CONTROLS[storm.without] if storm.without else (),
        )
        faults.start_all()
        with _traffic(faults, storm) as traffic:
            _blow(storm, faults, say)
            if storm.without is None:
                _wait_for_the_end(60 + storm.jobs * STEPS * STEP_SECONDS / 2)
        if traffic is not None:
            _drain(faults.valkey_port)
            _wait_for_the_end(60)  # what the last requests asked for
        return verdict(traffic), faults, traffic


def _blow(storm: Storm, faults: Faults, say: Callable[[str], None]) -> None:
    """Ask for jobs and break things, by turns, until the time is over or all is done (or a control has failed)."""
    kind = UNFENCED if storm.without == "fence" else FENCED
    to_ask = storm.jobs
    to_ask -= _ask_for(max(20, storm.jobs // 2), to_ask, kind, faults)
    _wait_for_work()
    began = time.monotonic()
    while time.monotonic() < began + storm.seconds:
        time.sleep(faults.dice.uniform(0.2, LONGEST_PAUSE_SECONDS))
        # Workers that are still starting have nothing to lose: a fault counts where it meets work.
        _wait_for_work()
        struck = faults.strike()
        say(f"{time.monotonic() - began:6.1f} s  {struck}: {progress()}")
        if has_failed(storm.without):
            return
        to_ask -= _ask_for(storm.jobs // 12 + 1, to_ask, kind, faults)
        if not to_ask and not Job.objects.unfinished().exists():
            break
    _ask_for(to_ask, to_ask, kind, faults)
    if storm.without is not None:  # what was done to it may yet show, for as long as a lease takes to be surely over
        deadline = time.monotonic() + 6 * settings.JOBS_LEASE_SECONDS
        while time.monotonic() < deadline and not has_failed(storm.without):
            time.sleep(0.5)


def has_failed(guard: Guard | None) -> bool:
    """Whether a control has failed in its own way: something doubled, or a job whose worker is long gone."""
    if guard == "fence":
        return effects_doubled() > 0
    if guard == "sweeper":
        long_gone = timezone.now() - timedelta(seconds=2 * settings.JOBS_LEASE_SECONDS)
        return Job.objects.filter(status=Job.Status.RUNNING, lease_expires_at__lt=long_gone).exists()
    return False


def _ask_for(count: int, left: int, kind: str, faults: Faults) -> int:
    count = min(count, left)
    for _ in range(count):
        enqueue(Job(kind=kind, queue=faults.dice.choice(["gpu", "default", "events"])))
    return count


@contextlib.contextmanager
def _traffic(faults: Faults, storm: Storm) -> Iterator[Traffic | None]:
    """Requests from beginning to end; a control needs none."""
    if storm.without is not None:
        yield None
        return
    shop = open_storm_shop()
    port = free_port(8600 + os.getpid() % 300)
    connection.close()  # the web processes are forked from one that has loaded the site
    faults.processes.start_web(port=port, workers=1, threads=4)
    faults.processes.start_event_consumer()
    traffic = Traffic(port, shop)
    faults.accepting = traffic.accepting
    traffic.start()
    try:
        yield traffic
    finally:
        traffic.finish(patience=120)


def _drain(valkey_port: int) -> None:
    """Until what was accepted is stored."""
    server = redis.Redis(port=valkey_port)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.xlen(STREAM):
        time.sleep(0.2)


def _wait_for_work() -> None:
    """Until some jobs run, or none is left to run."""
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < deadline:
        left = Job.objects.unfinished().count()
        running = Job.objects.filter(status=Job.Status.RUNNING, lease_expires_at__gt=timezone.now()).count()
        if running >= min(left, BUSY_WORKERS):
            return
        time.sleep(0.1)


def _wait_for_the_end(patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and Job.objects.unfinished().exists():
        time.sleep(0.5)
