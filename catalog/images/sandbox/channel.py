"""Messages between the server and the decoding child: a JSON head and a binary body, each with its length first."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTHS = struct.Struct("!II")
_MOST_HEAD_BYTES = 64_000
_PIECE = 1 << 20


class Closed(Exception):
    """The other side is gone, or talks nonsense."""


def send(channel: socket.socket, head: dict[str, Any], body: bytes = b"") -> None:
    """Send one message; the socket's timeout bounds each system call."""
    text = json.dumps(head).encode()
    try:
        channel.sendall(_LENGTHS.pack(len(text), len(body)) + text)
        if body:
            channel.sendall(body)
    except TimeoutError:
        raise
    except OSError as error:
        raise Closed from error


def receive(channel: socket.socket, *, most_body_bytes: int) -> tuple[dict[str, Any], bytes]:
    """Wait for one message.

    Raises:
        Closed: where the other side has gone, or announces more than ``most_body_bytes``.
        TimeoutError: by the socket's timeout.
    """
    head_length, body_length = _LENGTHS.unpack(_exactly(channel, _LENGTHS.size))
    if head_length > _MOST_HEAD_BYTES or body_length > most_body_bytes:
        raise Closed
    try:
        head = json.loads(_exactly(channel, head_length))
    except ValueError as error:
        raise Closed from error
    if not isinstance(head, dict):
        raise Closed
    return head, bytes(_exactly(channel, body_length))


def _exactly(channel: socket.socket, size: int) -> bytearray:
    received = bytearray(size)
    view, at = memoryview(received), 0
    while at < size:
        try:
            count = channel.recv_into(view[at : at + _PIECE])
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed from error
        if not count:
            raise Closed
        at += count
    return received
