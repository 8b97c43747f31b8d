"""What a look at a picture's headers can end in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Header:
    """What the headers say. The decoder's own view is checked again before it allocates pixels."""

    format: str
    width: int
    height: int
    frames: int = 1
    #: The bytes to decode, where those differ from the upload (a PNG without its text, say).
    essential: bytes | None = None
    #: What the decoder will not tell: ``reduced-from-16-bit``.
    notes: tuple[str, ...] = ()


class Absurd(Exception):
    """Not worth decoding; ``code`` is the refusal's code and ``facts`` fill its text."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
