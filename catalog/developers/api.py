"""Webhooks (endpoints, secrets, the log of what was sent) and publishable keys over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import OwnViewSet
from catalog.developers import announcing, delivering, endpoints, keys
from catalog.developers.models import PublishableKey, WebhookDelivery, WebhookEndpoint
from catalog.models import Membership
from catalog.permissions import merchant_of


class WebhookEndpointSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    url = serializers.CharField(max_length=2000, help_text="A public https:// address.")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=WebhookEndpoint.Event.choices),
        required=False,
        max_length=len(WebhookEndpoint.Event),
        help_text="What to be told about; empty means everything.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["id", "url", "description", "events", "is_active", "failures", "disabled_at", "created_at"]
        read_only_fields = ["id", "failures", "disabled_at", "created_at"]


class NewWebhookEndpointSerializer(WebhookEndpointSerializer):
    secret = serializers.CharField(read_only=True, help_text="Signs every message. It is shown this once.")

    class Meta(WebhookEndpointSerializer.Meta):
        fields = [*WebhookEndpointSerializer.Meta.fields, "secret"]


class SecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField()


class AttemptSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(help_text="0 where nothing answered.")
    error = serializers.CharField(help_text="Empty where it arrived.")
    milliseconds = serializers.IntegerField()
    answer = serializers.CharField()


class WebhookDeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    log = AttemptSerializer(many=True, read_only=True)

    class Meta:
        model = WebhookDelivery
        fields = [
            "id",
            "endpoint",
            "message_id",
            "event",
            "body",
            "status",
            "attempts",
            "next_attempt_at",
            "log",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields


@extend_schema_view(
    list=extend_schema(summary="Webhooks"),
    retrieve=extend_schema(summary="One webhook"),
)
class WebhookEndpointViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """Addresses of yours that are told what happens, in messages signed after Standard Webhooks."""

    queryset = WebhookEndpoint.objects.select_related("merchant")
    serializer_class = WebhookEndpointSerializer
    write_role = Membership.Role.OWNER
    filterset_fields = ["is_active"]

    @extend_schema(
        summary="Add a webhook; its secret is shown this once",
        responses={201: NewWebhookEndpointSerializer},
        examples=[
            OpenApiExample(
                "Tell me about renderings",
                value={
                    "url": "https://shop.example/hooks/stylerec",
                    "events": ["styled_image.published", "styled_image.unpublished"],
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = {key: value for key, value in asked.validated_data.items() if key != "is_active"}
        endpoint, secret = endpoints.create_endpoint(merchant=merchant_of(request), by=request.user, **fields)
        shown = {**self.get_serializer(endpoint).data, "secret": secret}
        return Response(shown, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Change a webhook, or switch it on again")
    def partial_update(self, request: Request, pk: str | None = None) -> Response:
        endpoint = self.get_object()
        asked = self.get_serializer(endpoint, data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        endpoints.change_endpoint(endpoint=endpoint, by=request.user, **asked.validated_data)
        return Response(self.get_serializer(endpoint).data)

    @extend_schema(summary="Delete a webhook with its log", responses={204: None})
    def destroy(self, request: Request, pk: str | None = None) -> Response:
        endpoints.delete_endpoint(endpoint=self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="A new secret; the one before it goes on signing for a day", request=None, responses=SecretSerializer
    )
    @action(detail=True, methods=["post"])
    def rotate_secret(self, request: Request, pk: str | None = None) -> Response:
        return Response({"secret": endpoints.rotate_secret(endpoint=self.get_object(), by=request.user)})

    @extend_schema(summary="Send this webhook a test message", request=None, responses={202: None})
    @action(detail=True, methods=["post"])
    def ping(self, request: Request, pk: str | None = None) -> Response:
        announcing.ping(endpoint=self.get_object(), by=request.user)
        return Response(status=status.HTTP_202_ACCEPTED)


@extend_schema_view(
    list=extend_schema(summary="What was sent, and what became of it"), retrieve=extend_schema(summary="One message")
)
class WebhookDeliveryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """The log of messages: each attempt with its status and answer, for a month."""

    queryset = WebhookDelivery.objects.select_related("endpoint__merchant")
    serializer_class = WebhookDeliverySerializer
    filterset_fields = ["endpoint", "status", "event"]

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.none()
        return self.queryset.filter(endpoint__merchant=merchant_of(self.request))

    @extend_schema(summary="Send a finished message again", request=None, responses={202: WebhookDeliverySerializer})
    @action(detail=True, methods=["post"])
    def redeliver(self, request: Request, pk: str | None = None) -> Response:
        delivery = delivering.redeliver(delivery=self.get_object(), by=request.user)
        return Response(self.get_serializer(delivery).data, status=status.HTTP_202_ACCEPTED)


class PublishableKeySerializer(serializers.ModelSerializer[PublishableKey]):
    origins = serializers.ListField(
        child=serializers.CharField(max_length=300), max_length=keys.MOST_ORIGINS, help_text="https://shop.example"
    )

    class Meta:
        model = PublishableKey
        fields = ["id", "name", "key", "origins", "created_at", "revoked_at"]
        read_only_fields = ["id", "key", "created_at", "revoked_at"]


@extend_schema_view(
    list=extend_schema(summary="Publishable keys"), retrieve=extend_schema(summary="One publishable key")
)
class PublishableKeyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """Keys that may stand in the source of your pages: they show a shelf and send events, nothing else."""

    queryset = PublishableKey.objects.select_related("merchant")
    serializer_class = PublishableKeySerializer
    write_role = Membership.Role.OWNER

    @extend_schema(
        summary="Add a key for pages of your origins",
        responses={201: PublishableKeySerializer},
        examples=[
            OpenApiExample("My shop", value={"name": "Web", "origins": ["https://shop.example"]}, request_only=True)
        ],
    )
    def create(self, request: Request) -> Response:
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        key = keys.create_key(merchant=merchant_of(request), by=request.user, **asked.validated_data)
        return Response(self.get_serializer(key).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Revoke a key", responses={204: None})
    def destroy(self, request: Request, pk: str | None = None) -> Response:
        keys.revoke_key(key=self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


ROUTES = [
    ("publishable-keys", PublishableKeyViewSet, "publishable-key"),
    ("webhook-endpoints", WebhookEndpointViewSet, "webhook-endpoint"),
    ("webhook-deliveries", WebhookDeliveryViewSet, "webhook-delivery"),
]
