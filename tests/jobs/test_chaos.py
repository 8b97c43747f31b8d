"""Short storms of real faults; ``manage.py chaos --jobs 300 --seconds 90 --controls`` is the long one."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from stylerec_site.processes import BASE_DIR

BROKEN = ("lost", "given_up", "effects_missing", "effects_doubled", "effects_half", "succeeded_twice", "others_lost",
          "unclean", "events_missing", "pictures_missing", "pictures_half")  # fmt: skip


def chaos(*arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, int]]:
    """Run the command; how it ended, and the counts of its last line."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, "manage.py", "chaos", *arguments]
    done = subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=240)
    lines = done.stdout.splitlines() or [""]
    return done, {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", lines[-1])}


@pytest.mark.worker
def test_nothing_is_lost_or_doubled_in_a_short_storm():
    done, counts = chaos("--seconds", "6", "--jobs", "12", "--seed", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert counts["jobs"] == counts["succeeded"] == 12
    assert counts["effects"] == 60
    assert counts["events"] >= 10
    assert {counts[name] for name in BROKEN} == {0}


@pytest.mark.postgres
def test_nothing_is_lost_when_postgresql_crashes_and_restarts_under_requests_jobs_and_events():
    """A real server, stopped (immediately, and in order) and started while a shop is being used."""
    done, counts = chaos("--database", "postgres", "--seconds", "8", "--jobs", "40", "--seed", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "crash_database 1" in done.stdout
    assert "restart_database 1" in done.stdout
    assert counts["refused"] > 0, "no request noticed"
    assert counts["interrupted"] > 0, "no job noticed"
    assert {counts[name] for name in BROKEN} == {0}


@pytest.mark.worker
def test_without_the_fence_effects_double_and_the_control_says_so():
    done, counts = chaos("--without", "fence", "--seconds", "20", "--jobs", "30", "--seed", "1")
    assert done.returncode == 0, "a control that did not fail would be the failure"
    assert counts["effects_doubled"] > 0
