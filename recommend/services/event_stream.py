"""The durable way of an event: one append to a Valkey stream, answered at once, written to the database by a consumer.

An accepted batch is lost only with the append-only file. The consumer acknowledges after its commit and the rows carry
the clients' ids, so a batch that is read twice is stored once. A full stream refuses (503); nothing is trimmed. Batches
wait encrypted: the clients' own ids of people never lie readable outside the database, and in it only as pseudonyms.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import redis
import structlog
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import DataError, IntegrityError
from django.utils.translation import gettext_lazy as _

from catalog.models import Merchant
from jobs.errors import UserError
from recommend.pseudonyms import cover, uncover
from recommend.services import shoppers
from recommend.services.events import Event, store_events

log = structlog.get_logger(__name__)

STREAM, GROUP = "stylerec:events", "writers"
#: Batches that can never be stored are kept here for a person to look at.
UNSTORABLE = "stylerec:events:unstorable"
#: Batches that may wait; at 1,000 events each this is far more than a consumer falls behind in an hour.
MOST_WAITING = 50_000
BATCHES_PER_READ = 50
#: A product may be deleted between the look-up and the insert; the next look-up no longer finds it.
ATTEMPTS = 3
EVENTS_PER_INSERT = 1_000
#: (id, fields) as the stream gives it.
Entry = tuple[bytes, dict[bytes, bytes]]
#: Append unless the stream is full: one round trip, and never one too many.
_APPEND = """
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return false end
return redis.call('XADD', KEYS[1], '*', 'merchant', ARGV[2], 'events', ARGV[3])
"""


class StreamFull(UserError):
    """The consumer is far behind; the client keeps its events and tries later."""

    status_code = 503
    retry_after = 60


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
    try:
        taken = connection().eval(_APPEND, 1, STREAM, str(MOST_WAITING), str(merchant.pk), pack(events))  # type: ignore[no-untyped-call]
    except redis.RedisError as error:
        log.warning("events.no_broker", error=str(error))
        store(merchant=merchant, events=events)
        return "stored"
    if not taken:
        raise StreamFull(
            "events-backed-up",
            _("Events wait to be stored, and there is no room for more."),
            _("Keep them and send them again in a minute; their ids make that safe."),
        )
    return "queued"


def store(*, merchant: Merchant, events: Sequence[Event]) -> int:
    """Write a batch to the database."""
    known = shoppers.find_many(merchant=merchant, visitor_ids={event.shopper for event in events})
    return store_events(merchant=merchant, events=events, shoppers=known)


def pack(events: Sequence[Event]) -> bytes:
    """Validated events as they wait in the stream: fields in order, encrypted."""
    rows = [
        (
            event.id.hex,
            event.shopper,
            event.product,
            event.kind,
            event.value,
            event.rendering,
            event.slot,
            event.slate.hex if event.slate else None,
            event.position,
            event.occurred_at.timestamp(),
        )
        for event in events
    ]
    return cover(json.dumps(rows, separators=(",", ":")).encode())


def unpack(packed: bytes) -> list[Event]:
    """The events that `pack` was given."""
    return [
        Event(
            id=uuid.UUID(hex=identity),
            shopper=shopper,
            product=product,
            kind=kind,
            value=value,
            rendering=rendering,
            slot=slot,
            slate=uuid.UUID(hex=slate) if slate else None,
            position=position,
            occurred_at=datetime.fromtimestamp(seconds, tz=UTC),
        )
        for identity, shopper, product, kind, value, rendering, slot, slate, position, seconds in json.loads(
            uncover(packed)
        )
    ]


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
            STREAM, GROUP, self._name, settings.EVENTS_TAKE_OVER_SECONDS * 1000, count=BATCHES_PER_READ
        )[1]
        if not taken:
            read = cast(Any, self._connection.xreadgroup)(
                GROUP, self._name, {STREAM: ">"}, count=BATCHES_PER_READ, block=wait_ms
            )
            taken = read[0][1] if read else []
        self._store(taken)
        return len(taken)

    def _store(self, entries: Sequence[Entry]) -> None:
        """Read batches into the database; one that can never be stored is put aside, so that the others go on."""
        of_merchant: dict[int, list[tuple[Entry, list[Event]]]] = {}
        for entry in entries:
            try:
                batch = int(entry[1][b"merchant"]), unpack(entry[1][b"events"])
            except (InvalidToken, KeyError, ValueError, TypeError, IndexError) as error:
                self._put_aside(entry, error)
            else:
                of_merchant.setdefault(batch[0], []).append((entry, batch[1]))
        for merchant_id, batches in of_merchant.items():
            for together in _chunks(batches):
                self._store_of(merchant_id, together)

    def _store_of(self, merchant_id: int, batches: Sequence[tuple[Entry, list[Event]]]) -> None:
        """Batches of one shop at once; where the database refuses, one by one, so that only the faulty one is put aside."""
        merchant = Merchant.objects.filter(pk=merchant_id).first()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if merchant is not None:  # closed and deleted since: there is nothing left to write to
                    store(merchant=merchant, events=[event for _entry, events in batches for event in events])
            except (IntegrityError, DataError) as error:
                if attempt < ATTEMPTS:
                    continue
                if len(batches) == 1:
                    self._put_aside(batches[0][0], error)
                    return
                for batch in batches:
                    self._store_of(merchant_id, [batch])
                return
            else:
                self._done([entry_id for (entry_id, _fields), _events in batches])
                return

    def _put_aside(self, entry: Entry, fault: Exception) -> None:
        entry_id, fields = entry
        log.error("events.unstorable", entry=entry_id.decode(), error=type(fault).__name__)
        self._connection.xadd(UNSTORABLE, cast(dict[Any, Any], fields))
        self._done([entry_id])

    def _done(self, entry_ids: Sequence[bytes]) -> None:
        """Acknowledge and delete in one step: an entry that is only acknowledged would take up room for ever."""
        with self._connection.pipeline(transaction=True) as pipeline:
            pipeline.xack(STREAM, GROUP, *entry_ids)
            pipeline.xdel(STREAM, *entry_ids)
            pipeline.execute()


def _chunks(batches: Sequence[tuple[Entry, list[Event]]]) -> Iterator[list[tuple[Entry, list[Event]]]]:
    """Batches in order, together about as many events as one insert likes."""
    chunk: list[tuple[Entry, list[Event]]] = []
    for batch in batches:
        chunk.append(batch)
        if sum(len(events) for _entry, events in chunk) >= EVENTS_PER_INSERT:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
