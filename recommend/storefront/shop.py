"""What every page of a shop shares: the shop, the visitor behind the request, and how pages are cached."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers

from catalog.models import Category, Merchant
from recommend import consent
from recommend.consent import Visitor
from recommend.storefront.bag import Bag

P = ParamSpec("P")


class ShopRequest(HttpRequest):
    """A request inside a shop (for type checkers; ``in_shop`` sets the attributes)."""

    shop: Merchant
    visitor: Visitor
    bag: Bag


ShopView = Callable[Concatenate[ShopRequest, P], HttpResponse]


def in_shop(view: ShopView[P]) -> Callable[..., HttpResponse]:
    """Find the open shop of the address and the visitor; 404 where there is none. Pages are nobody else's to cache."""

    @wraps(view)
    def wrapped(request: ShopRequest, shop: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        merchant = Merchant.objects.open().filter(slug=shop).first()
        if merchant is None:
            raise Http404
        request.shop = merchant
        request.visitor = consent.visitor_of(request, merchant)
        request.bag = Bag(request.session, merchant)
        response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        patch_vary_headers(response, ["Cookie", "Accept-Language"])
        return response

    return wrapped


def page(request: ShopRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Render a page of the shop with what its frame needs."""
    frame = {
        "shop": request.shop,
        "visitor": request.visitor,
        "bag": request.bag,
        "categories": Category.objects.filter(merchant=request.shop),
        "personal": request.visitor.profile is not None,
    }
    return render(request, f"storefront/{template}", {**frame, **context}, status=status)
