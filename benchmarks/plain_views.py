"""What a developer writes without further thought: the yardsticks."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import ApiToken, Product
from catalog.permissions import merchant_of
from recommend.models import Interaction, Shopper


def bare_json(request: HttpRequest) -> JsonResponse:
    """The least that a view can answer with, through the same middleware."""
    return JsonResponse({"ok": True})


class PlainEventSerializer(serializers.ModelSerializer[Interaction]):
    shopper = serializers.SlugRelatedField(slug_field="pseudonym", queryset=Shopper.objects.all())
    product = serializers.SlugRelatedField(slug_field="sku", queryset=Product.objects.all())

    class Meta:
        model = Interaction
        fields = ["event_id", "shopper", "product", "kind", "value", "slot", "position", "occurred_at"]


class PlainEvents(APIView):
    """``many=True``: each event validated by the serializer and saved, the request in one transaction."""

    token_scopes = (ApiToken.Scope.EVENTS,)

    def post(self, request: Request) -> Response:
        serializer: Any = PlainEventSerializer(data=request.data, many=True)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            serializer.save(merchant=merchant_of(request))
        return Response({"stored": len(serializer.data)}, status=201)
