"""The background work of recommending."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from celery import shared_task

from catalog.models import Merchant
from jobs.context import JobContext
from jobs.registry import job_handler
from recommend.experiments.services import lifecycle
from recommend.models import Recommender
from recommend.services import fitting, health, policies, shoppers
from recommend.services.daily_rates import count_up

log = structlog.get_logger(__name__)


@job_handler(fitting.KIND)
def fit_recommender(context: JobContext) -> dict[str, Any]:
    """Fit, store, and deploy when it is not worse."""
    return fitting.run_fit(context)


@shared_task(name="recommend.purge")
def purge_old_interactions() -> None:
    """Delete what is older than the retention time, and what crashes left of erasures (daily, by the beat)."""
    log.info("recommend.purged", **shoppers.purge(), **shoppers.tidy_up(), exposures=lifecycle.forget_exposures())


@shared_task(name="recommend.fit_due")
def fit_due_shops() -> None:
    """Ask for a new version where enough has happened, and look every shop's over (hourly, by the beat)."""
    asked = 0
    for merchant in Merchant.objects.open().filter(recommenders__isnull=False).distinct():
        with _logged_failure(merchant):
            asked += fitting.start_due_fit(merchant=merchant)
            if Recommender.objects.filter(merchant=merchant, status=Recommender.Status.DEPLOYED).exists():
                health.health_of(merchant)
    log.info("recommend.fits_asked_for", count=asked)


@shared_task(name="recommend.count_up")
def count_interactions() -> None:
    """Count what has come in into the days' sums (every few minutes, by the beat)."""
    log.info("recommend.counted", passed=count_up())


@shared_task(name="recommend.learn")
def learn_rendering_policies() -> None:
    """Teach every shop's rendering policy what the slates that came due have earned (every few minutes, by the beat)."""
    for merchant in Merchant.objects.open().filter(bandit_enabled=True):
        with _logged_failure(merchant):
            learned = policies.learn(merchant=merchant)
            if learned:
                log.info("recommend.policy_learned", merchant=merchant.pk, renderings=learned)


@contextmanager
def _logged_failure(merchant: Merchant) -> Iterator[None]:
    """One shop's turn in a round: its error is logged with its name, and the round goes on to the next shop."""
    try:
        yield
    except Exception:
        log.exception("recommend.shop_failed", merchant=merchant.pk)
