"""What to show to whom, over the API: shelves as data, and as a block for an e-mail."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import ApiToken, Merchant, Product
from catalog.permissions import merchant_of
from jobs.errors import NotFound, UserError
from recommend.models import Shopper, Slate
from recommend.services import shoppers
from recommend.services.mail import mail_block, picks_for_mail
from recommend.services.shelves import SLOTS, Shelves
from recommend.services.slates import Presenter, ShownSlate

MOST_RECOMMENDED = 60
MOST_MAILED = 12


class RecommendedSerializer(serializers.Serializer[Any]):
    sku = serializers.CharField()
    name = serializers.CharField()
    price = serializers.DecimalField(max_digits=12, decimal_places=2)
    image = serializers.CharField(allow_null=True)
    style = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    rendering = serializers.IntegerField(allow_null=True)
    score = serializers.FloatField()
    reason_code = serializers.CharField()
    reason = serializers.CharField()


class SlateSerializer(serializers.Serializer[Any]):
    slate = serializers.UUIDField(allow_null=True, help_text="Send it back with the events that it leads to.")
    slot = serializers.CharField()
    personal = serializers.BooleanField()
    items = RecommendedSerializer(many=True)  # type: ignore[assignment]


class RecommendationsView(APIView):
    """What to show to whom, in which style, and why."""

    token_scopes = (ApiToken.Scope.EVENTS,)

    @extend_schema(
        summary="Products for a shopper, each with the style to show it in and the reason",
        parameters=[
            OpenApiParameter(
                "shopper", OpenApiTypes.STR, description="Your own id of the person; none for a stranger."
            ),
            OpenApiParameter("slot", OpenApiTypes.STR, enum=list(SLOTS), description="Default: home."),
            OpenApiParameter("product", OpenApiTypes.STR, description="SKU that the page is about (slot product)."),
            OpenApiParameter("n", OpenApiTypes.INT, description=f"How many, 1 to {MOST_RECOMMENDED}; default 12."),
        ],
        responses=SlateSerializer,
    )
    def get(self, request: Request) -> Response:
        merchant = merchant_of(request)
        slot = request.query_params.get("slot", "home")
        if slot not in SLOTS:
            raise UserError("slot-unknown", _("There is no such slot."), _("Use one of: %s") % ", ".join(SLOTS))
        profile = _profile(merchant, request.query_params.get("shopper", ""))
        shelves = Shelves(merchant, profile)
        presenter = Presenter(shelves)
        count = _count(request.query_params.get("n"))
        if slot == Slate.MAIL:
            picks = picks_for_mail(presenter, count)
        else:
            picks = shelves.shelf(slot, count, product_id=self._product_id(request))
        slate = presenter.slates({slot: picks})[slot]
        response = Response(_slate(slate, personal=shelves.is_personal))
        response["Cache-Control"] = "private, no-store"
        return response

    def _product_id(self, request: Request) -> int | None:
        sku = request.query_params.get("product", "")
        if not sku:
            return None
        known = merchant_of(request).products.filter(sku=sku) if sku.isprintable() else Product.objects.none()
        found = known.values_list("pk", flat=True).first()
        if found is None:
            raise NotFound("no-such-product", _("The shop has no product with this SKU."), _("Check “product”."))
        return found


class MailBlockView(APIView):
    """A block of products for a mail that you send."""

    token_scopes = (ApiToken.Scope.EVENTS,)

    @extend_schema(
        summary="A block of products for an e-mail, as HTML that mail programs read and as text",
        description="In the language of `Accept-Language`. What a shopper's mails showed of late is not shown again.",
        parameters=[
            OpenApiParameter("shopper", OpenApiTypes.STR, description="Your own id of the person; none for everybody."),
            OpenApiParameter("n", OpenApiTypes.INT, description=f"How many, 1 to {MOST_MAILED}; default 4."),
            OpenApiParameter(
                "href",
                OpenApiTypes.STR,
                description="Address of a product in your pages, with `{sku}`, and `{slate}` to send back with events.",
            ),
            OpenApiParameter(
                "preview", OpenApiTypes.BOOL, description="Only to look at: it does not count as mailed to the shopper."
            ),
        ],
        responses=inline_serializer(
            "MailBlock",
            {
                "slate": serializers.UUIDField(allow_null=True),
                "personal": serializers.BooleanField(),
                "html": serializers.CharField(),
                "text": serializers.CharField(),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        merchant, asked = merchant_of(request), request.query_params
        shelves = Shelves(merchant, _profile(merchant, asked.get("shopper", "")))
        block = mail_block(
            shelves,
            min(_count(asked.get("n"), default=4), MOST_MAILED),
            absolute=request.build_absolute_uri,
            href=asked.get("href", ""),
            keep=asked.get("preview", "").lower() not in {"true", "1"},
        )
        response = Response(asdict(block))
        response["Cache-Control"] = "private, no-store"
        return response


def _profile(merchant: Merchant, visitor_id: str) -> Shopper | None:
    """The shopper whose history may shape the answer; none for a stranger and where it is switched off."""
    if not visitor_id or not merchant.personalisation_enabled:
        return None
    shopper = shoppers.find(merchant=merchant, visitor_id=visitor_id)
    return shopper if shopper is not None and shopper.personalisation_enabled else None


def _count(text: str | None, *, default: int = 12) -> int:
    number = int(text[:6]) if text and text.isdecimal() else 0
    return min(number, MOST_RECOMMENDED) if number else default


def _slate(slate: ShownSlate, *, personal: bool) -> dict[str, Any]:
    return {
        "slate": slate.id,
        "slot": slate.slot,
        "personal": personal,
        "items": [
            {
                "sku": item.product.sku,
                "name": item.name,
                "price": str(item.product.price),
                "image": item.picture.url if item.picture else None,
                "style": item.rendering.style.slug if item.rendering else None,
                "rendering": item.rendering.pk if item.rendering else None,
                "score": round(item.score, 5),
                "reason_code": item.reason_code,
                "reason": item.reason,
            }
            for item in slate.items
        ],
    }
