"""``manage.py consume_events``: the process that writes accepted events to the database."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

import redis
import structlog
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, connection

from recommend.services.event_stream import Consumer

log = structlog.get_logger(__name__)
PAUSE_AFTER_FAULT_SECONDS = 2


class Command(BaseCommand):
    help = "Write accepted events to the database. Runs until it is stopped; several may run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="store what waits and end")

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        if not options["once"]:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopping.set())
        consumer = Consumer()
        ready = False
        while not stopping.is_set():
            try:
                if not ready:
                    consumer.prepare()
                    ready = True
                done = consumer.consume(wait_ms=10 if options["once"] else 1000)
            except redis.ResponseError:
                ready = False  # the broker was flushed, and the group with it
                continue
            except (redis.RedisError, DatabaseError, InterfaceError) as error:
                log.warning("events.consumer_waits", error=str(error))
                connection.close()
                stopping.wait(PAUSE_AFTER_FAULT_SECONDS)
                continue
            if options["once"] and not done:
                return
