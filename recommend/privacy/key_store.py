"""The shoppers' data keys, in a store of their own that a backup of the site does not hold.

What is sealed about a shopper lies in the site's database, the key to it here: ``settings.SHOPPER_KEYS``, by default a SQLite
file in the data folder, in production better a PostgreSQL of another disk and another backup. Erasing a shopper forgets the
key, and with it every copy of what it sealed, in archives that nobody can reach any more too.

Two stores cannot share a transaction, so the order of writing keeps them right. A key is on the disk before anything is
sealed with it: a crash in between leaves a key without a use, which `sweep` forgets. A shopper needs no key to exist: one is
made at the first use. Every key is wrapped by the site's keys (``pseudonyms``): this store alone opens nothing either.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import environ
from django.conf import settings
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

#: Understood by SQLite and PostgreSQL alike. Moments are whole seconds since 1970.
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS shopper_keys (id varchar(32) PRIMARY KEY, wrapped_key text NOT NULL, "
    "made_at bigint NOT NULL, unused_since bigint)"
)
_KEYS_PER_STATEMENT = 400
DAY = 24 * 3600
#: (id, wrapped key, when it was made), as a backup of the keys holds them.
Row = tuple[str, str, int]


def find(key_id: UUID) -> bytes:
    """The wrapped key; empty where there is none: never used, forgotten, or lost."""
    with _cursor() as cursor:
        cursor.execute("SELECT wrapped_key FROM shopper_keys WHERE id = %s", [key_id.hex])
        row = cursor.fetchone()
    return row[0].encode() if row else b""


def every() -> dict[UUID, bytes]:
    """All wrapped keys."""
    return {UUID(hex=name): wrapped.encode() for name, wrapped, _made in rows()}


def count() -> int:
    """How many keys there are."""
    with _cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shopper_keys")
        return int(cursor.fetchone()[0])


def ensure(key_ids: Iterable[UUID], *, make: Callable[[], bytes]) -> dict[UUID, bytes]:
    """The wrapped keys of these ids, those that are missing made by ``make`` and on the disk when this returns."""
    wanted = list(dict.fromkeys(key_ids))
    found: dict[UUID, bytes] = {}
    with _cursor() as cursor:
        for part in _parts(wanted):
            found.update(_read(cursor, part))
            missing = [key_id for key_id in part if key_id not in found]
            if missing:
                _insert(cursor, [(key_id.hex, make().decode(), int(time.time())) for key_id in missing])
                found.update(_read(cursor, missing))  # another process may have been quicker: its key counts
    return found


def forget(key_ids: Iterable[UUID]) -> int:
    """Shred keys; how many there were."""
    gone = 0
    with _cursor() as cursor:
        for part in _parts([key_id.hex for key_id in key_ids]):
            cursor.execute(f"DELETE FROM shopper_keys WHERE id IN ({_places(part)})", part)  # noqa: S608 - `%s` alone
            gone += cursor.rowcount
    return gone


def sweep(in_use: set[UUID]) -> int:
    """Forget keys that have had no shopper for ``SHOPPER_KEY_GRACE_DAYS``; how many those were.

    They are left by crashes, and by shops that were deleted whole. The days of grace are for a site that is restored from
    an older backup and then from a newer one.
    """
    now = int(time.time())
    used = {key_id.hex for key_id in in_use}
    with _cursor() as cursor:
        cursor.execute("SELECT id, unused_since FROM shopper_keys")
        stored: dict[str, int | None] = dict(cursor.fetchall())
        newly_unused = [name for name, since in stored.items() if since is None and name not in used]
        used_again = [name for name, since in stored.items() if since is not None and name in used]
        for since, names in ((now, newly_unused), (None, used_again)):
            for part in _parts(names):
                statement = f"UPDATE shopper_keys SET unused_since = %s WHERE id IN ({_places(part)})"  # noqa: S608
                cursor.execute(statement, [since, *part])
        limit = now - settings.SHOPPER_KEY_GRACE_DAYS * DAY
        cursor.execute("DELETE FROM shopper_keys WHERE unused_since <= %s", [limit])
        return int(cursor.rowcount)


def rows() -> list[Row]:
    """Everything, for a backup of the keys."""
    with _cursor() as cursor:
        cursor.execute("SELECT id, wrapped_key, made_at FROM shopper_keys ORDER BY id")
        return [tuple(row) for row in cursor.fetchall()]


def add(rows: Sequence[Row]) -> int:
    """Bring keys back from a backup of them; those that are here stay as they are. How many were added."""
    before = count()
    with _cursor() as cursor:
        for part in _parts(rows):
            _insert(cursor, part)
    return count() - before


def address() -> str:
    """Where the keys lie, as a database URL."""
    return settings.SHOPPER_KEYS or f"sqlite:///{Path(settings.DATA_ROOT) / 'shopper-keys.sqlite3'}"


def file() -> Path | None:
    """The file of the keys, where it is one."""
    configuration = environ.Env.db_url_config(address())
    return Path(configuration["NAME"]) if configuration["ENGINE"].endswith("sqlite3") else None


def _read(cursor: Any, part: Sequence[UUID]) -> dict[UUID, bytes]:
    names = [key_id.hex for key_id in part]
    cursor.execute(f"SELECT id, wrapped_key FROM shopper_keys WHERE id IN ({_places(names)})", names)  # noqa: S608
    return {UUID(hex=name): wrapped.encode() for name, wrapped in cursor.fetchall()}


def _insert(cursor: Any, part: Sequence[Row]) -> None:
    values = ", ".join(["(%s, %s, %s)"] * len(part))
    cursor.execute(
        f"INSERT INTO shopper_keys (id, wrapped_key, made_at) VALUES {values} ON CONFLICT (id) DO NOTHING",  # noqa: S608
        [value for row in part for value in row],
    )


def _places(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[start : start + _KEYS_PER_STATEMENT] for start in range(0, len(values), _KEYS_PER_STATEMENT))


@contextlib.contextmanager
def _cursor() -> Iterator[Any]:
    """A cursor that commits each statement. A SQLite file is opened for the moment, a server's connection is kept."""
    connection = _connection_to(address())
    connection.close_if_unusable_or_obsolete()
    if connection.connection is None:
        _open(connection)
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close_if_unusable_or_obsolete()


def _open(connection: BaseDatabaseWrapper) -> None:
    path = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor == "sqlite" and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # SQLite gives its journals the same mode
    connection.connect()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(_SCHEMA)
            return
        cursor.execute("SELECT to_regclass('shopper_keys')")
        if cursor.fetchone()[0] is None:
            with contextlib.suppress(DatabaseError):  # two processes begin at once: one of them makes it
                cursor.execute(_SCHEMA)


def _connection_to(url: str) -> BaseDatabaseWrapper:
    """This thread's connection, apart from ``django.db.connections``: no transaction of the site's spans it."""
    return _handler(url)["default"]


@lru_cache(maxsize=8)
def _handler(url: str) -> ConnectionHandler:
    configuration: dict[str, Any] = environ.Env.db_url_config(url)
    if configuration["ENGINE"].endswith("sqlite3"):
        # FULL: a key is on the platter before anything is sealed with it. A deleted key is overwritten, not just unlinked.
        pragmas = "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
        configuration["OPTIONS"] = {"timeout": 20, "init_command": pragmas}
    else:
        configuration |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    return ConnectionHandler({"default": configuration})
