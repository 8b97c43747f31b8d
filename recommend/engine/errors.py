"""The engine's one error family: a stable ``code`` for callers to map and an English ``message`` for the log."""

from __future__ import annotations


class EngineError(Exception):
    """Something about the data, the settings or an artifact that the caller can mend.

    Codes: ``no-file``, ``missing-column``, ``bad-row``, ``no-events``, ``bad-settings``, ``bad-vectors``,
    ``unknown-item``, ``artifact-missing``, ``artifact-corrupt``, ``stopped``, ``not-installed``,
    ``too-many-items``, ``too-few-test-users``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
