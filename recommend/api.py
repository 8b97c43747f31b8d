"""Events, shoppers' consent and fits over the API, and the addresses of all that shoppers and recommendations have there."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view, inline_serializer
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api import OwnViewSet
from catalog.models import ApiToken, Membership
from catalog.permissions import merchant_of
from jobs.errors import NotFound, UserError
from recommend.models import Interaction, Recommender, RecommenderFit, Shopper
from recommend.recommendations_api import MailBlockView, RecommendationsView
from recommend.services import event_stream, fitting, shoppers
from recommend.services.events import parse_batch
from recommend.statistics_api import StatisticsView

_EVENTS_SCOPE = (ApiToken.Scope.EVENTS,)


class EventSerializer(serializers.Serializer[Any]):
    """One event, as documented; the endpoint checks by hand, for speed."""

    id = serializers.UUIDField(help_text="Chosen by you; the same id again changes nothing.")
    shopper = serializers.CharField(max_length=200, help_text="Your own id of the person.")
    product = serializers.CharField(max_length=64, help_text="SKU.")
    kind = serializers.ChoiceField(choices=Interaction.Kind.choices)
    value = serializers.FloatField(
        required=False,
        help_text="A rating; of a purchase what was paid for all pieces of the product, 0 or more, in the shop's currency.",
    )
    currency = serializers.CharField(
        required=False, help_text="Three letters. Sent along, it must be the shop's: amounts are not converted."
    )
    rendering = serializers.IntegerField(required=False, min_value=0)
    slot = serializers.CharField(required=False, max_length=20)
    slate = serializers.UUIDField(required=False)
    position = serializers.IntegerField(required=False, min_value=0)
    occurred_at = serializers.DateTimeField(required=False)


_EVENTS_ANSWER = inline_serializer(
    "EventsAccepted",
    {
        "accepted": serializers.IntegerField(),
        "state": serializers.ChoiceField(choices=["queued", "stored"]),
        "refused": inline_serializer(
            "RefusedEvent",
            {
                "index": serializers.IntegerField(),
                "code": serializers.CharField(),
                "message": serializers.CharField(),
            },
            many=True,
        ),
    },
)


class EventsView(APIView):
    """Take a batch of events durably and answer at once."""

    token_scopes = _EVENTS_SCOPE

    @extend_schema(
        summary="Send events (at most 1,000)",
        description=(
            "Events of shoppers without recorded consent, or with personalisation switched off, are passed over: consent "
            "comes first."
        ),
        request=inline_serializer("Events", {"events": EventSerializer(many=True)}),
        responses={202: _EVENTS_ANSWER},
        examples=[
            OpenApiExample(
                "A click",
                value={
                    "events": [
                        {
                            "id": "0190f5a6-3c0e-7c5e-9f0e-0c5b2f5c8f11",
                            "shopper": "customer-81",
                            "product": "VA-001",
                            "kind": "click",
                        }
                    ]
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        merchant = merchant_of(request)
        taken, refused = parse_batch(request.data, currency=merchant.currency)
        state = event_stream.append(merchant=merchant, events=taken) if taken else "stored"
        return Response(
            {
                "accepted": len(taken),
                "state": state,
                "refused": [{"index": r.index, "code": r.code, "message": r.message} for r in refused],
            },
            status=status.HTTP_202_ACCEPTED,
        )


class ConsentView(APIView):
    """A shopper's consent, as your own shop asked for it. DELETE erases everything about the person."""

    token_scopes = _EVENTS_SCOPE

    @extend_schema(
        summary="Record a shopper's consent",
        request=inline_serializer("Consent", {"personalisation": serializers.BooleanField(required=False)}),
        responses=inline_serializer(
            "ConsentState", {"consent": serializers.CharField(), "personalisation": serializers.BooleanField()}
        ),
    )
    def put(self, request: Request, visitor_id: str) -> Response:
        if len(visitor_id) > shoppers.LONGEST_VISITOR_ID or not visitor_id.isprintable():
            raise UserError("shopper-missing", _("“shopper” is your own id of the person, up to 200 characters."))
        shopper = shoppers.grant_consent(merchant=merchant_of(request), visitor_id=visitor_id)
        wanted = request.data.get("personalisation") if isinstance(request.data, dict) else None
        if isinstance(wanted, bool):
            shoppers.set_personalisation(shopper=shopper, enabled=wanted)
        return Response({"consent": shopper.consent, "personalisation": shopper.personalisation_enabled})

    @extend_schema(summary="Everything that is kept about a shopper", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, visitor_id: str) -> Response:
        return Response(shoppers.export(shopper=self._shopper(request, visitor_id)))

    @extend_schema(summary="Withdraw consent and erase everything about a shopper", responses={204: None})
    def delete(self, request: Request, visitor_id: str) -> Response:
        shoppers.erase(shopper=self._shopper(request, visitor_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _shopper(self, request: Request, visitor_id: str) -> Shopper:
        shopper = shoppers.find(merchant=merchant_of(request), visitor_id=visitor_id)
        if shopper is None:
            raise NotFound("no-such-shopper", _("Nothing is kept about this shopper."), _("Record consent first."))
        return shopper


class InteractionSerializer(serializers.ModelSerializer[Interaction]):
    shopper = serializers.StringRelatedField()  # type: ignore[var-annotated]
    product = serializers.SlugRelatedField(slug_field="sku", read_only=True)  # type: ignore[var-annotated]
    style = serializers.SlugRelatedField(slug_field="slug", read_only=True)  # type: ignore[assignment, var-annotated]

    class Meta:
        model = Interaction
        fields = ["event_id", "shopper", "product", "kind", "value", "style", "slot", "occurred_at"]
        read_only_fields = fields


@extend_schema_view(list=extend_schema(summary="Stored events, newest first"))
class InteractionViewSet(mixins.ListModelMixin, OwnViewSet):
    """What shoppers did, under their pseudonyms: a history of one person each, so that looking is not enough."""

    read_role = Membership.Role.EDITOR
    queryset = Interaction.objects.select_related("shopper", "product", "style")
    serializer_class = InteractionSerializer
    filterset_fields = ["kind", "slot"]


class RecommenderSerializer(serializers.ModelSerializer[Recommender]):
    class Meta:
        model = Recommender
        fields = ["id", "version", "status", "metrics", "held_reason", "created_at", "deployed_at"]
        read_only_fields = fields


class RecommenderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """Fitted versions with their scores."""

    queryset = Recommender.objects.select_related("merchant")
    serializer_class = RecommenderSerializer

    @extend_schema(
        summary="Serve with this version (or roll back to it)", request=None, responses=RecommenderSerializer
    )
    @action(detail=True, methods=["post"])
    def deploy(self, request: Request, pk: str | None = None) -> Response:
        recommender = fitting.deploy(recommender=self.get_object(), by=request.user)
        return Response(self.get_serializer(recommender).data)


class RecommenderFitSerializer(serializers.ModelSerializer[RecommenderFit]):
    class Meta:
        model = RecommenderFit
        fields = ["id", "status", "fraction", "progress_message", "result", "error_code", "error_message", "created_at"]
        read_only_fields = fields


class RecommenderFitViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnViewSet):
    """Fits as jobs."""

    queryset = RecommenderFit.objects.all()
    serializer_class = RecommenderFitSerializer

    @extend_schema(summary="Fit a new version", request=None, responses={202: RecommenderFitSerializer})
    def create(self, request: Request) -> Response:
        job = fitting.start_fit(merchant=merchant_of(request), by=request.user)
        return Response(
            self.get_serializer(job).data,
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": f"/api/v1/jobs/{job.pk}/"},
        )


ROUTES = [
    ("interactions", InteractionViewSet, "interaction"),
    ("recommenders", RecommenderViewSet, "recommender"),
    ("recommender-fits", RecommenderFitViewSet, "recommender-fit"),
]
PATHS = [
    path("events/", EventsView.as_view(), name="events"),
    path("recommendations/", RecommendationsView.as_view(), name="recommendations"),
    path("recommendations/email/", MailBlockView.as_view(), name="recommendations-email"),
    path("statistics/", StatisticsView.as_view(), name="statistics"),
    path("shoppers/<str:visitor_id>/", ConsentView.as_view(), name="shopper"),
]
