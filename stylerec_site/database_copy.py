"""A consistent copy of the running database for an archive, and back; without what an archive must not tell.

In the copy, shoppers' pseudonyms are sealed with their own keys (``recommend.privacy.archives``), and nobody is logged in:
whoever finds an archive finds no session to take over. SQLite is copied by its online backup and rewritten, which also
leaves no deleted rows in free pages; PostgreSQL by ``pg_dump`` as text, rewritten on its way to the disk.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import connection
from django.utils.translation import gettext_lazy as _

from jobs.errors import UserError
from recommend.models import Shopper
from recommend.privacy import archives

_SHOPPERS = Shopper._meta.db_table
_SESSIONS = Session._meta.db_table
#: The schema may be any; its name is quoted where it is no plain word.
_SHOPPERS_BLOCK = re.compile(rf'COPY (?:[^\s".]+|"(?:[^"]|"")+")\.{_SHOPPERS} \((?P<columns>[^)]+)\)')
Conceal = Callable[[UUID, str], str]


class ShoppersMissing(UserError):
    """There is nothing in the copy that could be sealed, although every site has the table."""


def dump(target: Path) -> None:
    """Write the copy to ``target``."""
    conceal = archives.concealer()
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        copy = sqlite3.connect(target)
        connection.connection.backup(copy)
        rewrite_sqlite(copy, conceal)
        copy.close()
        return
    options = ("--clean", "--if-exists", "--no-owner", f"--exclude-table-data=*.{_SESSIONS}")
    with (
        subprocess.Popen(
            [_program("pg_dump"), *options], env=_environment(), stdout=subprocess.PIPE, encoding="utf-8"
        ) as running,
        target.open("w", encoding="utf-8") as file,
    ):
        try:
            file.writelines(rewritten(running.stdout or [], conceal))
        except ShoppersMissing:
            if not running.wait():  # else pg_dump broke off, which is what has to be told
                raise
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, "pg_dump")


def load(source: Path) -> None:
    """Replace the database by the copy, wholly or not at all."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        copy = sqlite3.connect(source)
        copy.backup(connection.connection)
        copy.close()
        return
    script = source
    with source.open("rb") as file:
        of_version_1 = file.read(5) == b"PGDMP"
    if of_version_1:
        script = source.with_name(f"{source.name}.sql")
        as_text = ("--clean", "--if-exists", "--no-owner", f"--file={script}")
        subprocess.run([_program("pg_restore"), *as_text, str(source)], env=_environment(), check=True)
    options = ("--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--single-transaction", "--output=/dev/null")
    steps = (f"--command={_without_tables()}", f"--file={script}")
    subprocess.run([_program("psql"), *options, *steps], env=_environment(), check=True)


def _without_tables() -> str:
    """SQL that drops the site's own tables: a copy from before a migration knows nothing of those that came with it."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    names = ", ".join(map(connection.ops.quote_name, tables))
    return f"SET client_min_messages = warning; DROP TABLE IF EXISTS {names} CASCADE" if names else ""


def rewrite_sqlite(copy: sqlite3.Connection, conceal: Conceal) -> None:
    """Seal the pseudonyms in a copied SQLite database and forget who is logged in."""
    found = copy.execute(f"SELECT id, key_id, pseudonym FROM {_SHOPPERS}").fetchall()  # noqa: S608 - our own name
    copy.executemany(
        f"UPDATE {_SHOPPERS} SET pseudonym = ? WHERE id = ?",  # noqa: S608
        [(conceal(UUID(hex=key), pseudonym), number) for number, key, pseudonym in found],
    )
    copy.execute(f"DELETE FROM {_SESSIONS}")  # noqa: S608
    copy.commit()
    copy.execute("VACUUM")


def rewritten(lines: Iterable[str], conceal: Conceal) -> Iterator[str]:
    """The lines of a ``pg_dump`` with the pseudonyms sealed in the shoppers' ``COPY`` blocks, of whichever schema.

    Raises ``ShoppersMissing`` at the end where there was none: what was not found has not been sealed.
    """
    columns: list[str] = []
    sealed = False
    for line in lines:
        if columns and line == "\\.\n":
            columns = []
        elif columns:
            values = dict(zip(columns, line.rstrip("\n").split("\t"), strict=True))
            values["pseudonym"] = conceal(UUID(values["key_id"]), values["pseudonym"])
            line = "\t".join(values.values()) + "\n"
        elif block := _SHOPPERS_BLOCK.match(line):
            columns, sealed = block["columns"].split(", "), True
        yield line
    if not sealed:
        raise ShoppersMissing(
            "shoppers-missing",
            _("The copy of the database holds no table of shoppers, so their pseudonyms could not be sealed."),
            _("Nothing was kept. Check that DATABASE_URL is the site's own, and that its user may read every table."),
        )


def _environment() -> dict[str, str]:
    """PostgreSQL's own variables for this site's database; the password never stands on a command line."""
    options = connection.get_connection_params()
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
        "options": "PGOPTIONS",  # such as the schema that the site's tables are in
    }
    return {**os.environ, **{names[key]: str(value) for key, value in options.items() if key in names and value}}


def _program(name: str) -> str:
    if (path := shutil.which(name)) is None:
        raise UserError(
            "program-missing",
            _("%(program)s is not installed.") % {"program": name},
            _("Install PostgreSQL's client programs."),
        )
    return path
