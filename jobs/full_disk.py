"""A disk that is full, or a quota that is used up: told to whoever wanted to store something, wherever it was found out.

The kernel says it (ENOSPC, EDQUOT), the database (SQLite's FULL, PostgreSQL's 53100), or an object store (507). A job that
meets it is tried again like after any other fault; a person is told what happened, and that nothing was lost.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator

import structlog
from django.utils.translation import gettext_lazy as _

from jobs.errors import UserError

log = structlog.get_logger(__name__)

_ERRNO = frozenset({errno.ENOSPC, errno.EDQUOT})
#: PostgreSQL's ``disk_full`` (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_SQLSTATE = "53100"
#: Of an SQLite error code; the rest of it is detail.
_PRIMARY_CODE = 0xFF
_INSUFFICIENT_STORAGE = 507


class NoRoom(UserError):
    """There was no room to store what was asked for."""

    status_code = _INSUFFICIENT_STORAGE
    #: Somebody has to make room, which takes minutes.
    retry_after = 300

    def __init__(self) -> None:
        super().__init__(
            "no-room",
            _("The server has no room left, so this could not be saved. What was saved before is all there."),
            _("Have space freed on the server's disk, or its quota raised, then send the same again."),
        )


def no_room(error: BaseException | None) -> NoRoom | None:
    """What to tell the user where ``error`` (or what caused it) is that there is no room; None for any other error."""
    if not any(map(_says_so, _causes(error))):
        return None
    log.error("disk.full", error=str(error))
    return NoRoom()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from: Django wraps the database's own."""
    while error is not None:
        yield error
        error = error.__cause__


def _says_so(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _ERRNO:
        return True
    if getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_FULL:
        return True
    answer = getattr(error, "response", None)  # botocore's ClientError
    metadata = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
    return getattr(error, "sqlstate", None) == _SQLSTATE or metadata.get("HTTPStatusCode") == _INSUFFICIENT_STORAGE
