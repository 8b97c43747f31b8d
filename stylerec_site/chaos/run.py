"""One storm: N jobs, S seconds of faults, time to recover, and the verdict."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from jobs.models import Job
from jobs.services import enqueue
from stylerec_site.chaos.faults import Faults
from stylerec_site.chaos.handlers import FENCED, STEP_SECONDS, STEPS, UNFENCED
from stylerec_site.chaos.verdict import Verdict, verdict
from stylerec_site.processes import Processes

SECONDS_BETWEEN_FAULTS = 1.0
#: How long a worker may take to start on a busy machine.
LONGEST_START_SECONDS = 60.0


def storm(*, jobs: int, seconds: float, seed: int, with_sweeper: bool, with_fence: bool) -> tuple[Verdict, Faults]:
    """Run jobs under faults on the site that the environment describes; the verdict, and what was done to it."""
    call_command("migrate", verbosity=0)
    directory = Path(settings.DATA_ROOT)
    dice = random.Random(seed)
    with Processes(log_directory=directory / "logs") as processes:
        port = int(os.environ["STYLEREC_CHAOS_PORT"])
        faults = Faults(processes, port, directory, dice, with_sweeper)
        faults.start_all()
        kind = FENCED if with_fence else UNFENCED
        for _ in range(jobs):
            enqueue(Job(kind=kind, queue=dice.choice(["gpu", "default", "events"])))
        _wait_for_work()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(dice.uniform(0.2, 2 * SECONDS_BETWEEN_FAULTS))
            # Workers that are still starting have nothing to lose: a fault counts where it meets work.
            _wait_for_work()
            faults.strike()
        # Without a sweeper nothing comes back, so there is no use in waiting as long.
        patience = 60 + jobs * STEPS * STEP_SECONDS if with_sweeper else 15 + jobs * STEPS * STEP_SECONDS / 2
        _wait_for_the_end(patience)
    return verdict(), faults


def _wait_for_work() -> None:
    """Until a job runs, or none is left to run."""
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < deadline and Job.objects.unfinished().exists():
        if Job.objects.filter(status=Job.Status.RUNNING, lease_expires_at__gt=timezone.now()).exists():
            return
        time.sleep(0.1)


def _wait_for_the_end(patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and Job.objects.unfinished().exists():
        time.sleep(0.5)
