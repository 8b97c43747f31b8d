"""The deployed recommender of each shop, memory-mapped in every web process and swapped when another is deployed."""

from __future__ import annotations

import threading

import structlog
from django.conf import settings

from recommend.engine.errors import EngineError
from recommend.engine.fitted import FittedRecommender
from recommend.models import Recommender

log = structlog.get_logger(__name__)

_lock = threading.Lock()
_loaded: dict[int, tuple[int, FittedRecommender]] = {}
_broken: set[int] = set()


def deployed(merchant_id: int) -> tuple[Recommender, FittedRecommender] | None:
    """The shop's recommender in use, loaded; None where there is none that can be read.

    Costs one small query. A corrupt artifact is logged once; the one that was loaded before it goes on serving.
    """
    row = Recommender.objects.filter(merchant_id=merchant_id, status=Recommender.Status.DEPLOYED).first()
    if row is None:
        return None
    known = _loaded.get(merchant_id)
    if known is not None and known[0] == row.pk:
        return row, known[1]
    with _lock:
        fitted = _load(row)
        if fitted is not None:
            _loaded[merchant_id] = (row.pk, fitted)
            return row, fitted
    return (row, known[1]) if known is not None else None


def _load(row: Recommender) -> FittedRecommender | None:
    if row.pk in _broken:
        return None
    try:
        return FittedRecommender.load(settings.ARTIFACTS_ROOT / row.directory)
    except EngineError as error:
        _broken.add(row.pk)
        log.error("recommender.unreadable", recommender=row.pk, code=error.code, error=str(error))
        return None


def forget() -> None:
    """Drop what is loaded (tests that reuse ids need it)."""
    _loaded.clear()
    _broken.clear()
