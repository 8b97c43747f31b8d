"""Events per second: our endpoint against a plain DRF ``many=True`` view, through the same middleware and token.

``python -m benchmarks.ingest --json``. Ratios are *our events per second / the plain view's*, so large is good:
``batch_1``, ``batch_50`` and ``batch_200`` events in a request. Ours is durable when it answers (an append to a real
Valkey with its append-only file on); the plain view's rows are in the SQLite database, in one transaction per request.
The details also say what the consumer stores per second, and ``ratio_stored``: accepting *and* storing, in one process.
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.machine import report
from benchmarks.site import Requests, in_turn, own_site, seconds

BATCHES = (1, 50, 200)
PEOPLE, PRODUCTS = 400, 500


def measure(*, rounds: int) -> dict[str, Any]:
    """Figures per batch size, on a shop with some hundred products and people who agreed."""
    from django.contrib.auth import get_user_model

    from catalog.models import Product
    from catalog.services.merchants import open_shop
    from catalog.tokens import create_token
    from recommend.services import event_stream, shoppers

    owner = get_user_model().objects.create_user("owner")
    merchant = open_shop(name="Benchmark", slug="benchmark", owner=owner)
    Product.objects.bulk_create(
        Product(merchant=merchant, sku=f"P{n:04d}", name=f"Product {n}", price=10) for n in range(PRODUCTS)
    )
    people = [shoppers.grant_consent(merchant=merchant, visitor_id=f"person-{n}") for n in range(PEOPLE)]
    _token, secret = create_token(merchant=merchant, user=owner, name="benchmark", scope="events")
    send = Requests({"Authorization": f"Token {secret}"})
    consumer = event_stream.Consumer()
    consumer.prepare()
    figures: dict[str, Any] = {}
    for size in BATCHES:
        turns = max(20, rounds // max(1, size // 10))
        contenders = {
            "ours": _sender(send, "/api/v1/events/", partial(_ours, size), turns),
            "plain": _sender(send, "/plain/events/", partial(_plain, size, [p.pseudonym for p in people]), turns),
        }
        took = in_turn(contenders, rounds=turns)
        waiting = event_stream.connection().xlen(event_stream.STREAM)
        storing = seconds(lambda: _drain(consumer)) / waiting
        figures[f"batch_{size}"] = {
            "ours_events_per_s": round(size / took["ours"]),
            "plain_events_per_s": round(size / took["plain"]),
            "consumer_events_per_s": round(size / storing),
            "ratio": round(took["plain"] / took["ours"], 2),
            "ratio_stored": round(took["plain"] / (took["ours"] + storing), 2),
        }
    return figures


def _drain(consumer: Any) -> None:
    while consumer.consume(wait_ms=1):
        pass


def _sender(send: Requests, path: str, make: Callable[[int], Any], turns: int) -> Callable[[], None]:
    """Sends the next body at each call; the bodies are made before the clock runs."""
    bodies = iter([json.dumps(make(turn)).encode() for turn in range(turns + 1)])

    def send_next() -> None:
        status, content = send(path, body=next(bodies))
        if status[0] != "2":
            raise RuntimeError(f"{path}: {status} {content[:300]!r}")

    return send_next


def _ours(size: int, turn: int) -> dict[str, Any]:
    return {"events": [{**_fields(turn, n), "id": str(uuid.uuid4()), "shopper": _person(turn, n)} for n in range(size)]}


def _plain(size: int, pseudonyms: list[str], turn: int) -> list[dict[str, Any]]:
    return [
        {**_fields(turn, n), "event_id": str(uuid.uuid4()), "shopper": pseudonyms[(turn + n) % PEOPLE]}
        for n in range(size)
    ]


def _fields(turn: int, n: int) -> dict[str, Any]:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600 - n))
    sku = f"P{(turn * 7 + n) % PRODUCTS:04d}"
    return {"product": sku, "kind": "click", "slot": "home", "position": n % 8, "occurred_at": moment}


def _person(turn: int, n: int) -> str:
    return f"person-{(turn + n) % PEOPLE}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="end with the one-line record")
    parser.add_argument("--rounds", type=int, default=200, help="requests of one event; fewer of the larger ones")
    options = parser.parse_args()
    with own_site():
        figures = measure(rounds=options.rounds)
    report(
        benchmark="ingest",
        ratios={name: figure["ratio"] for name, figure in figures.items()},
        details={
            "meaning": "ratio = our events per second / a plain DRF many=True view's; large is good",
            "database": "SQLite, WAL; the plain view saves in one transaction per request",
            **figures,
        },
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
