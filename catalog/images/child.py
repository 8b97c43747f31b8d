"""Our side of the decoding child: one per thread, started when it is needed, ended when it is late or broken."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from catalog.images import limits

_DECODER = Path(__file__).with_name("decoder.py")
_PR_SET_PDEATHSIG = 1


class ChildGone(Exception):
    """The child ended, or did not answer in time."""


class DecodingChild:
    """A process that decodes one picture at a time."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_DECODER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", "")},
            preexec_fn=_die_with_parent,
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None and self.owner == os.getpid()

    def ask(self, header: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
        """Send one picture; its answer. Raises ``ChildGone``."""
        deadline = time.monotonic() + limits.SECONDS
        assert self._process.stdin is not None
        try:
            for part in (json.dumps(header).encode(), content):
                self._process.stdin.write(struct.pack("<I", len(part)) + part)
            self._process.stdin.flush()
            answer = json.loads(self._read_frame(deadline))
            return answer, self._read_frame(deadline)
        except (OSError, ValueError, struct.error) as error:
            raise ChildGone from error

    def _read_frame(self, deadline: float) -> bytes:
        (length,) = struct.unpack("<I", self._read(4, deadline))
        return self._read(length, deadline)

    def _read(self, count: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while len(received) < count:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise ChildGone
                chunk = os.read(descriptor, count - len(received))
                if not chunk:
                    raise ChildGone
                received += chunk
        return bytes(received)

    def end(self) -> None:
        """Kill it and collect it."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Children(threading.local):
    child: DecodingChild | None = None


_mine = _Children()


def decode(header: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """Let this thread's child decode ``content``. A child that fails is ended; the next picture gets a new one."""
    child = _mine.child
    if child is None or not child.is_alive:
        child = _mine.child = DecodingChild()
    try:
        return child.ask(header, content)
    except ChildGone:
        child.end()
        _mine.child = None
        raise
