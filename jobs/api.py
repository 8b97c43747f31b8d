"""Jobs over the API: what runs, how far it is, cancel it, try it again, wait for it."""

from __future__ import annotations

import threading
import time
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import services
from jobs.models import Job, JobEvent
from jobs.tenancy import tenancy

#: The longest that one request may wait for news of a job.
LONGEST_WAIT_SECONDS = 25
#: Requests that may wait at once in this process: each holds a thread, and others want one too.
_waiting = threading.BoundedSemaphore(2)


class JobEventSerializer(serializers.ModelSerializer[JobEvent]):
    class Meta:
        model = JobEvent
        fields = ["at", "name", "message"]
        read_only_fields = fields


class JobSerializer(serializers.ModelSerializer[Job]):
    fraction = serializers.FloatField(read_only=True, help_text="Progress from 0 to 1.")
    error = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "status",
            "fraction",
            "progress_done",
            "progress_total",
            "progress_message",
            "eta_seconds",
            "attempt",
            "error",
            "result",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields

    def get_error(self, job: Job) -> dict[str, str] | None:
        if not job.error_code:
            return None
        return {"code": job.error_code, "message": job.error_message, "hint": job.error_hint}


@extend_schema_view(
    list=extend_schema(summary="Jobs of your shop, newest first"),
    retrieve=extend_schema(
        summary="One job; with `wait`, as soon as it moves",
        parameters=[
            OpenApiParameter(
                "wait",
                OpenApiTypes.INT,
                description=f"Wait up to so many seconds (≤ {LONGEST_WAIT_SECONDS}) for a change.",
            )
        ],
    ),
)
class JobViewSet(viewsets.ReadOnlyModelViewSet[Job]):
    """Background work as a resource: poll it, wait on it, cancel it, try it again."""

    serializer_class = JobSerializer
    queryset = Job.objects.all()
    filterset_fields = ["kind", "status"]

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Job.objects.none()
        return Job.objects.filter(merchant_key=tenancy().merchant_id_of(self.request))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        job = self.get_object()
        seconds = _seconds(request.query_params.get("wait"))
        if seconds and not job.is_finished and _waiting.acquire(blocking=False):
            try:
                _wait_for_news(job, seconds)
            finally:
                _waiting.release()
        return Response(self.get_serializer(job).data)

    @extend_schema(summary="Cancel a job", request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        job = self.get_object()
        services.request_cancel(job=job, by=request.user)
        return Response(self.get_serializer(job).data)

    @extend_schema(summary="Try a job again from its last checkpoint", request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str | None = None) -> Response:
        job = self.get_object()
        services.retry(job=job, by=request.user)
        return Response(self.get_serializer(job).data, status=202)

    @extend_schema(summary="A job's log", responses=JobEventSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_fields=[])
    def events(self, request: Request, pk: str | None = None) -> Response:
        return Response(JobEventSerializer(self.get_object().events.all()[:500], many=True).data)


def _seconds(text: str | None) -> float:
    """The wait that was asked for, within bounds; nonsense means none."""
    return float(min(int(text), LONGEST_WAIT_SECONDS)) if text and text.isdecimal() and len(text) < 6 else 0.0


def _wait_for_news(job: Job, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    before = _state(job)
    while time.monotonic() < deadline and not job.is_finished and _state(job) == before:
        time.sleep(0.25)
        job.refresh_from_db()


def _state(job: Job) -> tuple[object, ...]:
    return job.status, job.progress_done, job.progress_message


ROUTES = [("jobs", JobViewSet, "job")]
