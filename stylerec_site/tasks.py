"""Housekeeping of what no room owns: sessions and the record of log-ins."""

from __future__ import annotations

from datetime import timedelta

import structlog
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

log = structlog.get_logger(__name__)


@shared_task(name="site.purge")
def purge() -> dict[str, int]:
    """Forget expired sessions, and log-ins beyond ``LOGIN_LOG_DAYS`` (daily, by the beat); how many rows."""
    now = timezone.now()
    sessions = Session.objects.filter(expire_date__lt=now).delete()[0]
    before = now - timedelta(days=settings.LOGIN_LOG_DAYS)
    attempts = sum(
        model.objects.filter(attempt_time__lt=before).delete()[0]
        for model in (AccessAttempt, AccessLog, AccessFailureLog)
    )
    log.info("site.purged", sessions=sessions, attempts=attempts)
    return {"sessions": sessions, "attempts": attempts}
