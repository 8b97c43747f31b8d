"""CPU per request of what shoppers and other shops ask for, as a multiple of a bare JSON view.

``python -m benchmarks.storefront --json``. Ratios are *CPU time of ours / CPU time of the bare view*, through the same
middleware in the same process, taking turns; small is good: ``recommendations`` (the API, 12 products for a shopper with
a history), ``home`` (the personal home page), ``product`` (a product page, whose view is stored, so that the next
requests meet a changed history), ``category`` (its first page, what suits the shopper first) and ``search``. Of five
requests in a row the first meets the changed history, and the others profit from what it worked out;
``recommendations_after_click`` and ``home_after_click`` are that first one alone, each after a view of another product.
The shop has a recommender fitted on drawn events, and every product has a picture with two published renderings; every
shelf is kept as a slate, as in a real shop.

The database is SQLite in this process, so that its work counts; queries are counted too. ``--database postgres`` starts a
PostgreSQL: then CPU time is the web process's alone, and ``elapsed_ms`` says what a visitor waits. ``--products 100000
--events 1000000`` shows what the size of a shop costs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

from benchmarks.machine import report
from benchmarks.site import Requests, in_turn, own_site, seconds

#: Requests between two looks at the clock, which ticks coarsely.
AT_ONCE = 5
#: What is searched for: a word of every product, and one that few have.
WORDS = "product 17"
#: Products that are viewed in turn before a request after a click.
MOST_VIEWED = 500


def measure(*, products: int, people: int, events: int, rounds: int, words: str = WORDS) -> dict[str, Any]:
    """Milliseconds of CPU and elapsed per request, and queries, of each contender."""
    from django.conf import settings
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from benchmarks.shop import open_benchmark_shop
    from catalog.models import Merchant, Product
    from recommend import serving
    from recommend.consent import CONSENT_COOKIE, GRANTED
    from recommend.services import catalogue

    began = time.perf_counter()
    shop = open_benchmark_shop(products=products, people=people, events=events)
    made = time.perf_counter() - began
    cookies = f"{CONSENT_COOKIE}={GRANTED}:{settings.CONSENT_TEXT_VERSION}; {settings.SHOPPER_COOKIE}={shop.visitor_id}"
    browser, client = Requests({"Cookie": cookies}), Requests({"Authorization": f"Token {shop.secret}"})
    contenders = {
        "bare": (browser, "/plain/json/", ""),
        "recommendations": (client, "/api/v1/recommendations/", f"shopper={shop.visitor_id}"),
        "home": (browser, f"/s/{shop.slug}/", ""),
        "product": (browser, f"/s/{shop.slug}/p/{shop.product_id}/", ""),
        "category": (browser, f"/s/{shop.slug}/c/{shop.category}/", ""),
        "search": (browser, f"/s/{shop.slug}/search/", urlencode({"q": words})),
    }

    def ask(name: str) -> bytes:
        send, path, query = contenders[name]
        status, content = send(path, query=query)
        if not status.startswith("200"):
            raise RuntimeError(f"{path}: {status} {content[:300]!r}")
        return content

    def ask_often(name: str) -> None:
        for _ in range(AT_ONCE):
            ask(name)

    ids = Product.objects.order_by("pk").values_list("pk", flat=True)[:MOST_VIEWED]
    views = cycle([f"/s/{shop.slug}/p/{pk}/" for pk in ids])

    def after_a_view(name: str) -> float:
        browser(next(views))
        return seconds(lambda: ask(name), clock=time.process_time)

    turns = {name: lambda name=name: ask_often(name) for name in contenders}  # type: ignore[misc]
    cpu = in_turn(turns, rounds=rounds, clock=time.process_time)
    elapsed = in_turn(turns, rounds=max(3, rounds // 4), clock=time.perf_counter)
    queries = {}
    for name in contenders:
        with CaptureQueriesContext(connection) as seen:
            ask(name)
        queries[name] = len([query for query in seen if query["sql"] not in {"BEGIN", "COMMIT", "BEGIN IMMEDIATE"}])
    milliseconds = {name: 1000 * value / AT_ONCE for name, value in cpu.items()}
    for name in ("recommendations", "home"):
        after_a_view(name)
        took = [after_a_view(name) for _ in range(rounds)]
        milliseconds[f"{name}_after_click"] = 1000 * statistics.median(took)
    merchant = Merchant.objects.get(slug=shop.slug)
    served = serving.deployed(merchant)
    catalogue.forget()
    began = time.perf_counter()
    catalogue.snapshot(merchant, served.fitted if served else None)
    return {
        "ratios": {
            name: round(value / milliseconds["bare"], 2) for name, value in milliseconds.items() if name != "bare"
        },
        "cpu_ms": {name: round(value, 3) for name, value in milliseconds.items()},
        "elapsed_ms": {name: round(1000 * value / AT_ONCE, 3) for name, value in elapsed.items()},
        "queries": queries,
        "bytes": {name: len(ask(name)) for name in contenders},
        "seconds_to_make": round(made),
        "snapshot_ms": round(1000 * (time.perf_counter() - began)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="end with the one-line record")
    parser.add_argument("--products", type=int, default=2_000, help="products of the shop")
    parser.add_argument("--people", type=int, default=400, help="shoppers whose events the recommender is fitted on")
    parser.add_argument("--events", type=int, default=0, help="further events in the database")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--search", default=WORDS, help="what is searched for")
    parser.add_argument("--rounds", type=int, default=60, help=f"turns of {AT_ONCE} requests of each kind")
    options = parser.parse_args()
    with own_site(database=options.database):
        figures = measure(
            products=options.products,
            people=options.people,
            events=options.events,
            rounds=options.rounds,
            words=options.search,
        )
    report(
        benchmark="storefront",
        ratios=figures.pop("ratios"),
        details={
            "meaning": "ratio = our CPU time per request / a bare JSON view's through the same middleware; small is good",
            "database": options.database,
            "products": options.products,
            "further_events": options.events,
            **figures,
        },
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
