"""The shop that somebody who works for several is looking at: one choice in the session, which lists and forms follow.

The last choice is kept with the membership, so that the next log-in opens the shop that this one ended in.
It narrows what a user sees of what they may see, and opens nothing: every read still goes through ``visible_to(user)``.
Rows of their other shops still open by their address, and their page makes that shop the current one.
"""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.utils import timezone

from catalog.models import Membership, Merchant

_KEY = "current-shop"
#: What a superuser chooses to see every shop at once; their choice from the start.
ALL = "all"
_UNREAD = object()


def current_shop(request: HttpRequest) -> Merchant | None:
    """The shop that the address names (``?shop=``), or that was chosen last, here or before the log-in, or the first by name.

    None for whoever sees all shops at once, and for whoever has none. Asked for once per request.
    """
    known: Any = request.__dict__.get("_current_shop", _UNREAD)
    if known is _UNREAD:
        known = request.__dict__["_current_shop"] = _read(request)
    return known


def choose_shop(request: HttpRequest, shop: Merchant | None) -> None:
    """Look at this shop from now on; None for all of them, which only superusers may see at once."""
    _keep(request, shop.pk if shop else ALL)
    request.__dict__["_current_shop"] = shop


def follow(request: HttpRequest, merchant_id: int) -> None:
    """A row of this shop is being opened: what stands around it is this shop's too."""
    current = current_shop(request)
    if current is None or current.pk == merchant_id:
        return
    _keep(request, merchant_id)
    request.__dict__.pop("_current_shop", None)


def own_shops(request: HttpRequest) -> list[Any]:
    """The open shops of a member of staff by name, each with their role there as ``my_role`` and when they last
    turned to it; read once per request."""
    shops: list[Any] | None = request.__dict__.get("_own_shops")
    if shops is None:
        mine = Membership.objects.filter(user_id=request.user.pk or 0, merchant=OuterRef("pk"))
        rows = Merchant.objects.visible_to(request.user).annotate(
            my_role=Subquery(mine.values("role")[:1]), turned_to_at=Subquery(mine.values("turned_to_at")[:1])
        )
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
        by_choice = next((shop for shop in shops if shop.pk == kept), None) or _last_time(shops)
    if by_name is not None and by_name.pk != kept:
        _keep(request, by_name.pk)
    return by_name or by_choice


def _last_time(shops: list[Any]) -> Merchant | None:
    """The shop that was turned to last, in whichever session; the first by name where none was."""
    turned_to = [shop for shop in shops if shop.turned_to_at is not None]
    if turned_to:
        last: Merchant = max(turned_to, key=lambda shop: shop.turned_to_at)
        return last
    return shops[0] if shops else None


def _keep(request: HttpRequest, choice: int | str) -> None:
    request.session[_KEY] = choice
    if choice != ALL:
        Membership.objects.filter(user_id=request.user.pk or 0, merchant_id=choice).update(turned_to_at=timezone.now())
