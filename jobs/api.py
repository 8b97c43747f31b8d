"""Jobs over the API: what runs, how far it is, cancel it, try it again, wait for it."""

from __future__ import annotations

import time
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import server_sent_events, services
from jobs.models import Job, JobEvent
from jobs.tenancy import tenancy

#: The longest that one request may wait for news of a job.
LONGEST_WAIT_SECONDS = 25


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
        if seconds and not job.is_finished and server_sent_events.waiting.acquire(blocking=False):
            try:
                _wait_for_news(job, seconds)
            finally:
                server_sent_events.waiting.release()
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

    @extend_schema(
        summary="A job's log; with `Accept: text/event-stream`, live",
        description=(
            "Live, server-sent events: `log` (a line, with an id to resume from), `progress` and `end` (the job). A stream "
            "lasts a minute; reconnect with `Last-Event-ID`, as EventSource does by itself. After the end: 204."
        ),
        parameters=[
            OpenApiParameter(
                "Last-Event-ID", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The last `id` that you have."
            )
        ],
        responses={
            (200, "application/json"): JobEventSerializer(many=True),
            (200, server_sent_events.MEDIA_TYPE): OpenApiTypes.OBJECT,  # of each event: id, event, data
            204: OpenApiResponse(description="You have seen the end of this job: do not come back."),
        },
    )
    @action(
        detail=True,
        pagination_class=None,
        filterset_fields=[],
        renderer_classes=[JSONRenderer, server_sent_events.EventStreamRenderer],
    )
    def events(self, request: Request, pk: str | None = None) -> HttpResponseBase:
        job = self.get_object()
        if request.accepted_media_type != server_sent_events.MEDIA_TYPE or request.method == "HEAD":
            return Response(JobEventSerializer(job.events.all()[:500], many=True).data)
        after, seen_end = server_sent_events.resume_point(request.headers.get("Last-Event-ID", ""))
        if seen_end and job.is_finished:
            return Response(status=status.HTTP_204_NO_CONTENT)
        stream = server_sent_events.open_stream(
            job, owner=_owner_of(request), after=after, describe=lambda job: dict(self.get_serializer(job).data)
        )
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would keep it back
        return StreamingHttpResponse(stream, content_type=server_sent_events.MEDIA_TYPE, headers=headers)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """What is refused is JSON, whatever was asked for."""
        if getattr(response, "exception", False):
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


def _owner_of(request: Request) -> str:
    """Whose streams are counted together: the token's, or the user's."""
    token = getattr(request.auth, "pk", None)
    return f"token:{token}" if token else f"user:{request.user.pk}"


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
