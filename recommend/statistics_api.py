"""What shoppers did by category, style and week, over the API: numbers of at least ten shoppers, or none."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.permissions import merchant_of
from recommend.services import statistics

DEFAULT_WEEKS = 4


class StatisticsLineSerializer(serializers.Serializer[Any]):
    week = serializers.DateField(help_text="The Monday that the week begins with.")
    category = serializers.CharField(allow_null=True, help_text="Its address; empty: without one; null: all of them.")
    category_name = serializers.CharField()
    style = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="Its address; empty: the original photo; null: all of them."
    )
    style_name = serializers.CharField()
    numbers = inline_serializer(
        "StatisticsNumbers", {measure: serializers.IntegerField(allow_null=True) for measure in statistics.MEASURES}
    )


class StatisticsView(APIView):
    """Statistics that are fit to be passed on."""

    @extend_schema(
        summary="What shoppers did by category, style and week",
        description=(
            "Of the last whole weeks, each with its totals. A number is null where it speaks of fewer than "
            "`smallest_group` shoppers, or where such a number would follow from it and the totals."
        ),
        parameters=[
            OpenApiParameter(
                "weeks",
                OpenApiTypes.INT,
                description=f"How many whole weeks (1 to {statistics.MOST_WEEKS}); 4 if unsaid.",
            )
        ],
        responses=inline_serializer(
            "Statistics",
            {"smallest_group": serializers.IntegerField(), "lines": StatisticsLineSerializer(many=True)},
        ),
    )
    def get(self, request: Request) -> Response:
        weeks = statistics.weeks_from(request.query_params.get("weeks", ""), default=DEFAULT_WEEKS)
        lines = statistics.by_category_style_and_week(merchant=merchant_of(request), weeks=weeks)
        return Response(
            {"smallest_group": settings.STATISTICS_MINIMUM_GROUP, "lines": [asdict(line) for line in lines]}
        )
