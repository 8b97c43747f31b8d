"""The shop that somebody who works for several is looking at: one choice in the session, which lists and forms follow.

It narrows what a user sees of what they may see, and opens nothing: every read still goes through ``visible_to(user)``.
Rows of their other shops still open by their address, and their page makes that shop the current one.
"""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest

from catalog.models import Membership, Merchant

_KEY = "current-shop"
#: What a superuser chooses to see every shop at once; their choice from the start.
ALL = "all"
_UNREAD = object()


def current_shop(request: HttpRequest) -> Merchant | None:
    """The shop that the address names (``?shop=``), or that was chosen last, or the first by name.

    None for whoever sees all shops at once, and for whoever has none. Asked for once per request.
    """
    known: Any = request.__dict__.get("_current_shop", _UNREAD)
    if known is _UNREAD:
        known = request.__dict__["_current_shop"] = _read(request)
    return known


def choose_shop(request: HttpRequest, shop: Merchant | None) -> None:
    """Look at this shop from now on; None for all of them, which only superusers may see at once."""
    request.session[_KEY] = shop.pk if shop else ALL
    request.__dict__["_current_shop"] = shop


def follow(request: HttpRequest, merchant_id: int) -> None:
    """A row of this shop is being opened: what stands around it is this shop's too."""
    current = current_shop(request)
    if current is None or current.pk == merchant_id:
        return
    request.session[_KEY] = merchant_id
    request.__dict__.pop("_current_shop", None)


def own_shops(request: HttpRequest) -> list[Any]:
    """The open shops of a member of staff by name, each with their role there as ``my_role``; read once per request."""
    shops: list[Any] | None = request.__dict__.get("_own_shops")
    if shops is None:
        mine = Membership.objects.filter(user_id=request.user.pk or 0, merchant=OuterRef("pk"))
        rows = Merchant.objects.visible_to(request.user).annotate(my_role=Subquery(mine.values("role")[:1]))
        shops = request.__dict__["_own_shops"] = list(rows.order_by("name"))
    return shops


def _read(request: HttpRequest) -> Merchant | None:
    asked, kept = request.GET.get("shop"), request.session.get(_KEY)
    if getattr(request.user, "is_superuser", False):  # of all the shops there are: not read for the sake of one
        by_name = Merchant.objects.filter(slug=asked).first() if asked else None
        by_choice = Merchant.objects.filter(pk=kept).first() if isinstance(kept, int) and not by_name else None
    else:
        shops = own_shops(request)
        by_name = next((shop for shop in shops if shop.slug == asked), None)
        by_choice = next((shop for shop in shops if shop.pk == kept), shops[0] if shops else None)
    if by_name is not None and by_name.pk != kept:
        request.session[_KEY] = by_name.pk
    return by_name or by_choice
