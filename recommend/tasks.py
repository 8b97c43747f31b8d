"""The background work of recommending."""

from __future__ import annotations

from typing import Any

import structlog
from celery import shared_task

from jobs.context import JobContext
from jobs.registry import job_handler
from recommend.services import fitting, shoppers

log = structlog.get_logger(__name__)


@job_handler(fitting.KIND)
def fit_recommender(context: JobContext) -> dict[str, Any]:
    """Fit, store, and deploy when it is not worse."""
    return fitting.run_fit(context)


@shared_task(name="recommend.purge")
def purge_old_interactions() -> None:
    """Delete what is older than the retention time (daily, by the beat)."""
    log.info("recommend.purged", **shoppers.purge())
