"""Styling over the API: styles and their references, training, versions, stylisations. Review has a file of its own."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.http import HttpResponse
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.filters import OrderingFilter
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.throttling import UserRateThrottle

from catalog.api import OwnViewSet
from catalog.models import Category
from catalog.permissions import merchant_of
from catalog.preconditions import IF_MATCH, ConditionalWrites
from jobs import services as jobs
from jobs.errors import NotFound
from styling import realtime
from styling import serializers as shapes
from styling.models import Style, StyleModel, StylizationRun, TrainingRun
from styling.review_api import StyledImageViewSet, accepted
from styling.services import readiness, references, styles, stylising, training, versions


class RenderThrottle(UserRateThrottle):
    """Pictures rendered while somebody waits: each occupies a worker for a moment."""

    scope = "render"
    rate = "60/min"


@extend_schema_view(
    list=extend_schema(summary="Styles"),
    create=extend_schema(summary="Add a style"),
    partial_update=extend_schema(summary="Change names and descriptions", parameters=[IF_MATCH]),
)
class StyleViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, ConditionalWrites, OwnViewSet
):
    """Named looks that the shop's pictures can take on."""

    queryset = Style.objects.annotate(
        reference_count=Count("references"),
        deployed_version=Subquery(
            StyleModel.objects.filter(style=OuterRef("pk"), status=StyleModel.Status.DEPLOYED).values("version")[:1]
        ),
    )
    serializer_class = shapes.StyleSerializer
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    filterset_fields = ["slug"]

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        style = styles.create_style(merchant=merchant_of(request), by=request.user, **serializer.validated_data)
        shown = self.get_serializer(self.get_queryset().get(pk=style.pk))
        return Response(shown.data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with self.unchanged():
            return self.tagged(super().partial_update(request, *args, **kwargs))

    @extend_schema(summary="Delete a style with its models and renderings", parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str | None = None) -> Response:
        with self.unchanged() as style:
            styles.delete_style(style=style, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="A style's reference pictures", responses=shapes.ReferenceSerializer(many=True))
    @action(detail=True, parser_classes=[MultiPartParser], filterset_fields=[])
    def references(self, request: Request, pk: str | None = None) -> Response:
        page = self.paginate_queryset(self.get_object().references.all())
        data = shapes.ReferenceSerializer(page, many=True, context=self.get_serializer_context()).data
        return self.get_paginated_response(data)

    @extend_schema(
        summary="Add reference pictures: each file has its own outcome",
        request=shapes.ReferenceUploadSerializer,
        responses={200: shapes.REFERENCE_OUTCOMES},
    )
    @references.mapping.post
    def add_references(self, request: Request, pk: str | None = None) -> Response:
        upload = shapes.ReferenceUploadSerializer(data=request.data)
        upload.is_valid(raise_exception=True)
        style = self.get_object()
        outcomes = references.add_references(style=style, files=upload.validated_data["files"], by=request.user)
        shown = shapes.ReferenceOutcomeSerializer(outcomes, many=True, context=self.get_serializer_context())
        return Response(shown.data)

    @extend_schema(summary="Remove a reference picture", responses={204: None})
    @action(detail=True, methods=["delete"], url_path=r"references/(?P<reference_id>\d+)")
    def remove_reference(self, request: Request, reference_id: str, pk: str | None = None) -> Response:
        reference = self.get_object().references.select_related("style__merchant").filter(pk=reference_id).first()
        if reference is None:
            raise NotFound("no-such-reference", "This picture does not exist.")
        references.remove_reference(reference=reference, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="What to know before training",
        parameters=[OpenApiParameter("preset"), OpenApiParameter("source_category")],
        responses=shapes.FindingSerializer(many=True),
    )
    @action(detail=True, pagination_class=None, filterset_fields=[])
    def readiness(self, request: Request, pk: str | None = None) -> Response:
        style, slug = self.get_object(), request.query_params.get("source_category")
        category = Category.objects.filter(merchant=style.merchant_id, slug=slug).first() if slug else None
        if slug and category is None:
            raise NotFound("no-such-category", "This category does not exist.")
        settings = training.settings_for(preset_name=request.query_params.get("preset", "draft"))
        found = readiness.check_training(style=style, settings=settings, source_category=category)
        return Response(shapes.FindingSerializer(found, many=True).data)

    @extend_schema(
        summary="Put the version before the present one back into use",
        request=None,
        responses=shapes.StyleModelSerializer,
    )
    @action(detail=True, methods=["post"])
    def roll_back(self, request: Request, pk: str | None = None) -> Response:
        model = versions.roll_back(style=self.get_object(), by=request.user)
        return Response(shapes.StyleModelSerializer(model, context=self.get_serializer_context()).data)

    @extend_schema(
        summary="Render one picture while you wait",
        description="A JPEG in the style's model in use, or 503 within 20 seconds where no worker is free. Nothing is "
        "kept. `StyleRec-Truth` holds the product-truth report, `StyleRec-Flagged` whether it breaks the shop's limits.",
        request={"multipart/form-data": shapes.RenderRequestSerializer},
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY},
    )
    @action(
        detail=True,
        methods=["post"],
        parser_classes=[MultiPartParser],
        throttle_classes=[*api_settings.DEFAULT_THROTTLE_CLASSES, RenderThrottle],
    )
    def render(self, request: Request, pk: str | None = None) -> HttpResponse:
        asked = shapes.RenderRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = dict(asked.validated_data)
        file = fields.pop("file")
        options = stylising.StyliseOptions.from_dict(fields)
        made = realtime.render_now(style=self.get_object(), by=request.user, file=file, options=options)
        return HttpResponse(
            made.content,
            content_type="image/jpeg",
            headers={
                "Cache-Control": "no-store",
                "StyleRec-Truth": json.dumps(made.truth),
                "StyleRec-Flagged": "true" if made.breaches else "false",
            },
        )


class JobViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """Jobs of this room, newest first."""

    filter_backends = [DjangoFilterBackend, OrderingFilter]
    ordering = ["-created_at"]
    ordering_fields = ["created_at"]


@extend_schema_view(
    list=extend_schema(summary="Training runs"),
    retrieve=extend_schema(
        summary="One run with its losses, scores and samples", responses=shapes.TrainingRunDetailSerializer
    ),
)
class TrainingRunViewSet(JobViewSet):
    """Trainings of styles in the background."""

    queryset = TrainingRun.objects.select_related("merchant", "style", "source_category").prefetch_related("samples")
    serializer_class = shapes.TrainingRunSerializer
    filterset_fields = ["status", "style__slug"]

    def get_serializer_class(self) -> Any:
        return shapes.TrainingRunDetailSerializer if self.action == "retrieve" else shapes.TrainingRunSerializer

    @extend_schema(
        summary="Train a style",
        request=shapes.TrainingRequestSerializer,
        responses={202: shapes.TrainingRunSerializer},
    )
    def create(self, request: Request) -> Response:
        asked = shapes.TrainingRequestSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        run = training.start_training(
            style=asked.validated_data["style"],
            by=request.user,
            preset_name=asked.validated_data["preset"],
            overrides=asked.validated_data.get("settings"),
            source_category=asked.validated_data.get("source_category"),
        )
        return accepted(self.get_serializer(run).data, "training-run", run)

    @extend_schema(summary="Cancel a training", request=None, responses=shapes.TrainingRunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        run = self.get_object()
        training.cancel_training(run=run, by=request.user)
        return Response(self.get_serializer(run).data)

    @extend_schema(
        summary="Go on from the last checkpoint", request=None, responses={202: shapes.TrainingRunSerializer}
    )
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str | None = None) -> Response:
        run = self.get_object()
        training.resume_training(run=run, by=request.user)
        return accepted(self.get_serializer(run).data, "training-run", run)

    @extend_schema(
        summary="Train again with the same settings", request=None, responses={202: shapes.TrainingRunSerializer}
    )
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str | None = None) -> Response:
        run = training.train_again(run=self.get_object(), by=request.user)
        return accepted(self.get_serializer(run).data, "training-run", run)


@extend_schema_view(list=extend_schema(summary="Versions of styles' models"))
class StyleModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """Trained translators; one version of each style is in use."""

    queryset = StyleModel.objects.select_related("merchant", "style")
    serializer_class = shapes.StyleModelSerializer
    filterset_fields = ["status", "style__slug"]

    @extend_schema(summary="Use this version from now on", request=None, responses=shapes.StyleModelSerializer)
    @action(detail=True, methods=["post"])
    def deploy(self, request: Request, pk: str | None = None) -> Response:
        return Response(self.get_serializer(versions.deploy_model(model=self.get_object(), by=request.user)).data)

    @extend_schema(
        summary="Train this version further",
        description="A new run begins with what this version has learned, on the pictures that are there now.",
        request=shapes.FurtherTrainingSerializer,
        responses={202: shapes.TrainingRunSerializer},
    )
    @action(detail=True, methods=["post"], url_path="train-further")
    def train_further(self, request: Request, pk: str | None = None) -> Response:
        asked = shapes.FurtherTrainingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        run = training.train_further(model=self.get_object(), by=request.user, overrides=asked.validated_data)
        return accepted(
            shapes.TrainingRunSerializer(run, context=self.get_serializer_context()).data, "training-run", run
        )

    @extend_schema(summary="Take this version out of use", request=None, responses=shapes.StyleModelSerializer)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str | None = None) -> Response:
        return Response(self.get_serializer(versions.retire_model(model=self.get_object(), by=request.user)).data)


@extend_schema_view(list=extend_schema(summary="Stylisations"))
class StylisationViewSet(JobViewSet):
    """Batches of product pictures rendered in a style."""

    queryset = StylizationRun.objects.select_related("merchant", "style_model__style")
    serializer_class = shapes.StylisationSerializer
    filterset_fields = ["status", "style_model__style__slug"]

    @extend_schema(
        summary="Stylise products or pictures",
        request=shapes.StylisationRequestSerializer,
        responses={202: shapes.StylisationSerializer},
    )
    def create(self, request: Request) -> Response:
        asked = shapes.StylisationRequestSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        fields = dict(asked.validated_data)
        options = stylising.StyliseOptions.from_dict(fields.pop("options", {}))
        run = stylising.stylise(by=request.user, options=options, **fields)
        return accepted(self.get_serializer(run).data, "stylisation", run)

    @extend_schema(summary="Cancel a stylisation", request=None, responses=shapes.StylisationSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        run = self.get_object()
        jobs.request_cancel(job=run, by=request.user)
        return Response(self.get_serializer(run).data)


ROUTES: list[tuple[str, type[viewsets.GenericViewSet[Any]], str]] = [
    ("styles", StyleViewSet, "style"),
    ("training-runs", TrainingRunViewSet, "training-run"),
    ("style-models", StyleModelViewSet, "style-model"),
    ("stylisations", StylisationViewSet, "stylisation"),
    ("styled-images", StyledImageViewSet, "styled-image"),
]
