"""The durable record of background work. The row is the truth; the broker is only a doorbell.

Concrete kinds (``TrainingRun``, ``StylizationRun``, ``ImportRun``, ``RecommenderFit``) inherit from ``Job`` by
multi-table inheritance, so one table, one sweeper and one admin serve all of them.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.tenancy import tenancy

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class JobQuerySet(models.QuerySet["Job"]):
    """Reads that every door shares."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> JobQuerySet:
        """Jobs of the merchants that ``user`` is a member of (all, for a superuser)."""
        if getattr(user, "is_superuser", False):
            return self
        return self.filter(merchant_key__in=tenancy().merchant_ids_of(user))

    def unfinished(self) -> JobQuerySet:
        return self.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING])

    def with_expired_lease(self) -> JobQuerySet:
        """Running jobs whose worker has not been heard of for a whole lease."""
        return self.filter(status=Job.Status.RUNNING, lease_expires_at__lt=timezone.now())


class Job(models.Model):
    """One piece of background work: lifecycle, lease, progress, outcome."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        DEAD = "dead", _("Given up")

    #: The one table of allowed transitions; every change is a conditional UPDATE along it.
    TRANSITIONS: dict[str, frozenset[str]] = {
        "queued": frozenset({"running", "cancelled", "dead"}),
        "running": frozenset({"queued", "succeeded", "failed", "cancelled", "dead"}),
        "failed": frozenset({"queued"}),
        "cancelled": frozenset({"queued"}),
        "dead": frozenset({"queued"}),
        "succeeded": frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=60)
    queue = models.CharField(_("queue"), max_length=20, default="default")
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.QUEUED)
    merchant_key = models.BigIntegerField(_("merchant"), null=True, blank=True, db_index=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked for by"),
    )
    idempotency_key = models.CharField(max_length=120, unique=True, null=True, blank=True, editable=False)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)

    # Lease: a claim returns the fence; every later write carries it.
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    worker = models.CharField(_("worker"), max_length=120, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    rung_at = models.DateTimeField(_("last rung"), null=True, blank=True, editable=False)
    not_before = models.DateTimeField(null=True, blank=True, editable=False)
    attempt = models.PositiveIntegerField(_("attempt"), default=0, editable=False)
    fruitless_attempts = models.PositiveIntegerField(_("attempts without progress"), default=0, editable=False)
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True, editable=False)

    # Progress
    progress_done = models.PositiveBigIntegerField(default=0, editable=False)
    #: The most that any attempt has done since the job was asked for: only beyond it is progress that forgives attempts.
    progress_furthest = models.PositiveBigIntegerField(default=0, editable=False)
    progress_total = models.PositiveBigIntegerField(default=0, editable=False)
    progress_message = models.CharField(_("progress"), max_length=300, blank=True, editable=False)
    eta_seconds = models.FloatField(null=True, blank=True, editable=False)

    # Outcome
    error_code = models.CharField(_("error code"), max_length=60, blank=True, editable=False)
    error_message = models.TextField(_("what went wrong"), blank=True, editable=False)
    error_hint = models.TextField(_("what to do next"), blank=True, editable=False)

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["status", "lease_expires_at"], name="job_sweep"),
            models.Index(fields=["merchant_key", "-created_at"], name="job_merchant_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.id)[:8]}"

    @property
    def fraction(self) -> float:
        """Progress in [0, 1]."""
        if self.status == self.Status.SUCCEEDED:
            return 1.0
        return min(1.0, self.progress_done / self.progress_total) if self.progress_total else 0.0

    @property
    def is_finished(self) -> bool:
        return self.status not in {self.Status.QUEUED, self.Status.RUNNING}


class JobEvent(models.Model):
    """One line of a job's log: who did what to it, and when."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    name = models.CharField(_("event"), max_length=40)
    message = models.TextField(_("message"), blank=True)
    fence = models.PositiveBigIntegerField(default=0)
    data: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("job event")
        verbose_name_plural = _("job events")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.name} {self.message}"


class WorkerPresence(models.Model):
    """When a worker process was last heard of, and what it listens to."""

    name = models.CharField(_("worker"), max_length=120, primary_key=True)
    queues = models.JSONField(_("queues"), default=list)
    device = models.CharField(_("device"), max_length=60, blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return self.name
