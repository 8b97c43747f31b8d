"""What the recommender's screens share: the shop that a screen is about."""

from __future__ import annotations

from django.http import HttpRequest

from catalog.current_shop import current_shop
from catalog.models import Merchant


def shops_of(request: HttpRequest) -> tuple[list[Merchant], Merchant | None]:
    """The user's shops, and the one at hand (the first by name for whoever sees all at once)."""
    shops = list(Merchant.objects.visible_to(request.user).order_by("name"))
    current = current_shop(request)
    return shops, current or (shops[0] if shops else None)
