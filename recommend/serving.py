"""The deployed recommender of each shop, memory-mapped in every web process and swapped when another is deployed."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
from django.conf import settings
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery
from numpy.typing import NDArray

from catalog.models import Merchant
from catalog.prepared import PreparedRead
from recommend.engine.errors import EngineError
from recommend.engine.fitted import FittedRecommender
from recommend.engine.index import ExactIndex
from recommend.experiments.treatment import Version
from recommend.models import Recommender
from recommend.services import pgvector_index
from recommend.services.pgvector_index import PgVectorIndex

log = structlog.get_logger(__name__)

#: From so many products on, an index that reads only what can win beats a scan (and costs their memory once more).
INDEX_FROM = 10_000
INDEX = "index"
#: This file in an artifact says that its vectors are in PostgreSQL, too.
IN_POSTGRES = "in-postgres"
#: Versions that are tried where the one in use cannot be read.
LAST_GOOD = 3

_lock = threading.Lock()
#: Shop → (artifact directory in use, what serves: its content, or a stand-in where it is corrupt).
#: Directories are never used twice, primary keys may be.
_loaded: dict[int, tuple[str, Served]] = {}
_broken: set[str] = set()
#: Artifact directory → a version that an experiment tries out; the latest few, since stopped experiments leave theirs.
_on_trial: dict[str, Served] = {}
MOST_ON_TRIAL = 16


@dataclass(frozen=True, eq=False)
class Served:
    """A shop's recommender in use, loaded; one object as long as it serves."""

    recommender_id: int
    fitted: FittedRecommender


def with_deployed(merchants: QuerySet[Merchant]) -> QuerySet[Merchant]:
    """Read along which version is in use, so that ``deployed`` needs no query of its own."""
    in_use = Recommender.objects.filter(merchant=OuterRef("pk"), status=Recommender.Status.DEPLOYED)
    return merchants.annotate(
        deployed_id=Subquery(in_use.values("pk")[:1]), deployed_directory=Subquery(in_use.values("directory")[:1])
    )


def deployed(merchant: Merchant, instead: Version | None = None) -> Served | None:
    """The shop's recommender in use; None where there is none that can be read.

    A corrupt artifact is logged once; the version that was in use before it goes on serving. ``instead``: the version
    that an experiment tries out; where it cannot be read, the one in use serves.
    """
    if instead is not None:
        tried = _tried(instead)
        if tried is not None:
            return tried
    row = _in_use(merchant)
    if row is None:
        return None
    recommender_id, directory = row
    known = _loaded.get(merchant.pk)
    if known is not None and known[0] == directory:
        return known[1]
    with _lock:
        fitted = _load(directory)
        served = Served(recommender_id, fitted) if fitted is not None else _last_good(merchant, directory)
        if served is not None:
            _loaded[merchant.pk] = (directory, served)
        return served


def _tried(version: Version) -> Served | None:
    known = _on_trial.get(version.directory)
    if known is None:
        with _lock:
            fitted = _load(version.directory)
            if fitted is None:
                return None
            known = _on_trial[version.directory] = Served(version.recommender_id, fitted)
            while len(_on_trial) > MOST_ON_TRIAL:
                _on_trial.pop(next(iter(_on_trial)))
    return known


_IN_USE = PreparedRead(
    lambda merchant_id: (
        Recommender.objects.filter(merchant_id=merchant_id, status=Recommender.Status.DEPLOYED)
        .order_by()
        .values_list("pk", "directory")
    )
)


def _in_use(merchant: Merchant) -> tuple[int, str] | None:
    if hasattr(merchant, "deployed_id"):
        recommender_id, directory = merchant.deployed_id, getattr(merchant, "deployed_directory", "")
        return (recommender_id, directory) if recommender_id is not None else None
    return next(iter(_IN_USE.rows(merchant.pk)), None)  # type: ignore[return-value]


def _last_good(merchant: Merchant, directory: str) -> Served | None:
    """The version that was in use before, or the one before that, whose files can be read."""
    before = Recommender.objects.filter(merchant=merchant, deployed_at__isnull=False).exclude(directory=directory)
    for recommender_id, name in before.order_by("-deployed_at").values_list("pk", "directory")[:LAST_GOOD]:
        fitted = _load(name)
        if fitted is not None:
            log.warning("recommender.stands_in", directory=name, for_directory=directory)
            return Served(recommender_id, fitted)
    return None


def save(fitted: FittedRecommender, directory: Path, *, typical_queries: NDArray[np.floating]) -> None:
    """Write the artifact and the index that web workers search, where the shop is large or wants it in PostgreSQL.

    ``typical_queries``: Q×D.
    """
    fitted.save(directory)
    if settings.SEARCH == "pgvector":
        PgVectorIndex.build(_name_in_postgres(directory), np.asarray(fitted.item_matrix))
        (directory / IN_POSTGRES).touch()
    elif len(fitted.item_ids) >= INDEX_FROM:
        index = ExactIndex.build(
            np.asarray(fitted.item_matrix),
            bias_column=fitted.bias_column,
            typical_queries=typical_queries if len(typical_queries) else None,
        )
        index.save(directory / INDEX)


def discard(directory: Path) -> None:
    """Delete an artifact, and what PostgreSQL holds of it."""
    if (directory / IN_POSTGRES).exists() and connection.vendor == "postgresql":
        pgvector_index.drop(_name_in_postgres(directory))
    shutil.rmtree(directory, ignore_errors=True)


def _name_in_postgres(directory: Path) -> str:
    """``<fit's UUID>-<fence>`` as a part of a table's name."""
    return directory.name.replace("-", "").lower()


def _load(name: str) -> FittedRecommender | None:
    if name in _broken:
        return None
    directory = settings.ARTIFACTS_ROOT / name
    try:
        fitted = FittedRecommender.load(directory)
    except EngineError as error:
        _broken.add(name)
        log.error("recommender.unreadable", directory=name, code=error.code, error=str(error))
        return None
    if settings.SEARCH == "pgvector" and (directory / IN_POSTGRES).exists():
        in_postgres = PgVectorIndex(_name_in_postgres(directory), np.asarray(fitted.item_matrix))
        if in_postgres.is_there:
            return fitted.with_index(in_postgres)
        log.error("recommender.vectors_missing", directory=name)  # searched in memory, then: slower or not, right
    if not (directory / INDEX).is_dir():
        return fitted
    try:
        return fitted.with_index(ExactIndex.load(directory / INDEX))
    except EngineError as error:  # slower without it, and right all the same
        log.error("recommender.index_unreadable", directory=name, code=error.code, error=str(error))
        return fitted


def forget() -> None:
    """Drop what is loaded."""
    _loaded.clear()
    _on_trial.clear()
    _broken.clear()
