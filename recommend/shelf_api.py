"""What ``<stylerec-shelf>`` asks from other shops' pages, with a publishable key: a shelf, consent, events.

A visitor is a random id that the page made for itself after consent. The ids live in a space of their own: nobody who
reads the key in a page's source can ask about the shop's own customers by guessing their numbers.
"""

from __future__ import annotations

import re
from typing import Any

from django.urls import path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.developers.keys import HasPublishableKey, PublishableKeyAuthentication
from catalog.developers.models import PublishableKey
from catalog.models import Merchant
from jobs.errors import NotFound, UserError
from recommend.models import Interaction, Shopper
from recommend.services import event_stream, shoppers
from recommend.services.cards import Picture
from recommend.services.events import parse_batch
from recommend.services.shelves import PAGE_SLOTS, Shelves
from recommend.services.slates import Presenter, ShownProduct

MOST_SHOWN = 24
MOST_EVENTS = 100
#: What a page may claim. A purchase is told by the shop's server, which knows of the payment.
KINDS = {
    Interaction.Kind.IMPRESSION,
    Interaction.Kind.VIEW,
    Interaction.Kind.CLICK,
    Interaction.Kind.ADD_TO_CART,
    Interaction.Kind.LIKE,
    Interaction.Kind.DISLIKE,
}
_VISITOR = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)


class ShelfPictureSerializer(serializers.Serializer[Any]):
    url = serializers.CharField()
    srcset = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    alt = serializers.CharField()


class ShelfItemSerializer(serializers.Serializer[Any]):
    sku = serializers.CharField()
    name = serializers.CharField()
    price = serializers.CharField()
    url = serializers.CharField(help_text="The product in the storefront of ours.")
    style = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    rendering = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    picture = ShelfPictureSerializer(allow_null=True)


class ShelfSerializer(serializers.Serializer[Any]):
    slate = serializers.UUIDField(allow_null=True)
    slot = serializers.CharField()
    known = serializers.BooleanField(help_text="Whether consent of this visitor is recorded.")
    personal = serializers.BooleanField()
    currency = serializers.CharField()
    language = serializers.CharField()
    items = ShelfItemSerializer(many=True)  # type: ignore[assignment]


class ShelfRequestView(APIView):
    """A request of a page, with a publishable key."""

    authentication_classes = [PublishableKeyAuthentication]
    permission_classes = [HasPublishableKey]

    @property
    def merchant(self) -> Merchant:
        assert isinstance(self.request.auth, PublishableKey)
        return self.request.auth.merchant


class ShelfView(ShelfRequestView):
    """A shelf for a page of another shop."""

    @extend_schema(
        summary="A shelf for a page, personal where its visitor agreed",
        parameters=[
            OpenApiParameter("slot", OpenApiTypes.STR, enum=list(PAGE_SLOTS), description="Default: home."),
            OpenApiParameter("n", OpenApiTypes.INT, description=f"How many, 1 to {MOST_SHOWN}; default 8."),
            OpenApiParameter(
                "X-Visitor", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The random id that the page made."
            ),
            OpenApiParameter("product", OpenApiTypes.STR, description="SKU that the page is about (slot product)."),
        ],
        responses=ShelfSerializer,
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params
        slot = asked.get("slot", "home")
        if slot not in PAGE_SLOTS:
            raise UserError("slot-unknown", _("There is no such slot."), _("Use one of: %s") % ", ".join(PAGE_SLOTS))
        visitor = request.headers.get("X-Visitor")
        shopper = self._known(visitor) if visitor else None
        personal = shopper is not None and shopper.personalisation_enabled and self.merchant.personalisation_enabled
        shelves = Shelves(self.merchant, shopper if personal else None)
        picks = shelves.shelf(slot, _count(asked.get("n", "")), product_id=self._product_id(asked.get("product", "")))
        slate = Presenter(shelves).slates({slot: picks})[slot]
        response = Response(
            {
                "slate": slate.id,
                "slot": slot,
                "known": shopper is not None,
                "personal": shelves.is_personal,
                "currency": self.merchant.currency,
                "language": get_language(),
                "items": [self._item(item) for item in slate.items],
            }
        )
        response["Cache-Control"] = "private, no-store"
        return response

    def _known(self, visitor: str) -> Shopper | None:
        return shoppers.find(merchant=self.merchant, visitor_id=visitor_id_of(visitor))

    def _product_id(self, sku: str) -> int | None:
        if not sku:
            return None
        found = self.merchant.products.filter(sku=sku).values_list("pk", flat=True) if sku.isprintable() else ()
        if not found:
            raise NotFound("no-such-product", _("The shop has no product with this SKU."), _("Check “product”."))
        return found[0]

    def _item(self, item: ShownProduct) -> dict[str, Any]:
        page = reverse("storefront:product", args=[self.merchant.slug, item.product.pk])
        return {
            "sku": item.product.sku,
            "name": item.name,
            "price": str(item.product.price),
            "url": self.request.build_absolute_uri(page),
            "style": item.rendering.style.slug if item.rendering else None,
            "rendering": item.rendering.pk if item.rendering else None,
            "reason": item.reason,
            "picture": self._picture(item.picture) if item.picture else None,
        }

    def _picture(self, picture: Picture) -> dict[str, Any]:
        absolute = self.request.build_absolute_uri
        sources = [part.rsplit(" ", 1) for part in picture.srcset.split(", ") if part]
        return {
            "url": absolute(picture.url),
            "srcset": ", ".join(f"{absolute(url)} {width}" for url, width in sources),
            "width": picture.width,
            "height": picture.height,
            "alt": picture.alt,
        }


class ShelfConsentView(ShelfRequestView):
    """A visitor's answer, as the page asked for it."""

    @extend_schema(
        summary="Record a visitor's consent, or withdraw it and erase everything",
        request=inline_serializer(
            "ShelfConsent", {"visitor": serializers.CharField(), "granted": serializers.BooleanField()}
        ),
        responses=inline_serializer("ShelfConsentState", {"known": serializers.BooleanField()}),
    )
    def put(self, request: Request) -> Response:
        body = request.data if isinstance(request.data, dict) else {}
        visitor_id, granted = visitor_id_of(body.get("visitor")), body.get("granted")
        if not isinstance(granted, bool):
            raise ValidationError({"granted": [_("True or false.")]})
        if granted:
            shoppers.grant_consent(merchant=self.merchant, visitor_id=visitor_id)
        elif (shopper := shoppers.find(merchant=self.merchant, visitor_id=visitor_id)) is not None:
            shoppers.erase(shopper=shopper)
        return Response({"known": granted})


class ShelfEventsView(ShelfRequestView):
    """What a visitor did on a page."""

    @extend_schema(
        summary=f"Send events of a page (at most {MOST_EVENTS})",
        request=inline_serializer(
            "ShelfEvents",
            {"visitor": serializers.CharField(), "events": serializers.ListField(child=serializers.DictField())},
        ),
        responses={202: inline_serializer("ShelfEventsAccepted", {"accepted": serializers.IntegerField()})},
    )
    def post(self, request: Request) -> Response:
        body = request.data if isinstance(request.data, dict) else {}
        visitor_id, events = visitor_id_of(body.get("visitor")), body.get("events")
        if isinstance(events, list):
            events = [
                {**event, "shopper": visitor_id}
                for event in events[:MOST_EVENTS]
                if isinstance(event, dict) and event.get("kind") in KINDS
            ]
        taken, _refused = parse_batch({"events": events}, currency=self.merchant.currency)
        if taken:
            event_stream.append(merchant=self.merchant, events=taken)
        return Response({"accepted": len(taken)}, status=status.HTTP_202_ACCEPTED)


def visitor_id_of(visitor: Any) -> str:
    """The id under which a page's visitor is looked up."""
    if not isinstance(visitor, str) or not _VISITOR.fullmatch(visitor):
        raise UserError(
            "visitor-malformed",
            _("A visitor is 22 to 64 random letters and digits."),
            _("Make one after consent, and keep it in the visitor's browser."),
        )
    return f"shelf|{visitor}"


def _count(text: str) -> int:
    number = int(text[:6]) if text.isdecimal() else 0
    return min(number, MOST_SHOWN) if number else 8


SHELF_PATHS = [
    path("shelf/", ShelfView.as_view(), name="shelf"),
    path("shelf/consent/", ShelfConsentView.as_view(), name="shelf-consent"),
    path("shelf/events/", ShelfEventsView.as_view(), name="shelf-events"),
]
