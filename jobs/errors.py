"""The two error families: ``UserError`` is theirs to mend, everything else is ours to log.

A ``UserError`` carries a stable ``code`` (for API clients and support), a translated ``message`` (what is wrong)
and a translated ``hint`` (what to do next). Admin, API, commands and jobs show the same three.
"""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise

Text = str | Promise


class UserError(Exception):
    """Something the user can mend. ``code`` is stable, ``message`` and ``hint`` are translated."""

    status_code = 400
    #: Seconds after which the same request may succeed, for ``Retry-After``.
    retry_after: int | None = None

    def __init__(self, code: str, message: Text, hint: Text = "", *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class NotAllowed(UserError):
    """The user may see the object, but their role does not allow this verb."""

    status_code = 403


class NotFound(UserError):
    """The object does not exist, or belongs to somebody else: the two look the same from outside."""

    status_code = 404


class Conflict(UserError):
    """The object is in a state in which this verb makes no sense (already published, already running)."""

    status_code = 409
