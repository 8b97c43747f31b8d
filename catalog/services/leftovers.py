"""Files that no row names: what a killed worker, a cascade of deletions or a lost race has left in the storage.

A file is written before the row that names it, so a file without a row may be one whose row is still to come. Two things
keep those: only what is older than ``SAFE_AGE`` is ever deleted, and whoever means to name a file that is there already
makes it young again first (``renditions.store``). So a row that nobody has seen yet names a young file, as long as it is
committed within ``SAFE_AGE`` of it, which no request and no attempt at a job outlasts.

Every row counts, whichever shop's it is: shops never share a name, but nothing here relies on it. Only the folders that
models keep files in are looked at; a storage is one site's alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.apps import apps
from django.core.files.storage import default_storage
from django.db.models import Field, FileField, JSONField, Model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.services.renditions import FOLDER as RENDITIONS
from jobs.errors import Conflict, UserError

SAFE_AGE = timedelta(hours=24)
LEAST_AGE = timedelta(hours=1)
#: More leftovers than this, and than named files: rather the wrong database than litter.
SUSPICIOUS = 100
_ROWS_AT_ONCE = 2000


class TooManyLeftovers(Conflict):
    """The storage and the database look as if they were not of the same site."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """One file that no row names."""

    name: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Findings:
    """What lies in the storage, and which of it nobody names and is old enough to go."""

    files: int
    leftovers: list[Leftover]

    @property
    def size(self) -> int:
        """Bytes of the leftovers."""
        return sum(leftover.size for leftover in self.leftovers)

    @property
    def is_suspicious(self) -> bool:
        """Whether most of what lies there would go."""
        return len(self.leftovers) > max(SUSPICIOUS, self.files - len(self.leftovers))


def find_leftovers(*, older_than: timedelta = SAFE_AGE) -> Findings:
    """Files that no row names and that nobody has written or asked for within ``older_than``. Changes nothing."""
    if older_than < LEAST_AGE:
        raise UserError(
            "not-safe",
            _("Files younger than an hour may be part of an upload that is under way."),
            _("Ask for files that are at least an hour old."),
        )
    before = timezone.now() - older_than
    unnamed = {name for folder in _folders() for name in _files_below(folder)}
    files = len(unnamed)
    # Twice: a name that moves from one table to another between their two reads is found by the second look.
    for _look in range(2):
        if unnamed:
            unnamed.difference_update(_names())
    found = (_leftover(name) for name in sorted(unnamed))
    return Findings(files, [leftover for leftover in found if leftover and leftover.modified < before])


def refuse_too_many(found: Findings) -> None:
    """Raise ``TooManyLeftovers`` where most of the storage would go."""
    if found.is_suspicious:
        raise TooManyLeftovers(
            "too-many-leftovers",
            _("No row names %(left)d of the %(files)d files. Nothing was deleted.")
            % {"left": len(found.leftovers), "files": found.files},
            _("Check that DATABASE_URL and the storage are of the same site; look with --dry-run."),
        )


def delete_leftovers(found: Findings) -> Findings:
    """Delete what ``find_leftovers`` has found, unless somebody has asked for it meanwhile; what was deleted."""
    return Findings(found.files, [leftover for leftover in found.leftovers if _deleted(leftover)])


def _deleted(leftover: Leftover) -> bool:
    delete_unchanged = getattr(default_storage, "delete_unchanged", None)
    if delete_unchanged is not None:
        return bool(delete_unchanged(leftover.name, leftover.modified))
    # An object store knows no such verb: what is asked for between these two steps, milliseconds, is lost (decision 0010).
    now = _leftover(leftover.name)
    if now is None or now.modified != leftover.modified:
        return False
    default_storage.delete(leftover.name)
    return True


def _fields() -> Iterator[tuple[type[Model], Field]]:
    """Every column that names files: of a file, or of the copies of a picture."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, FileField) or (isinstance(field, JSONField) and field.name == RENDITIONS):
                yield model, field


def _folders() -> set[str]:
    """Where models keep their files, and where the storage keeps what it has not finished writing."""
    places = {str(field.upload_to).split("/")[0] for _model, field in _fields() if isinstance(field, FileField)}
    return {*places, RENDITIONS, getattr(default_storage, "parts", "")} - {""}


def _names() -> Iterator[str]:
    for model, field in _fields():
        values = model._base_manager.order_by().values_list(field.attname, flat=True)
        for value in values.iterator(chunk_size=_ROWS_AT_ONCE):
            if isinstance(field, FileField):
                yield str(value)
            else:  # whatever kinds of copies there are, and will be
                yield from (text for copy in value or [] for text in copy.values() if "/" in str(text))


def _files_below(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever kept there
        return
    for name in filter(None, files):
        yield f"{folder}/{name}"
    for name in filter(None, folders):
        yield from _files_below(f"{folder}/{name}")


def _leftover(name: str) -> Leftover | None:
    """The file as it is now; None where it has gone."""
    try:
        return Leftover(name, default_storage.size(name), default_storage.get_modified_time(name))
    except Exception:
        if default_storage.exists(name):  # each kind of storage has its own error for a file that is not there
            raise
        return None
