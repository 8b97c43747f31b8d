"""``manage.py chaos``: kill, freeze, flush, fill and double everything, and prove that nothing was lost.

Everything runs in a scratch folder with a database, a Valkey, workers and a web server of its own; your data is not
touched. Exit 0 only when nothing was lost, doubled or left half done. ``--controls`` first runs the storm without the
sweeper and without the fence, and fails unless the one loses and the other doubles: a proof that cannot fail proves
nothing. A control ends as soon as it has failed. ``--database postgres`` restarts a real PostgreSQL, too.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from stylerec_site.chaos.postgres import NoPostgres, own_postgres
from stylerec_site.processes import BASE_DIR, free_port

_INSIDE = "STYLEREC_CHAOS_PORT"


class Command(BaseCommand):
    help = "Run jobs under real faults and prove from the database that none was lost or done twice."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=60, help="how long faults are made")
        parser.add_argument("--jobs", type=int, default=60)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
        parser.add_argument("--controls", action="store_true", help="first show that the proof can fail")
        parser.add_argument("--without", choices=["sweeper", "fence"], help="run a negative control alone")

    def handle(self, *args: Any, **options: Any) -> None:
        if _INSIDE in os.environ:
            self._inside(options)
            return
        # The storm comes last: the last line is its verdict.
        storms = (["sweeper", "fence"] if options["controls"] else []) + [options["without"]]
        failures = [text for text in (self._storm(options, without) for without in storms) if text]
        if failures:
            raise CommandError("; ".join(failures))

    def _storm(self, options: dict[str, Any], without: str | None) -> str:
        """Run one storm in a process whose settings point to a scratch folder; what was not as it should be."""
        command = [sys.executable, "manage.py", "chaos", "--seconds", str(options["seconds"])]
        command += ["--jobs", str(options["jobs"]), "--seed", str(options["seed"])]
        command += ["--without", without] if without else []
        with (
            tempfile.TemporaryDirectory(prefix="stylerec-chaos-") as scratch,
            _database(options["database"], Path(scratch)) as database,
        ):
            port = free_port(6450)
            environment = {
                **{key: value for key, value in os.environ.items() if key != "DATABASE_URL"},
                **database,
                "STYLEREC_DATA": scratch,
                "STYLEREC_MEDIA": str(Path(scratch) / "media"),
                "REDIS_URL": f"redis://127.0.0.1:{port}/0",
                "STYLEREC_JOB_LEASE": "3",
                "STYLEREC_JOB_HEARTBEAT": "1",
                "STYLEREC_JOB_SWEEP": "1",
                "STYLEREC_EVENTS_TAKE_OVER": "2",
                "STYLEREC_LOG_LEVEL": "WARNING",
                _INSIDE: str(port),
            }
            with subprocess.Popen(command, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for line in process.stdout:  # as it comes: a storm takes minutes
                    self.stdout.write(line.rstrip())
                    self.stdout.flush()
        clean = process.returncode == 0
        if without is None:
            return "" if clean else "something was lost, doubled or left half done"
        return f"the control without the {without} did not lose or double anything" if clean else ""

    def _inside(self, options: dict[str, Any]) -> None:
        from stylerec_site.chaos.run import Storm, run

        without = options["without"]
        name = f"without {without}" if without else "all guards on"
        self._say(f"{name}: {options['jobs']} jobs, up to {options['seconds']:g} s, seed {options['seed']}")
        storm = Storm(options["jobs"], options["seconds"], options["seed"], without)
        found, faults, traffic = run(storm, say=self._say)
        if traffic is not None:
            self._say(f"answers: {dict(sorted(traffic.statuses.items()))}")
            for line in traffic.unclean[:10]:
                self._say(f"not clean: {line}")
        struck = ", ".join(f"{fault} {count}" for fault, count in sorted(faults.counts.items()))
        if faults.disk is None and without is None:
            self._say("no full disk: a small one could not be mounted here (that takes Linux, and root)")
        self._say(f"faults: {sum(faults.counts.values())} ({struck})")
        self._say(f"{name}: {found} → {'clean' if found.is_clean else 'NOT CLEAN'}")
        # A control shows something only where it breaks in its own way, after work was done.
        broken = {
            None: not found.is_clean,
            "sweeper": found.lost > 0 and found.attempts > 0,
            "fence": found.effects_doubled + found.succeeded_twice > 0,
        }
        if broken[without]:
            sys.exit(1)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextlib.contextmanager
def _database(kind: str, scratch: Path) -> Iterator[dict[str, str]]:
    """The environment of the storm's database."""
    if kind == "sqlite":
        yield {}
        return
    try:
        with own_postgres(scratch / "postgres") as url:
            yield {"DATABASE_URL": url, "STYLEREC_CHAOS_POSTGRES": str(scratch / "postgres")}
    except NoPostgres as error:
        raise CommandError(str(error)) from error
