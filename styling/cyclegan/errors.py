"""What can go wrong in this room, as one exception with a stable code."""

from __future__ import annotations


class CycleGANError(Exception):
    """Something the caller can act on.

    ``code`` is stable (APIs, jobs and tests rely on it); ``message`` says in English what is wrong and what
    to do next. Codes: ``bad-settings``, ``no-pictures``, ``too-few-source``, ``too-few-target``,
    ``diverged``, ``collapsed``, ``out-of-memory``, ``checkpoint-mismatch``, ``artifact-missing``,
    ``artifact-invalid``, ``artifact-tampered``, ``artifact-newer``,
    ``picture-too-large``, ``engine-unavailable``, ``export-differs``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
