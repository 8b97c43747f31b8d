"""What the admin's frame shows on every page: the shop at hand, and the way to another."""

from __future__ import annotations

from typing import Any

from django import template
from django.middleware.csrf import get_token

from catalog.current_shop import ALL, current_shop
from stylerec_site.navigation import MOST_SHOPS, menu_names, standing_of

register = template.Library()


@register.filter
def as_in_the_menu(title: object) -> str:
    """A page's name as the side bar has it, where it is one of the side bar's lists: one thing, one name."""
    return menu_names().get(str(title).lower(), str(title))


@register.inclusion_tag("admin/shop_switcher.html", takes_context=True)
def shop_switcher(context: dict[str, Any]) -> dict[str, Any]:
    """The current shop's name; for whoever has several, as a button that opens the others."""
    request = context["request"]
    if context.get("is_popup") or not (request.user.is_authenticated and request.user.is_staff):
        return {"shops": []}
    shops = standing_of(request).shops
    return {
        "shops": shops,
        "shop": current_shop(request),
        "is_choice": len(shops) > 1,
        "all_shops": ALL if request.user.is_superuser else "",
        "is_cut": len(shops) == MOST_SHOPS,
        "path": request.path,
        "token": get_token(request),
    }
