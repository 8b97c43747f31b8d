"""``manage.py chaos``: kill, freeze, flush and double everything, and prove from the database that nothing was lost.

Everything runs in a scratch folder with a database, a Valkey and workers of its own; your data is not touched. Exit 0
only when nothing was lost or doubled. ``--controls`` runs the same storm without the sweeper and without the fence, and
fails unless the first loses and the second doubles: a proof that cannot fail proves nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from stylerec_site.processes import BASE_DIR, free_port

_INSIDE = "STYLEREC_CHAOS_PORT"


class Command(BaseCommand):
    help = "Run jobs under real faults and prove from the database that none was lost or done twice."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=60, help="how long faults are made")
        parser.add_argument("--jobs", type=int, default=60)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--controls", action="store_true", help="also show that the proof can fail")
        parser.add_argument("--without", choices=["sweeper", "fence"], help="run a negative control alone")

    def handle(self, *args: Any, **options: Any) -> None:
        if _INSIDE in os.environ:
            self._inside(options)
            return
        storms = [options["without"]] + (["sweeper", "fence"] if options["controls"] else [])
        failures = [text for text in (self._storm(options, without) for without in storms) if text]
        if failures:
            raise CommandError("; ".join(failures))

    def _storm(self, options: dict[str, Any], without: str | None) -> str:
        """Run one storm in a process whose settings point to a scratch folder; what was not as it should be."""
        command = [sys.executable, "manage.py", "chaos", "--seconds", str(options["seconds"])]
        command += ["--jobs", str(options["jobs"]), "--seed", str(options["seed"])]
        command += ["--without", without] if without else []
        with tempfile.TemporaryDirectory(prefix="stylerec-chaos-") as scratch:
            port = free_port(6450)
            environment = {
                **{key: value for key, value in os.environ.items() if key != "DATABASE_URL"},
                "STYLEREC_DATA": scratch,
                "STYLEREC_MEDIA": str(Path(scratch) / "media"),
                "REDIS_URL": f"redis://127.0.0.1:{port}/0",
                "STYLEREC_JOB_LEASE": "3",
                "STYLEREC_JOB_HEARTBEAT": "1",
                "STYLEREC_JOB_SWEEP": "1",
                "STYLEREC_LOG_LEVEL": "WARNING",
                _INSIDE: str(port),
            }
            finished = subprocess.run(
                command, cwd=BASE_DIR, env=environment, check=False, stdout=subprocess.PIPE, text=True
            )
        self.stdout.write(finished.stdout.rstrip())
        clean = finished.returncode == 0
        if without is None:
            return "" if clean else "jobs were lost or doubled"
        return f"the control without the {without} did not lose or double anything" if clean else ""

    def _inside(self, options: dict[str, Any]) -> None:
        from stylerec_site.chaos.run import storm

        without = options["without"]
        found, faults = storm(
            jobs=options["jobs"],
            seconds=options["seconds"],
            seed=options["seed"],
            with_sweeper=without != "sweeper",
            with_fence=without != "fence",
        )
        name = f"without {without}" if without else "all guards on"
        struck = ", ".join(f"{fault} {count}" for fault, count in sorted(faults.counts.items()))
        self.stdout.write(f"faults: {sum(faults.counts.values())} ({struck})")
        self.stdout.write(f"{name}: {found} → {'clean' if found.is_clean else 'NOT CLEAN'}")
        # A control shows something only where it breaks in its own way, after work was done.
        broken = {
            None: not found.is_clean,
            "sweeper": found.lost > 0 and found.attempts > 0,
            "fence": found.effects_doubled + found.succeeded_twice > 0,
        }
        if broken[without]:
            sys.exit(1)
