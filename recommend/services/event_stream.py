"""The durable way of an event: one append to a Valkey stream, answered at once, written to the database by a consumer.

An accepted batch is lost only with the append-only file. The consumer acknowledges after its commit and the rows carry
the clients' ids, so a batch that is read twice is stored once. A full stream refuses (503); nothing is trimmed.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

import redis
import structlog
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.models import Merchant
from jobs.errors import UserError
from recommend.services import shoppers
from recommend.services.events import Event, parse_batch, store_events

log = structlog.get_logger(__name__)

STREAM, GROUP = "stylerec:events", "writers"
#: Batches that may wait; at 1,000 events each this is far more than a consumer falls behind in an hour.
MOST_WAITING = 50_000
BATCHES_PER_READ = 50
#: A batch that a consumer has held for so long is taken over by another.
TAKE_OVER_AFTER_MS = 30_000


class StreamFull(UserError):
    """The consumer is far behind; the client keeps its events and tries later."""

    status_code = 503


_client: redis.Redis | None = None


def connection() -> redis.Redis:
    """This process's connection pool."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2)
    return _client


def append(*, merchant: Merchant, events: Sequence[Event]) -> str:
    """Take a batch: durably into the stream, or straight into the database where there is no broker.

    Returns ``queued`` or ``stored``. Raises ``StreamFull``.
    """
    entry = {"merchant": merchant.pk, "events": json.dumps([asdict(event) for event in events], default=str)}
    try:
        pipe = connection().pipeline(transaction=False)
        pipe.xlen(STREAM)
        waiting = pipe.execute()[0]
        if waiting >= MOST_WAITING:
            raise StreamFull(
                "events-backed-up",
                _("Events wait to be stored, and there is no room for more."),
                _("Keep them and send them again in a minute; their ids make that safe."),
            )
        connection().xadd(STREAM, cast(dict[Any, Any], entry))
    except redis.RedisError as error:
        log.warning("events.no_broker", error=str(error))
        store(merchant=merchant, events=events)
        return "stored"
    return "queued"


def store(*, merchant: Merchant, events: Sequence[Event]) -> int:
    """Write a batch to the database."""
    known = shoppers.find_many(merchant=merchant, visitor_ids={event.shopper for event in events})
    return store_events(merchant=merchant, events=events, shoppers=known)


class Consumer:
    """Reads the stream as one of a group; several may run."""

    def __init__(self) -> None:
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._connection = connection()

    def prepare(self) -> None:
        """Make the group; one that exists is used."""
        try:
            self._connection.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def consume(self, *, wait_ms: int = 1000) -> int:
        """Store what waits (and what a dead consumer left behind); how many batches were done."""
        taken = cast(Any, self._connection.xautoclaim)(
            STREAM, GROUP, self._name, TAKE_OVER_AFTER_MS, count=BATCHES_PER_READ
        )[1]
        if not taken:
            read = cast(Any, self._connection.xreadgroup)(
                GROUP, self._name, {STREAM: ">"}, count=BATCHES_PER_READ, block=wait_ms
            )
            taken = read[0][1] if read else []
        for entry_id, fields in taken:
            self._store(fields)
            self._connection.xack(STREAM, GROUP, entry_id)
            self._connection.xdel(STREAM, entry_id)
        return len(taken)

    def _store(self, fields: dict[bytes, bytes]) -> None:
        merchant = Merchant.objects.filter(pk=int(fields[b"merchant"])).first()
        if merchant is None:
            return  # closed and deleted since: there is nothing left to write to
        events, _refused = parse_batch({"events": json.loads(fields[b"events"])})
        store(merchant=merchant, events=events)
