"""What every page of a shop shares: the shop, the visitor behind the request, the language, and how pages are cached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec

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
        "categories": facts(request.shop).shelves(),
        "profile": profile_of(request),
        "links": links(request.shop.slug),
        "origin": f"{request.scheme}://{request.get_host()}",
        "addresses": addresses(request.path, tuple((name, tuple(given)) for name, given in request.GET.lists())),
    }
    return render(request, f"storefront/{template}", {**frame, **context}, status=status)


class Links(NamedTuple):
    """The addresses in the frame of a shop's pages."""

    shop: str
    home: str
    search: str
    bag: str
    your_data: str
    seen: str
    consent: str


@lru_cache(maxsize=256)
def links(slug: str) -> Links:
    """Those of the shop with this address."""
    return Links(slug, *(reverse(f"storefront:{name}", args=[slug]) for name in Links._fields[1:]))


class Addresses(NamedTuple):
    """Where a page is: in each language (its code, its own name, the address), in no certain one, and as it was asked for."""

    alternates: tuple[tuple[str, str, str], ...]
    neutral: str
    canonical: str


@lru_cache(maxsize=1024)
def addresses(path: str, given: tuple[tuple[str, tuple[str, ...]], ...]) -> Addresses:
    """The addresses of the page at a path that was asked for with these values."""
    asked = next((values[-1] for name, values in given if name == "lang" and values), None)
    return Addresses(
        tuple((code, name, in_language(path, given, code)) for code, name in OWN_NAMES.items()),
        in_language(path, given, None),
        in_language(path, given, asked if asked in OWN_NAMES else None),
    )


def in_language(path: str, given: Iterable[tuple[str, Sequence[str]]], code: str | None) -> str:
    """The address of a page in a language (None: in whichever the visitor's browser asks for).

    What a visitor typed stays, where they came from does not.
    """
    query = QueryDict(mutable=True)
    for name, values in given:
        if name not in _NOT_KEPT:
            query.setlist(name, list(values))
    if code is not None:
        query["lang"] = code
    return f"{path}?{query.urlencode()}" if query else path
