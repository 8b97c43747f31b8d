"""Ad creatives over the API: sets, their pictures and links, what came back."""

from __future__ import annotations

from typing import Any

from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import OwnViewSet
from catalog.permissions import merchant_of
from recommend.creatives import serializers as shapes
from recommend.creatives.brief import Brief
from recommend.creatives.models import Creative, CreativeSet
from recommend.creatives.services import sets
from recommend.creatives.services.figures import ReportedDay, figures_of, report_impressions


def _watched(data: Any, run: Any, code: int) -> Response:
    """An answer with the address at which to watch the drawing."""
    return Response(data, status=code, headers={"Location": f"/api/v1/jobs/{run.pk}/"} if run else {})


@extend_schema_view(list=extend_schema(summary="Sets of creatives"), retrieve=extend_schema(summary="One set"))
class CreativeSetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """Products × formats under one brief."""

    queryset = CreativeSet.objects.select_related("merchant", "style")
    serializer_class = shapes.CreativeSetSerializer
    filterset_fields = ["style__slug"]

    @extend_schema(
        summary="Ask for creatives",
        request=shapes.SetRequestSerializer,
        responses={202: shapes.CreativeSetSerializer},
    )
    def create(self, request: Request) -> Response:
        asked = shapes.SetRequestSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        fields = dict(asked.validated_data)
        made = sets.create_set(
            merchant=merchant_of(request),
            by=request.user,
            products=fields["products"],
            brief=Brief.from_dict(fields.get("brief", {})),
            style=fields.get("style"),
            name=fields.get("name", ""),
        )
        return _watched(self.get_serializer(made).data, sets.drawing_of(made), status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Delete a set; its links go on leading to the products")
    def destroy(self, request: Request, pk: str | None = None) -> Response:
        sets.delete_set(creative_set=self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Draw again: all, or the creatives named",
        request=shapes.AgainSerializer,
        responses={202: shapes.CreativeSetSerializer},
    )
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str | None = None) -> Response:
        asked = shapes.AgainSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        creative_set = self.get_object()
        run = sets.draw_again(
            creative_set=creative_set, by=request.user, creatives=asked.validated_data.get("creatives")
        )
        return _watched(self.get_serializer(creative_set).data, run, status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Clicks, click-through and orders", responses=shapes.FiguresSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_fields=[])
    def figures(self, request: Request, pk: str | None = None) -> Response:
        creatives = self.get_object().creatives.select_related("link")
        return Response(shapes.FiguresSerializer(figures_of(creatives), many=True).data)


@extend_schema_view(list=extend_schema(summary="Creatives"), retrieve=extend_schema(summary="One creative"))
class CreativeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """Advertising pictures and their tracked links."""

    queryset = Creative.objects.select_related("merchant", "link")
    serializer_class = shapes.CreativeSerializer
    filter_backends = [DjangoFilterBackend]
    filterset_fields = ["creative_set", "sku", "format", "problem"]

    @extend_schema(summary="Delete a creative; its link goes on leading to the product")
    def destroy(self, request: Request, pk: str | None = None) -> Response:
        sets.delete_creative(creative=self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Report impressions by code and day; the same again replaces the figure",
        request=shapes.ImpressionsSerializer,
        responses=inline_serializer("ImpressionsStored", {"stored": serializers.IntegerField()}),
    )
    @action(detail=False, methods=["post"], filterset_fields=[])
    def impressions(self, request: Request) -> Response:
        asked = shapes.ImpressionsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        days = [ReportedDay(**row) for row in asked.validated_data["days"]]
        return Response({"stored": report_impressions(merchant=merchant_of(request), by=request.user, days=days)})


ROUTES = [
    ("creative-sets", CreativeSetViewSet, "creative-set"),
    ("creatives", CreativeViewSet, "creative"),
]
