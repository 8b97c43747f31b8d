"""``/metrics`` for Prometheus: requests as they are answered, jobs and queues as the database has them at the moment.

Several web processes share their counters through files (``PROMETHEUS_MULTIPROC_DIR``, set before this module is
imported). The address answers only to ``Authorization: Bearer $STYLEREC_METRICS_TOKEN``; without a token set, it is off
in production.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from jobs.models import Job
from jobs.presence import workers_seen

REQUESTS = Counter("stylerec_requests", "Requests by view, method and status.", ["view", "method", "status"])
LATENCY = Histogram(
    "stylerec_request_seconds",
    "Time to answer, by view.",
    ["view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


class MetricsMiddleware:
    """Count and time every request under its view's name: an address would make a series per product."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        view = match.view_name if match and match.view_name else "unknown"
        REQUESTS.labels(view, request.method, response.status_code).inc()
        LATENCY.labels(view).observe(time.perf_counter() - began)
        return response


class JobsCollector(Collector):
    """Gauges read from the rows when they are asked for, so that they are right whichever process answers."""

    def collect(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("stylerec_jobs", "Jobs by kind and status.", labels=["kind", "status"])
        for kind, status, count in Job.objects.order_by().values_list("kind", "status").annotate(Count("pk")):
            jobs.add_metric([kind, status], count)
        yield jobs

        age = GaugeMetricFamily("stylerec_queue_age_seconds", "Age of the oldest waiting job.", labels=["queue"])
        waiting = Job.objects.filter(status=Job.Status.QUEUED).order_by().values_list("queue")
        for queue, oldest in waiting.annotate(Min("created_at")):
            age.add_metric([queue], (timezone.now() - oldest).total_seconds())
        yield age

        speed = GaugeMetricFamily("stylerec_job_steps_per_second", "Progress of running jobs.", labels=["kind", "job"])
        for job in Job.objects.filter(status=Job.Status.RUNNING).exclude(started_at=None):
            seconds = max(1.0, (timezone.now() - (job.started_at or job.created_at)).total_seconds())
            speed.add_metric([job.kind, str(job.pk)], job.progress_done / seconds)
        yield speed

        yield GaugeMetricFamily("stylerec_workers", "Workers heard of lately.", value=len(workers_seen()))


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics page."""
    _require_token(request)
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)
    else:
        registry.register(_Own())
    registry.register(JobsCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Own(Collector):
    """This process's counters, where no others share them."""

    def collect(self) -> Iterator[Metric]:
        yield from REQUESTS.collect()
        yield from LATENCY.collect()


def _require_token(request: HttpRequest) -> None:
    if not settings.METRICS_TOKEN:
        if settings.PRODUCTION:
            raise Http404
        return
    if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        raise Http404
