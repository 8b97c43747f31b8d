"""What the recommender's screens share: the shop that a screen is about."""

from __future__ import annotations

from django.http import HttpRequest

from catalog.models import Merchant


def shops_of(request: HttpRequest) -> tuple[list[Merchant], Merchant | None]:
    """The user's shops, and the one that the address asks for (the first where it asks for none)."""
    shops = list(Merchant.objects.visible_to(request.user).order_by("name"))
    asked = request.GET.get("shop", "")
    return shops, next((shop for shop in shops if shop.slug == asked), shops[0] if shops else None)
