"""``/healthz`` (this process answers) and ``/readyz`` (its parts do too)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.presence import workers_seen


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """The process is alive; says nothing of what it depends on."""
    return JsonResponse({"status": "ok"})


@require_safe
def no_icon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for an icon wherever they are; nothing is an answer, a missing page would be logged as an error."""
    return HttpResponse(status=204)


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Every part that a request or a job needs, one by one; 503 where one does not answer."""
    parts = {
        "database": _database,
        "broker": _broker,
        "worker_default": lambda: bool(workers_seen("default")),
        "worker_gpu": lambda: bool(workers_seen("gpu")),
        "storage": _storage,
    }
    found = {name: _holds(check) for name, check in parts.items()}
    ready = all(found.values())
    return JsonResponse({"status": "ready" if ready else "not ready", "parts": found}, status=200 if ready else 503)


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:  # noqa: BLE001 - whatever is wrong with a part, the answer is that it is not ready
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def _broker() -> bool:
    cache.set("readyz", os.getpid(), 5)
    return cache.get("readyz") is not None


def _storage() -> bool:
    if settings.S3_BUCKET:
        return True  # asked on first use; a write per probe would cost money
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.MEDIA_ROOT) as probe:
        probe.write(b"ready")
    return True
