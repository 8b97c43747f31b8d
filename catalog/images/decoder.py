"""Decoding children of this process: started when first needed, reused while healthy, replaced when not.

A child is a plain subprocess (Celery's workers may not have ``multiprocessing`` children) with an empty environment. It
forks for every picture, so a picture costs a fork and not an interpreter start. It ends with the socket to its server.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalog.images.limits import Limits
from catalog.images.sandbox import channel

#: Children of one process, so also the pictures that it decodes at once.
_MOST_CHILDREN = 2
#: Seconds that an upload waits for a free child before it is sent away.
_PATIENCE = 30.0
#: A child without work for so long ends itself and gives its memory back.
_IDLE_SECONDS = 300
#: What the child may take longer than the picture's own deadline before it counts as lost.
_GRACE = 2.0
_MOST_REQUEST_BYTES = 64_000_000
_START = "import sys; sys.path.append(sys.argv.pop()); from sandbox.worker import main; main()"


class Busy(Exception):
    """Every child was at work for as long as anybody should wait."""


class Failed(Exception):
    """Two children in a row were lost on the way. It is not known to be the picture's fault."""


class _Child:
    """One decoding process and the socket to it."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        folder = str(Path(__file__).parent)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, str(_IDLE_SECONDS), str(_MOST_REQUEST_BYTES), folder],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                start_new_session=True,
            )
        except BaseException:
            self.socket.close()
            raise
        finally:
            theirs.close()

    def ask(self, request: dict[str, Any], data: bytes, *, most_answer_bytes: int) -> tuple[dict[str, Any], bytes]:
        self.socket.settimeout(request["seconds"] + _GRACE)
        channel.send(self.socket, request, data)
        return channel.receive(self.socket, most_body_bytes=most_answer_bytes)

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        self.socket.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()

    def forget(self) -> None:
        """In a fork of the server: the child is the parent's; only let go of the copied socket."""
        self.socket.close()
        self.process.returncode = 0  # not ours to wait for, so nothing to warn about


class Decoder:
    """A small pool of children for the threads of one process."""

    def __init__(self) -> None:
        self._start_anew()
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    def _start_anew(self) -> None:
        self._idle: list[_Child] = []
        self._everybody: set[_Child] = set()
        self._places = threading.BoundedSemaphore(_MOST_CHILDREN)
        self._lock = threading.Lock()

    def decode(self, data: bytes, *, limits: Limits, facts: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The child's answer for ``data``, and the content of the safe copy.

        Raises:
            Busy, Failed: see there. Whatever else a picture can do comes back as an answer with a ``code``.
        """
        request = facts | {
            "most_pixels": limits.most_pixels,
            "longest_side": limits.longest_side,
            "most_frames": limits.most_frames,
            "most_output_bytes": limits.most_output_bytes,
            "quality": limits.jpeg_quality,
            "cpu_seconds": limits.cpu_seconds,
            "memory_bytes": limits.memory_bytes,
        }
        if not self._places.acquire(timeout=_PATIENCE):
            raise Busy
        started = time.monotonic()
        try:
            for _attempt in range(2):
                request["seconds"] = max(0.1, limits.seconds - (time.monotonic() - started))
                try:
                    with self._child() as child:
                        return child.ask(request, data, most_answer_bytes=limits.most_output_bytes)
                except TimeoutError as error:
                    raise Failed from error
                except (channel.Closed, OSError):
                    continue
            raise Failed
        finally:
            self._places.release()

    @contextlib.contextmanager
    def _child(self) -> Iterator[_Child]:
        """A child for one request. After any exception it is ended: what it would say next is anybody's guess."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
        if child is not None and not child.is_alive():
            self._end(child)
            child = None
        if child is None:
            child = _Child()
            self._everybody.add(child)
        try:
            yield child
        except BaseException:
            self._end(child)
            raise
        with self._lock:
            self._idle.append(child)

    def _end(self, child: _Child) -> None:
        self._everybody.discard(child)
        child.end()

    def close(self) -> None:
        """End every child."""
        for child in list(self._everybody):
            self._end(child)
        self._idle.clear()

    def _forget(self) -> None:
        for child in self._everybody:
            child.forget()
        self._start_anew()


decoder = Decoder()
