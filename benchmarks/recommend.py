"""Top-10 of 100,000 and of 1,000,000 products with filters: our exact index against what people would use instead.

``python -m benchmarks.recommend --json``. Ratios are *our time / their time*, so small is good:

* ``loop_100k``: against Surprise's ``SVD.predict`` called for every allowed product, nothing extrapolated;
* ``scan_1m``: against the numpy scan (matrix-vector product, mask, ``argpartition``).

Every request filters: 70 % of the products are allowed, 20 are excluded as bought. All contenders answer the same
requests in one process, in turn, on one thread, as a web worker would. The details hold the medians in milliseconds,
the share of the true top 10 that was found, faiss (HNSW, IVF; its filters are prepared outside the clock), memory, and
catalogues made to defeat the index. The factors are drawn, not fitted: `benchmarks.catalogues` says how.
"""

from __future__ import annotations

import argparse
import heapq
import importlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from surprise import SVD, Trainset

from benchmarks.catalogues import FACTORS, Catalogue, flat, level_lengths, svd_like, with_style
from benchmarks.machine import report
from recommend.engine.index import ExactIndex

K = 10
ALLOWED_SHARE = 0.7
BOUGHT = 20
BOOSTED = 100
Answer = NDArray[np.int64]
Contender = Callable[[int], Answer]


class Requests:
    """The requests on one catalogue, and every contender's way to answer the n-th of them."""

    def __init__(self, catalogue: Catalogue, *, seed: int, allowed: float = ALLOWED_SHARE) -> None:
        rng = np.random.default_rng(seed)
        self.matrix, self.queries = catalogue.matrix, catalogue.queries
        self.typical_queries = catalogue.typical_queries
        self.items, self.bias_column = len(self.matrix), FACTORS
        self.allow = rng.random(self.items) < allowed
        self.bought = [rng.integers(0, self.items, BOUGHT) for _ in self.queries]
        self.boosts = [
            dict(zip(rng.integers(0, self.items, BOOSTED).tolist(), rng.normal(0, 0.1, BOOSTED).tolist(), strict=True))
            for _ in self.queries
        ]

    def index(self, directory: Path) -> ExactIndex:
        """Ours, as it is served: saved, then mapped from its files."""
        index = ExactIndex.build(self.matrix, bias_column=self.bias_column, typical_queries=self.typical_queries)
        index.save(directory)
        return ExactIndex.load(directory)

    def ours(self, index: ExactIndex, *, boosted: bool = False) -> Contender:
        return lambda n: (
            index.search(
                self.queries[n],
                K,
                allow=self.allow,
                exclude=self.bought[n],
                boosts=self.boosts[n] if boosted else None,
            ).rows
        )

    def scan(self) -> Contender:
        forbidden = ~self.allow

        def answer(n: int) -> Answer:
            scores = self.matrix @ self.queries[n].astype(np.float32)
            scores[forbidden] = -np.inf
            scores[self.bought[n]] = -np.inf
            best = np.argpartition(scores, -K)[-K:]
            return np.asarray(best[np.argsort(-scores[best])])

        return answer

    def loop(self) -> Contender:
        """Surprise's own way: one ``predict`` per product. Its model holds the same factors, put in by hand."""
        model = SVD(n_factors=FACTORS)
        users, count = len(self.queries), self.items
        model.trainset = Trainset(
            {user: [(0, 1.0)] for user in range(users)},
            {item: [(0, 1.0)] for item in range(count)},
            users,
            count,
            users,
            (-10, 10),  # wide enough that no estimate is clipped
            {f"u{user}": user for user in range(users)},
            {f"i{item}": item for item in range(count)},
        )
        model.pu, model.qi = self.queries[:, :FACTORS].copy(), self.matrix[:, :FACTORS].astype(np.float64)
        model.bu, model.bi = np.zeros(users), self.matrix[:, self.bias_column].astype(np.float64)
        model.default_prediction = lambda: 0.0
        names = [f"i{item}" for item in range(count)]

        def answer(n: int) -> Answer:
            wanted = self.allow.copy()
            wanted[self.bought[n]] = False
            user = f"u{n}"
            estimates = ((model.predict(user, names[row]).est, row) for row in np.flatnonzero(wanted).tolist())
            return np.array([row for _, row in heapq.nlargest(K, estimates)])

        return answer


def in_turn(contenders: dict[str, Contender], requests: int) -> dict[str, dict[str, float]]:
    """Median milliseconds of each contender over the requests, taken in turn, and its recall against the scan."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for n in range(-1, requests):  # the first round warms up
        answers = {}
        for name, answer in contenders.items():
            start = time.perf_counter()
            answers[name] = answer(max(n, 0))
            if n >= 0:
                times[name].append(time.perf_counter() - start)
        for name, rows in answers.items():
            found[name].append(len(np.intersect1d(rows, answers["scan"])) / K)
    return {
        name: {"ms": round(1000 * statistics.median(times[name]), 4), "recall": round(statistics.fmean(found[name]), 4)}
        for name in contenders
    }  # fmt: skip


def faiss_contenders(requests: Requests, *, hnsw: bool) -> dict[str, Contender]:
    """faiss at several settings, from fast to thorough; none where it is not installed."""
    try:
        # Typed Any: the wrapped C++ classes take keywords that the shipped stubs do not know.
        faiss: Any = importlib.import_module("faiss")
    except ImportError:
        return {}
    columns = requests.matrix.shape[1]
    queries = requests.queries.astype(np.float32)
    selectors = []
    for bought in requests.bought:
        wanted = requests.allow.copy()
        wanted[bought] = False
        bits = np.packbits(wanted, bitorder="little")
        selectors.append(faiss.IDSelectorBitmap(bits))
        selectors[-1].bits_alive = bits  # faiss keeps only a pointer

    def contender(index: Any, parameters: Callable[..., Any]) -> Contender:
        return lambda n: index.search(queries[n : n + 1], K, params=parameters(sel=selectors[n]))[1][0]

    contenders = {}
    lists = int(4 * np.sqrt(requests.items))
    ivf = faiss.IndexIVFFlat(faiss.IndexFlatIP(columns), columns, lists, faiss.METRIC_INNER_PRODUCT)
    ivf.cp.niter = 8
    ivf.train(requests.matrix[:: max(1, requests.items // (40 * lists))])
    ivf.add(requests.matrix)
    for share in (64, 16, 4):
        probes = max(1, lists // share)
        contenders[f"faiss_ivf{lists}_probe{probes}"] = contender(
            ivf, partial(faiss.SearchParametersIVF, nprobe=probes)
        )
    if hnsw:
        graph = faiss.IndexHNSWFlat(columns, 24, faiss.METRIC_INNER_PRODUCT)
        graph.add(requests.matrix)
        for width in (32, 128, 512):
            contenders[f"faiss_hnsw24_ef{width}"] = contender(
                graph, partial(faiss.SearchParametersHNSW, efSearch=width)
            )
    return contenders


def resident_mib() -> float:
    """Memory of this process that is in RAM (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(items: int, count: int, *, directory: Path, with_loop: bool, hnsw: bool) -> dict[str, Any]:
    """All contenders on one realistic catalogue."""
    requests = Requests(svd_like(items, count, seed=items), seed=1)
    start = time.perf_counter()
    index = requests.index(directory / f"index-{items}")
    built = time.perf_counter() - start
    before = resident_mib()
    for n in range(count):
        requests.ours(index)(n)
    touched = resident_mib() - before
    contenders = {"ours": requests.ours(index), "scan": requests.scan(), **faiss_contenders(requests, hnsw=hnsw)}
    figures: dict[str, Any] = in_turn(contenders, count)
    if with_loop:
        figures["loop"] = in_turn({**contenders, "loop": requests.loop()}, min(count, 5))["loop"]
    start = time.perf_counter()
    for n in range(count):
        requests.ours(index, boosted=True)(n)
    figures["ours_with_100_boosts"] = {"ms": round(1000 * (time.perf_counter() - start) / count, 4)}
    figures["memory_mib"] = {
        "matrix": round(requests.matrix.nbytes / 2**20, 1),
        "index_on_disk": round(index.nbytes / 2**20, 1),
        "index_touched_by_requests": round(touched, 1),
    }
    figures["build_and_save_s"] = round(built, 2)
    return figures


def against_scan(catalogue: Catalogue, directory: Path, *, allowed: float = ALLOWED_SHARE) -> dict[str, Any]:
    """Ours and the scan alone, for catalogues and filters that are not the usual ones."""
    requests = Requests(catalogue, seed=2, allowed=allowed)
    contenders = {"ours": requests.ours(requests.index(directory)), "scan": requests.scan()}
    figures = in_turn(contenders, len(requests.queries))
    return {**figures, "ratio": round(figures["ours"]["ms"] / figures["scan"]["ms"], 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="end with the one-line record")
    parser.add_argument("--requests", type=int, default=100, help="requests per catalogue")
    parser.add_argument("--hnsw-1m", action="store_true", help="faiss HNSW over 1M too; building it takes minutes")
    options = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":  # read once, when the libraries load
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.recommend", *sys.argv[1:]], environment)

    count = options.requests
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        small = measure(100_000, count, directory=directory, with_loop=True, hnsw=True)
        large = measure(1_000_000, count, directory=directory, with_loop=False, hnsw=options.hnsw_1m)
        hard = {
            "flat_100k": against_scan(flat(100_000, count, seed=3), directory / "flat"),
            "with_style_100k": against_scan(with_style(100_000, count, seed=6), directory / "style"),
            "level_lengths_100k": against_scan(level_lengths(100_000, count, seed=4), directory / "level"),
            "one_percent_allowed_100k": against_scan(
                svd_like(100_000, count, seed=5), directory / "sparse", allowed=0.01
            ),
        }
    report(
        benchmark="recommend",
        ratios={
            "loop_100k": round(small["ours"]["ms"] / small["loop"]["ms"], 5),
            "scan_1m": round(large["ours"]["ms"] / large["scan"]["ms"], 4),
        },
        details={
            "meaning": "ratio = our time / their time; small is good",
            "threads": 1,
            "requests": f"{count} per catalogue (5 for the predict loop), top {K}, {ALLOWED_SHARE:.0%} allowed, "
            f"{BOUGHT} excluded",
            "100k": small,
            "1m": large,
            "hard_cases": hard,
            "faiss": "measured" if any(name.startswith("faiss") for name in small) else "absent",
        },
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
