"""A whole site in one file, and back: database, media and artifacts, each file with its SHA-256.

The database is copied by its own means (SQLite's online backup, ``pg_dump``): a running site's backup is consistent.
Files are named by their content and never change, so they are copied after the database: whatever a row names is there.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.errors import Conflict, UserError
from recommend.services import shoppers

MANIFEST = "manifest.json"
DATABASE = "database"
FORMAT = 1


def backup(target: Path) -> dict[str, Any]:
    """Write the site to ``target`` (a ``.tar``) and return the manifest.

    It is written under a temporary name first, so that half a file is never taken for a backup.
    """
    partial = target.with_name(target.name + ".part")
    files: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="stylerec-backup-") as scratch, tarfile.open(partial, "w") as archive:
        database = Path(scratch) / DATABASE
        _dump_database(database)
        for name, path in [(DATABASE, database), *_files()]:
            files[name] = _sha256(path)
            archive.add(path, name)
        manifest = {
            "format": FORMAT,
            "made_at": timezone.now().isoformat(),
            "database": connection.vendor,
            "files": files,
        }
        content = json.dumps(manifest).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)
    return manifest


def restore(source: Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Bring a site back. Everything is unpacked beside and checked before anything of the present site is replaced.

    Shoppers who were erased since the backup, and what has had its time since, are forgotten again.
    """
    if not overwrite and (settings.MEDIA_ROOT.exists() or settings.ARTIFACTS_ROOT.exists()):
        raise Conflict(
            "site-not-empty",
            _("There is a site here already."),
            _("Add --overwrite to replace it; make a backup of it first."),
        )
    settings.DATA_ROOT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.DATA_ROOT, prefix="restore-") as scratch:
        unpacked = Path(scratch)
        manifest = _unpack(source, unpacked)
        _load_database(unpacked / DATABASE)
        for folder, root in _roots().items():
            shutil.rmtree(root, ignore_errors=True)
            root.parent.mkdir(parents=True, exist_ok=True)
            part = unpacked / folder
            part.mkdir(exist_ok=True)
            shutil.move(part, root)
    forgotten = shoppers.erase_again(since=datetime.fromisoformat(manifest["made_at"]))
    return {**manifest, "erased_again": forgotten, "purged": shoppers.purge()}


def _roots() -> dict[str, Path]:
    return {"media": settings.MEDIA_ROOT, "artifacts": settings.ARTIFACTS_ROOT}


def _files() -> Iterator[tuple[str, Path]]:
    for folder, root in _roots().items():
        for path in sorted(root.rglob("*")) if root.exists() else ():
            if path.is_file():
                yield f"{folder}/{path.relative_to(root).as_posix()}", path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(source: Path, target: Path) -> dict[str, Any]:
    broken = UserError("backup-broken", _("This backup is not whole."), _("Use another one; nothing was changed."))
    try:
        with tarfile.open(source) as archive:
            archive.extractall(target, filter="data")
        manifest: dict[str, Any] = json.loads((target / MANIFEST).read_text())
        sound = all(
            not PurePosixPath(name).is_absolute() and _sha256(target / name) == digest
            for name, digest in manifest["files"].items()
        )
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        raise broken from error
    if not sound:
        raise broken
    if manifest["format"] > FORMAT or manifest["database"] != connection.vendor:
        raise UserError(
            "backup-foreign",
            _("This backup is of a newer version or of another kind of database (%(kind)s).")
            % {"kind": manifest["database"]},
            _("Restore it with the version and DATABASE_URL that it was made with."),
        )
    return manifest


def _dump_database(target: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with sqlite3.connect(target) as copy:
            connection.connection.backup(copy)
        copy.close()
    else:
        _postgres("pg_dump", "--format=custom", "--no-owner", f"--file={target}")


def _load_database(source: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with sqlite3.connect(source) as copy:
            copy.backup(connection.connection)
        copy.close()
    else:
        _postgres("pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(source))


def _postgres(program: str, *arguments: str) -> None:
    """PostgreSQL's own program on this site's database; its password goes by the environment, not the command line."""
    options = connection.get_connection_params()
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    environment = {names[key]: str(value) for key, value in options.items() if key in names and value}
    if shutil.which(program) is None:
        raise UserError(
            "program-missing",
            _("%(program)s is not installed.") % {"program": program},
            _("Install PostgreSQL's client programs."),
        )
    if program == "pg_restore":
        arguments = (f"--dbname={options['dbname']}", *arguments)
    subprocess.run([program, *arguments], env={**os.environ, **environment}, check=True)
