"""``manage.py sweep_jobs``: the process that brings lost jobs back. Run one; more do no harm."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from jobs.sweeping import sweep

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Ring again for jobs whose message or worker was lost. Runs until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="sweep once and end")

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        while not stopping.is_set():
            try:
                sweep()
            except Exception:
                log.exception("jobs.sweep_failed")
            finally:
                connection.close()
            if options["once"]:
                return
            stopping.wait(settings.JOBS_SWEEP_SECONDS)
