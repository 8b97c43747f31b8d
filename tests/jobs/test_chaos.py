"""A short storm of real faults; ``manage.py chaos --jobs 300 --controls`` is the long one."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from stylerec_site.processes import BASE_DIR


@pytest.mark.worker
def test_nothing_is_lost_or_doubled_in_a_short_storm():
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, "manage.py", "chaos", "--seconds", "6", "--jobs", "12", "--seed", "2"]
    done = subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"(\w+)=(\d+)", done.stdout.splitlines()[-1]))
    assert counts["jobs"] == counts["succeeded"] == "12"
    assert counts["effects"] == "60"
    assert {counts[name] for name in ("lost", "effects_missing", "effects_doubled", "succeeded_twice")} == {"0"}
