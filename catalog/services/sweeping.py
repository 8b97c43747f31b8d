"""The sweep of what no row names, files and folders: all of it is found and judged before anything goes."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from catalog.services.leftovers import SAFE_AGE, Findings, delete_leftovers, find_leftovers, refuse_too_many
from jobs.errors import Conflict
from jobs.leftovers import LeftoverFolder, delete_folders, find_folders, refuse_too_many_folders

log = structlog.get_logger(__name__)

#: Set while sweeps are refused, so that operators are told (``stylerec_site.dashboard.attention``).
_REFUSED = "sweep-refused"
#: Longer than from one daily sweep to the next.
_REMEMBERED = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep has found, or has deleted."""

    files: Findings
    folders: list[LeftoverFolder]

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return self.files.size + sum(folder.size for folder in self.folders)


def find(*, older_than: timedelta = SAFE_AGE) -> Sweep:
    """What ``sweep`` would delete. Changes nothing."""
    return Sweep(find_leftovers(older_than=older_than), find_folders(older_than=older_than)[1])


def sweep(*, older_than: timedelta = SAFE_AGE, however_many: bool = False) -> Sweep:
    """Delete files and folders that no row names and nobody has touched within ``older_than``; what was deleted.

    Raises ``Conflict`` (and deletes nothing) where that would be most of the files, or of the folders, unless
    ``however_many`` accepts it; ``UserError`` where ``older_than`` is not safe.
    """
    files = find_leftovers(older_than=older_than)
    count, folders = find_folders(older_than=older_than)
    if not however_many:
        try:
            refuse_too_many(files)
            refuse_too_many_folders(count, folders)
        except Conflict:
            _remember(refused=True)
            raise
    swept = Sweep(delete_leftovers(files), delete_folders(folders))
    _remember(refused=False)
    log.info("files.swept", files=len(swept.files.leftovers), folders=len(swept.folders), bytes=swept.size)
    return swept


def is_refused() -> bool:
    """Whether the last sweep was refused because most of what is stored would have gone."""
    with contextlib.suppress(RedisError):  # nobody can say at the moment
        return bool(cache.get(_REFUSED))
    return False


def _remember(*, refused: bool) -> None:
    with contextlib.suppress(RedisError):  # the sweep itself needs no broker
        if refused:
            cache.set(_REFUSED, True, _REMEMBERED.total_seconds())
        else:
            cache.delete(_REFUSED)
