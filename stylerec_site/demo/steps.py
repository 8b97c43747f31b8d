"""How the demo talks: one line a step, a moving line while it works, an error where a step did not really happen."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobs.errors import UserError

if TYPE_CHECKING:
    from jobs.models import Job
    from stylerec_site.processes import Processes


class DemoFailed(RuntimeError):
    """A step did not really happen; the message says which one and what to look at."""


def say(text: str) -> None:
    """One line on the terminal."""
    print(text, flush=True)


def show(text: str) -> None:
    """The moving line: rewritten in place on a terminal, left out elsewhere."""
    if sys.stdout.isatty():
        print(f"\r\033[K  {text[:110]}", end="", flush=True)


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """A step of the main job: its title, what came out of it (the yielded function), and how long it took."""
    began = time.monotonic()
    outcome: list[str] = []
    say(f"• {title} …")
    try:
        yield outcome.append
    except UserError as error:
        raise DemoFailed(f"{title}: {error}") from error
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    say(f"  {'; '.join(outcome) or 'done'} ({time.monotonic() - began:.1f} s)")


def require(condition: object, what: str) -> None:
    """Fail the demo unless ``condition`` holds."""
    if not condition:
        raise DemoFailed(what)


def wait_for_jobs(*jobs: Job, processes: Processes, minutes: float) -> None:
    """Watch jobs to their end, with their progress on the terminal; fail where one did not succeed."""
    deadline = time.monotonic() + minutes * 60
    said = 0.0
    while True:
        for job in jobs:
            job.refresh_from_db()
        line = "   ".join(
            f"{job.fraction:4.0%} {job.progress_message or job.get_status_display()}"
            for job in jobs
            if not job.is_finished
        )
        show(line)
        if not sys.stdout.isatty() and time.monotonic() - said > 20 and line:
            said = time.monotonic()
            say(f"  {line}")
        if all(job.is_finished for job in jobs):
            break
        processes.check()
        require(time.monotonic() < deadline, f"{jobs[0]} did not end within {minutes:g} minutes; see the worker's log.")
        time.sleep(0.5)
    for job in jobs:
        require(
            job.status == job.Status.SUCCEEDED,
            f"{job} ended as “{job.get_status_display()}”: {job.error_message} {job.error_hint}",
        )


def wait_for(condition: Callable[[], object], *, processes: Processes, seconds: float) -> None:
    """Wait until something is true, with a deadline, and with an eye on the processes."""
    deadline = time.monotonic() + seconds
    while not condition():
        processes.check()
        require(time.monotonic() < deadline, f"Nothing came within {seconds:g} s; see the logs.")
        time.sleep(0.2)
