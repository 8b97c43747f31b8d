"""Acknowledged is stored, exactly once: through killed consumers and a killed Valkey, with real processes."""

from __future__ import annotations

import signal
import uuid

import pytest
import redis
from django.db import IntegrityError

from recommend.models import Interaction
from recommend.services import event_stream, events, shoppers
from stylerec_site.processes import Processes, free_port
from tests.recommend.shops import event, open_shop

BATCHES, SIZE, PEOPLE = 150, 100, 10


@pytest.fixture
def shop(transactional_db):
    shop = open_shop(products=4)
    for person in range(PEOPLE):  # enough of them that nobody looks like a robot
        shoppers.grant_consent(merchant=shop.merchant, visitor_id=f"customer-{person}")
    return shop


def send(shop, batches: int) -> set[uuid.UUID]:
    """Batches that were acknowledged; the ids of their events."""
    products, ids = shop.products(), set()
    for batch in range(batches):
        of_batch = [event(products[n % 4], shopper=f"customer-{batch % PEOPLE}") for n in range(SIZE)]
        taken, refused = events.parse_batch({"events": of_batch})
        assert not refused
        assert event_stream.append(merchant=shop.merchant, events=taken) == "queued"
        ids |= {one.id for one in taken}
    return ids


def stored() -> list[uuid.UUID]:
    return list(Interaction.objects.values_list("event_id", flat=True))


@pytest.mark.worker
def test_a_consumer_killed_in_the_middle_loses_nothing_and_another_takes_over(shop, stream, processes, wait_until):
    processes.environment = {**processes.environment, "STYLEREC_EVENTS_TAKE_OVER": "1"}
    ids = send(shop, BATCHES)
    processes.start_event_consumer()
    wait_until(lambda: Interaction.objects.exists(), what="the first stored batch")
    processes.end("events", signal.SIGKILL)
    held = stream.xpending(event_stream.STREAM, event_stream.GROUP)["pending"]
    done = len(stored())
    assert held, "it died with batches in its hands"
    assert done < len(ids)

    processes.start_event_consumer()
    wait_until(lambda: stream.xlen(event_stream.STREAM) == 0, seconds=60, what="an empty stream")

    assert sorted(stored()) == sorted(ids)


def test_a_consumer_that_dies_between_storing_and_acknowledging_stores_nothing_twice(
    shop, stream, settings, monkeypatch
):
    settings.EVENTS_TAKE_OVER_SECONDS = 0
    ids = send(shop, 3)
    first = event_stream.Consumer()
    first.prepare()
    monkeypatch.setattr(first, "_connection", _NeverAcknowledges(first._connection))
    with pytest.raises(ConnectionResetError):
        first.consume(wait_ms=1)
    assert len(stored()) == 3 * SIZE, "stored, and nobody knows"

    second = event_stream.Consumer()
    second._name = "another"
    while second.consume(wait_ms=1):
        pass

    assert sorted(stored()) == sorted(ids)
    assert stream.xlen(event_stream.STREAM) == 0


class _NeverAcknowledges:
    """A connection that breaks at the acknowledgement."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection

    def __getattr__(self, name: str):
        return getattr(self._connection, name)

    def pipeline(self, **_):
        raise ConnectionResetError


def test_what_was_acknowledged_outlives_a_killed_valkey(shop, settings, tmp_path, monkeypatch):
    port = free_port(7300)
    settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
    monkeypatch.setattr(event_stream, "_client", None)
    with Processes(log_directory=tmp_path / "logs") as servers:
        servers.start_valkey(port=port, directory=tmp_path / "valkey")
        ids = send(shop, 20)
        servers.end("valkey", signal.SIGKILL)
        servers.start_valkey(port=port, directory=tmp_path / "valkey")
        monkeypatch.setattr(event_stream, "_client", None)
        consumer = event_stream.Consumer()
        consumer.prepare()
        while consumer.consume(wait_ms=1):
            pass

    assert sorted(stored()) == sorted(ids)


def test_of_many_batches_only_the_one_that_the_database_refuses_is_put_aside(shop, stream, monkeypatch):
    ids = send(shop, 3)
    bad = min(ids)
    really = event_stream.store_events

    def refuse(*, events, **rest):
        if any(one.id == bad for one in events):
            raise IntegrityError
        return really(events=events, **rest)

    monkeypatch.setattr(event_stream, "store_events", refuse)
    consumer = event_stream.Consumer()
    consumer.prepare()
    while consumer.consume(wait_ms=1):
        pass

    assert len(stored()) == 2 * SIZE
    assert stream.xlen(event_stream.UNSTORABLE) == 1
    assert stream.xlen(event_stream.STREAM) == 0
