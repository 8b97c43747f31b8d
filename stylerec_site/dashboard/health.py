"""Training and queues: who works, what waits and for how long, and how the last trainings ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, OuterRef, Q, Subquery
from django.utils.safestring import SafeString

from catalog.models import Merchant
from jobs.models import Job, WorkerPresence
from jobs.presence import workers_seen
from jobs.registry import kind_name
from recommend.admin_charts import bar
from styling.models import TrainingRun, TrainingSample

#: What each queue is for; a queue that nobody listens to matters only once something waits in it.
QUEUES = ("default", "gpu")
TRAININGS = 5


@dataclass(frozen=True)
class Queue:
    """One queue: the workers that listen, and the shop's jobs in it."""

    name: str
    workers: list[WorkerPresence]
    waiting: int = 0
    running: int = 0
    oldest: datetime | None = None

    @property
    def stuck(self) -> bool:
        return bool(self.waiting) and not self.workers


@dataclass(frozen=True)
class Training:
    """A training and what came of it."""

    run: TrainingRun
    bar: SafeString
    score: float | None
    #: The address of its newest sample; empty where there is none.
    sample: str


@dataclass(frozen=True)
class Health:
    """The workshop at a glance."""

    queues: list[Queue]
    trainings: list[Training]
    running: list[Any] = field(default_factory=list)


def of_shop(shop: Merchant) -> Health:
    """The queues as this shop sees them, its last trainings and what runs now."""
    alive = workers_seen()
    unfinished = Job.objects.filter(merchant_key=shop.pk, status__in=["queued", "running"])
    counts = {
        row["queue"]: row
        for row in unfinished.order_by()
        .values("queue")
        .annotate(
            waiting=Count("pk", filter=Q(status="queued")),
            running=Count("pk", filter=Q(status="running")),
            oldest=Min("created_at", filter=Q(status="queued")),
        )
    }
    queues = []
    for name in sorted({*QUEUES, *counts}):
        count: Any = counts.get(name, {})
        listening = [worker for worker in alive if name in worker.queues]
        queues.append(Queue(name, listening, count.get("waiting", 0), count.get("running", 0), count.get("oldest")))
    newest = TrainingSample.objects.filter(run=OuterRef("pk")).order_by("-step").values("file")[:1]
    runs = TrainingRun.objects.filter(merchant=shop).annotate(newest_sample=Subquery(newest)).select_related("style")
    running = [
        {"job": job, "kind": kind_name(job.kind), "percent": round(100 * job.fraction)}
        for job in unfinished.filter(status="running").order_by("started_at")[:TRAININGS]
    ]
    return Health(queues, [_training(run) for run in runs.order_by("-created_at")[:TRAININGS]], running)


def _training(run: Any) -> Training:
    score = run.scores.get("style_score") if isinstance(run.scores, dict) else None
    value = score if isinstance(score, int | float) else run.fraction
    tone = {"succeeded": "good", "failed": "bad", "dead": "bad"}.get(run.status, "accent")
    sample = TrainingSample(file=run.newest_sample).file.url if run.newest_sample else ""
    return Training(run, bar(value, most=1.0, tone=tone), score, sample)
