"""What every page of a shop shares: the shop, the visitor behind the request, the language, and how pages are cached."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import get_language_info
from django_htmx.middleware import HtmxDetails

from catalog.models import Merchant
from catalog.prepared import PreparedRows
from recommend import consent, serving
from recommend.consent import Visitor
from recommend.models import Shopper
from recommend.services.catalogue import facts
from recommend.storefront.bag import Bag

P = ParamSpec("P")
#: Where a visitor came from, and the language of before.
_NOT_KEPT = {"slate", "slot", "lang"}
#: Each language by its own name, whichever language the page is in.
OWN_NAMES = {code: get_language_info(code)["name_local"] for code, _name in settings.LANGUAGES}


class ShopRequest(HttpRequest):
    """A request inside a shop (for type checkers; ``in_shop`` sets the attributes)."""

    shop: Merchant
    visitor: Visitor
    bag: Bag
    htmx: HtmxDetails


ShopView = Callable[Concatenate[ShopRequest, P], HttpResponse]


_OPEN_SHOP = PreparedRows(
    Merchant,
    lambda slug: serving.with_deployed(Merchant.objects.open()).filter(slug=slug),
    annotations=["deployed_id", "deployed_directory"],
)


def in_shop(view: ShopView[P]) -> Callable[..., HttpResponse]:
    """Find the open shop of the address and the visitor; 404 where there is none. Pages are nobody else's to cache.

    ``?lang=`` chooses the language, for this page and (by a cookie of no other use) for the next ones.
    """

    @wraps(view)
    def wrapped(request: ShopRequest, shop: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        merchant: Merchant | None = _OPEN_SHOP.first(shop)
        if merchant is None:
            raise Http404
        request.shop = merchant
        request.visitor = consent.visitor_of(request, merchant)
        request.bag = Bag(request.session, merchant)
        asked = request.GET.get("lang", "")
        language = asked if asked in OWN_NAMES else translation.get_language() or settings.LANGUAGE_CODE
        with translation.override(language):
            response = view(request, *args, **kwargs)
        response["Content-Language"] = language
        if asked in OWN_NAMES:
            response.set_cookie(settings.LANGUAGE_COOKIE_NAME, asked, max_age=consent.YEAR, samesite="Lax")
        patch_cache_control(response, private=True, no_store=True)
        patch_vary_headers(response, ["Cookie", "Accept-Language", "HX-Request"])
        return response

    return wrapped


def profile_of(request: ShopRequest) -> Shopper | None:
    """The shopper whose history may shape this page: consented, switched on, in a shop that personalises."""
    return request.visitor.profile if request.shop.personalisation_enabled else None


def wants_part(request: ShopRequest) -> bool:
    """Whether the page's script asks for a part of the page; the browser's own requests get the whole."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def page(request: ShopRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Render a page of the shop with what its frame needs."""
    frame = {
        "shop": request.shop,
        "visitor": request.visitor,
        "bag": request.bag,
        "categories": facts(request.shop).categories,
        "profile": profile_of(request),
        "links": links(request.shop.slug),
        "origin": f"{request.scheme}://{request.get_host()}",
        "alternates": [(code, name, in_language(request, code)) for code, name in OWN_NAMES.items()],
        "neutral": in_language(request, None),
        "canonical": in_language(request, asked if (asked := request.GET.get("lang")) in OWN_NAMES else None),
    }
    return render(request, f"storefront/{template}", {**frame, **context}, status=status)


@lru_cache(maxsize=256)
def links(slug: str) -> dict[str, str]:
    """The addresses in the frame of a shop's pages."""
    names = ("home", "search", "bag", "your_data", "seen", "consent")
    return {name: reverse(f"storefront:{name}", args=[slug]) for name in names}


def in_language(request: HttpRequest, code: str | None) -> str:
    """The address of this very page in a language (None: in whichever the visitor's browser asks for).

    What a visitor typed stays, where they came from does not.
    """
    query = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        if name not in _NOT_KEPT:
            query.setlist(name, values)
    if code is not None:
        query["lang"] = code
    return f"{request.path}?{query.urlencode()}" if query else request.path
