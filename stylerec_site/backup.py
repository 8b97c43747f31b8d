"""A whole site in one file, and back: database, media and artifacts, each file with its SHA-256.

The database is copied by its own means (``database_copy``): a running site's backup is consistent. Files are named by their
content and never change, so they are copied after the database: whatever a row names is there. The shoppers' data keys are
left out (``key_backup`` is for them), so that an archive tells nothing of who is erased later (``privacy.archives``).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.errors import Conflict, UserError
from recommend.privacy import archives
from recommend.services import shoppers
from stylerec_site import database_copy

MANIFEST = "manifest.json"
DATABASE = "database"
#: 2: shoppers' pseudonyms are sealed with keys that are not in the archive.
FORMAT = 2


def backup(target: Path) -> dict[str, Any]:
    """Write the site to ``target`` (a ``.tar``) and return the manifest.

    It is written under a temporary name first, so that half a file is never taken for a backup.
    """
    partial = target.with_name(target.name + ".part")
    try:
        manifest = _write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)  # on a full disk, half a backup must not stay in the way
    return manifest


def _write(target: Path) -> dict[str, Any]:
    files: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="stylerec-backup-") as scratch, tarfile.open(target, "w") as archive:
        database = Path(scratch) / DATABASE
        database_copy.dump(database)
        for name, path in [(DATABASE, database), *_files()]:
            try:
                files[name] = _sha256(path)
                archive.add(path, name)
            except FileNotFoundError:  # deleted since it was listed, as it may have been before
                files.pop(name, None)
        manifest = {
            "format": FORMAT,
            "made_at": timezone.now().isoformat(),
            "database": connection.vendor,
            "shopper_keys": archives.sample(),
            "files": files,
        }
        content = json.dumps(manifest).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return manifest


def restore(source: Path, *, overwrite: bool = False, without_keys: bool = False) -> dict[str, Any]:
    """Bring a site back. Everything is unpacked beside and checked before anything of the present site is replaced.

    Shoppers whose data key is not in the key store, who were erased since the backup, or whose time is over are forgotten.
    An archive to which the key store has no key at all is refused, unless ``without_keys`` accepts that loss.
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
        if not without_keys and not archives.keys_are_here(manifest.get("shopper_keys", [])):
            raise Conflict(
                "shopper-keys-missing",
                _("The key store here has no key to any shopper in this backup. Nothing was changed."),
                _(
                    "Bring the keys back first (restore --keys FILE), or point STYLEREC_SHOPPER_KEYS to them. "
                    "With --without-keys the shop comes back without its shoppers: their profiles and events are lost, "
                    "and they are asked for consent anew. Products, pictures, styles, models and recommenders work."
                ),
            )
        database_copy.load(unpacked / DATABASE)
        for folder, root in _roots().items():
            shutil.rmtree(root, ignore_errors=True)
            root.parent.mkdir(parents=True, exist_ok=True)
            part = unpacked / folder
            part.mkdir(exist_ok=True)
            shutil.move(part, root)
    call_command("migrate", interactive=False, verbosity=0)  # the backup may be of an older version
    revealed = archives.reveal()
    made_at = datetime.fromisoformat(manifest["made_at"])
    again = shoppers.erase_again(since=made_at, by_number=manifest["format"] < 2)
    return {**manifest, "erased_again": again, "revealed": revealed, "purged": shoppers.purge()}


def _roots() -> dict[str, Path]:
    return {"media": settings.MEDIA_ROOT, "artifacts": settings.ARTIFACTS_ROOT}


def _files() -> Iterator[tuple[str, Path]]:
    for folder, root in _roots().items():
        for parent, folders, files in os.walk(root):  # folders may go meanwhile, which ends no walk of this kind
            folders.sort()
            for path in (Path(parent, name) for name in sorted(files)):
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
