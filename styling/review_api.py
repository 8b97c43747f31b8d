"""Review over the API: look at renderings, move them, take it back, render again."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import OwnViewSet
from catalog.models import Membership
from catalog.permissions import merchant_of
from jobs.errors import NotFound
from styling import serializers as shapes
from styling.models import StyledImage
from styling.services import review, stylising


def accepted(data: Any, address: str, run: Any) -> Response:
    """202, with the address at which to watch the job."""
    return Response(
        data, status=status.HTTP_202_ACCEPTED, headers={"Location": reverse(f"api:{address}-detail", args=[run.pk])}
    )


@extend_schema_view(list=extend_schema(summary="Renderings, to review or published"))
class StyledImageViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """Renderings of product pictures, and their review."""

    queryset = StyledImage.objects.select_related("merchant", "style", "product_image", "style_model")
    serializer_class = shapes.StyledImageSerializer
    filterset_fields = ["status", "is_flagged", "style__slug", "run", "product_image__product__sku"]
    write_role = Membership.Role.REVIEWER

    def _one(self, verb: Any, **options: Any) -> Response:
        image = self.get_object()
        verb(images=[image], by=self.request.user, **options).require_all()
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(summary="Approve", request=None, responses=shapes.StyledImageSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        return self._one(review.approve)

    @extend_schema(
        summary="Reject, with a reason", request=shapes.RejectionSerializer, responses=shapes.StyledImageSerializer
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str | None = None) -> Response:
        return self._one(review.reject, **_valid(shapes.RejectionSerializer, request))

    @extend_schema(
        summary="Publish an approved rendering",
        request=shapes.PublicationSerializer,
        responses=shapes.StyledImageSerializer,
    )
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str | None = None) -> Response:
        return self._one(review.publish, **_valid(shapes.PublicationSerializer, request))

    @extend_schema(summary="Take off the storefront", request=None, responses=shapes.StyledImageSerializer)
    @action(detail=True, methods=["post"])
    def unpublish(self, request: Request, pk: str | None = None) -> Response:
        return self._one(review.unpublish)

    @extend_schema(
        summary="Render again with other options or another version",
        request=shapes.RegenerationSerializer,
        responses={202: shapes.StylisationSerializer},
    )
    @action(detail=True, methods=["post"])
    def regenerate(self, request: Request, pk: str | None = None) -> Response:
        image = self.get_object()
        asked = shapes.RegenerationSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        changes = dict(asked.validated_data)
        model = changes.pop("style_model", None)
        options = stylising.StyliseOptions.from_dict({**image.options, **changes})
        run = stylising.regenerate(image=image, by=request.user, options=options, style_model=model)
        shown = shapes.StylisationSerializer(run, context=self.get_serializer_context())
        return accepted(shown.data, "stylisation", run)

    @extend_schema(
        summary="Review many at once; what could not be moved is said, with its reason",
        request=shapes.ReviewRequestSerializer,
        responses=shapes.OutcomeSerializer,
    )
    @action(detail=False, methods=["post"], url_path="review", filterset_fields=[])
    def review_many(self, request: Request) -> Response:
        asked = _valid(shapes.ReviewRequestSerializer, request)
        images = self._own(asked["ids"])
        verb, options = _VERBS[asked["action"]]
        outcome = verb(images=images, by=request.user, **{name: asked[name] for name in options})
        return Response(shapes.OutcomeSerializer(outcome).data)

    @extend_schema(
        summary="Take back what one review did", request=shapes.UndoSerializer, responses=shapes.OutcomeSerializer
    )
    @action(detail=False, methods=["post"], filterset_fields=[])
    def undo(self, request: Request) -> Response:
        batch = _valid(shapes.UndoSerializer, request)["batch"]
        outcome = review.undo(batch=batch, merchant=merchant_of(request), by=request.user)
        return Response(shapes.OutcomeSerializer(outcome).data)

    def _own(self, ids: list[int]) -> QuerySet[StyledImage]:
        images = self.get_queryset().filter(pk__in=ids)
        if images.count() < len(set(ids)):
            raise NotFound("no-such-rendering", "Some of these renderings do not exist.")
        return images


#: The verbs of review by name, and the options that each takes from the request.
_VERBS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "approve": (review.approve, ()),
    "reject": (review.reject, ("reason",)),
    "publish": (review.publish, ("accept_flagged",)),
    "approve_and_publish": (review.approve_and_publish, ("accept_flagged",)),
    "unpublish": (review.unpublish, ()),
}


def _valid(shape: Any, request: Request) -> dict[str, Any]:
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
