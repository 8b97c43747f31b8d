"""Folders that no row names: artifacts of deleted versions, and checkpoints and scratch files of deleted jobs.

Every such folder is named for the job that made it (``…/<job>-<fence>`` below the artifacts, ``jobs/<job>``); nothing else
is looked at. As with files (``catalog.services.leftovers``), what is young may belong to a row that is still to come, and
what belongs to a job that is not finished is left alone however old it is.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db.models import CharField
from django.utils.translation import gettext_lazy as _

from jobs.errors import Conflict
from jobs.models import Job

#: The column of a version's artifact, relative to ``ARTIFACTS_ROOT``.
COLUMN = "directory"
#: More leftovers than this, and than folders that rows name: rather the wrong database than litter.
SUSPICIOUS = 20
_OF_A_JOB = re.compile(r"\.?(?P<job>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-[0-9]+)?(?:\.tmp)?")


@dataclass(frozen=True, slots=True)
class LeftoverFolder:
    """One folder that no row names."""

    path: Path
    size: int
    modified: datetime


def find_folders(*, older_than: timedelta) -> tuple[int, list[LeftoverFolder]]:
    """How many folders of jobs there are, and those that no row names and nobody has written to within ``older_than``."""
    before = time.time() - older_than.total_seconds()
    found = [*_artifacts(), *_folders_of_jobs()]
    jobs = {row["pk"]: row["status"] for row in Job.objects.values("pk", "status")}
    named = _named()
    leftovers = []
    for path, job in found:
        is_artifact = path.is_relative_to(settings.ARTIFACTS_ROOT)
        if is_artifact and path.relative_to(settings.ARTIFACTS_ROOT).as_posix() in named:
            continue
        if job in jobs and (not is_artifact or jobs[job] in {Job.Status.QUEUED, Job.Status.RUNNING}):
            continue
        leftover = _leftover(path)
        if leftover is not None and leftover.modified.timestamp() < before:
            leftovers.append(leftover)
    return len(found), leftovers


def refuse_too_many_folders(count: int, found: list[LeftoverFolder]) -> None:
    """Raise ``Conflict`` where most of the ``count`` folders would go."""
    if len(found) > max(SUSPICIOUS, count - len(found)):
        raise Conflict(
            "too-many-leftovers",
            _("No row names %(left)d of the %(files)d folders. Nothing was deleted.")
            % {"left": len(found), "files": count},
            _("Check that DATABASE_URL and STYLEREC_DATA are of the same site; look with --dry-run."),
        )


def delete_folders(found: list[LeftoverFolder]) -> list[LeftoverFolder]:
    """Delete what ``find_folders`` has found; what was deleted."""
    for leftover in found:
        shutil.rmtree(leftover.path)
    return found


def _artifacts() -> Iterator[tuple[Path, UUID]]:
    """Folders of artifacts, wherever below the root: what is inside one is its own."""
    waiting = [Path(settings.ARTIFACTS_ROOT)]
    while waiting:
        for path, match in _subfolders(waiting.pop()):
            if match:
                yield path, UUID(match["job"])
            else:
                waiting.append(path)


def _folders_of_jobs() -> Iterator[tuple[Path, UUID]]:
    for path, match in _subfolders(settings.DATA_ROOT / "jobs"):
        if match:
            yield path, UUID(match["job"])


def _subfolders(folder: Path) -> Iterator[tuple[Path, re.Match[str] | None]]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                yield path, _OF_A_JOB.fullmatch(path.name)


def _named() -> set[str]:
    """The artifacts of all versions there are."""
    names: set[str] = set()
    for model in apps.get_models():
        try:
            field = model._meta.get_field(COLUMN)
        except FieldDoesNotExist:
            continue
        if isinstance(field, CharField):
            names.update(model._base_manager.values_list(COLUMN, flat=True))
    return names


def _leftover(path: Path) -> LeftoverFolder | None:
    """The folder as it is now, as young as the youngest thing in it; None where it has gone."""
    try:
        parts = [part.stat() for part in (path, *path.rglob("*"))]
    except FileNotFoundError:  # somebody is at work in it
        return None
    size = sum(part.st_size for part in parts[1:])
    return LeftoverFolder(path, size, datetime.fromtimestamp(max(part.st_mtime for part in parts), UTC))
