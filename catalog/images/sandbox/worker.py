"""The loop of the decoding child: one request, one fork under limits, one answer.

The loop itself never touches a picture's bytes beyond passing them on, so it survives whatever a picture does.
It ends when the server closes the socket (also by dying), or after an idle while.
"""

from __future__ import annotations

import ctypes
import gc
import json
import math
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from typing import Any

from . import channel, decoding

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_HEAD = struct.Struct("!I")
#: Descriptors that a decoding process may have open: the standard three, the two pipes and a few to spare.
_MOST_FILES = 16
#: How a process ends that used up its processor time, or that the kernel ended for want of memory.
_CODES_BY_SIGNAL = {signal.SIGXCPU: "picture-too-slow", signal.SIGKILL: "picture-too-heavy", 0: "picture-too-heavy"}


def main() -> None:
    """Serve requests on the socket that is standard input."""
    server = socket.socket(fileno=os.dup(0))
    # The socket is not to be found at a descriptor that a library could write to by mistake.
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    decoding.warm_up()
    gc.freeze()
    idle_seconds = float(sys.argv[1])
    most_request_bytes = int(sys.argv[2])
    while True:
        try:
            server.settimeout(idle_seconds)
            request, data = channel.receive(server, most_body_bytes=most_request_bytes)
            server.settimeout(None)
            answer, content = _in_a_fork(server, request, data)
            channel.send(server, answer, content)
        except (channel.Closed, TimeoutError):
            return


def _in_a_fork(server: socket.socket, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Decode in a process of its own, which is ended at its deadline, or when the server goes away."""
    deadline = time.monotonic() + request["seconds"]
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        server.close()
        _decode_and_exit(writing, request, data)
    os.close(writing)
    finished = False
    try:
        received, finished = _read_all(server, reading, deadline, request["most_output_bytes"] + 65_536)
    finally:
        os.close(reading)
        if not finished:
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
    if not finished:
        return {"code": "picture-too-slow"}, b""
    answer = _parse(received)
    if answer is not None:
        return answer
    # Without an answer and without a signal, there was no memory left to write one.
    died_of = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = _CODES_BY_SIGNAL.get(died_of, "picture-broken")
    return {"code": code, "reason": f"ended by signal {died_of}, status {status}"}, b""


def _read_all(server: socket.socket, reading: int, deadline: float, most_bytes: int) -> tuple[bytearray, bool]:
    """What the decoding process writes, and whether it came to its end in time and bounds."""
    received = bytearray()
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    poll.register(server, select.POLLHUP | getattr(select, "POLLRDHUP", 0))
    while (left := deadline - time.monotonic()) > 0:
        for descriptor, _event in poll.poll(left * 1000):
            if descriptor != reading:
                raise channel.Closed
            piece = os.read(reading, 1 << 20)
            if not piece:
                return received, True
            received += piece
            if len(received) > most_bytes:
                return received, False
    return received, False


def _parse(received: bytearray) -> tuple[dict[str, Any], bytes] | None:
    """The answer, unless the process died before it had written it whole."""
    if len(received) < _HEAD.size:
        return None
    (length,) = _HEAD.unpack_from(received)
    try:
        answer = json.loads(received[_HEAD.size : _HEAD.size + length])
    except ValueError:
        return None
    content = bytes(received[_HEAD.size + length :])
    if not isinstance(answer, dict) or answer.get("bytes") != len(content):
        return None
    return answer, content


def _decode_and_exit(writing: int, request: dict[str, Any], data: bytes) -> None:
    """In the fork: limit oneself, decode, write the answer, and leave without any clean-up."""
    try:
        _limit(request)
        answer, content = decoding.normalise(data, request)
        if len(content) > request["most_output_bytes"]:
            answer, content = {"code": "picture-too-heavy"}, b""
        head = json.dumps(answer | {"bytes": len(content)}).encode()
        _write(writing, _HEAD.pack(len(head)) + head)
        _write(writing, content)
    finally:
        os._exit(0)


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view[: 1 << 20]) :]


def _limit(request: dict[str, Any]) -> None:
    """Memory, processor time, files; and an end with the loop. The kernel holds to these whatever a library does."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    seconds = math.ceil(request["cpu_seconds"])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST_FILES, _MOST_FILES))
    resource.setrlimit(resource.RLIMIT_AS, (request["memory_bytes"], request["memory_bytes"]))
