"""Consent, and the page where shoppers see, correct, take along and erase what is kept about them."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from recommend import consent
from recommend.models import Shopper
from recommend.services import shoppers
from recommend.services.history import history_of
from recommend.services.shelves import Shelves
from recommend.services.slates import Presenter
from recommend.storefront.shop import ShopRequest, in_shop, page
from styling.models import Style


@require_POST
@in_shop
def answer(request: ShopRequest) -> HttpResponse:
    """The answer to the consent question: yes or no, equally easy."""
    response = redirect(_back(request))
    if request.POST.get("answer") == "yes":
        consent.grant(request, response, request.shop)
    else:
        if request.visitor.shopper is not None:
            shoppers.erase(shopper=request.visitor.shopper)
        consent.refuse(response, request.shop)
    return response


@require_safe
@in_shop
def your_data(request: ShopRequest) -> HttpResponse:
    """Tags, history and switches."""
    shopper = request.visitor.shopper
    if shopper is None:
        return page(request, "your_data.html", {"tags": [], "seen": []})
    history = history_of(shopper)
    hidden = shoppers.hidden_tags(shopper)
    shares = history.style_shares(hidden)
    styles = Style.objects.filter(merchant=request.shop, pk__in=shares).in_bulk()
    tags = [(styles[pk], round(100 * share)) for pk, share in shares.items() if pk in styles]
    seen = Presenter(Shelves(request.shop, shopper, history=history)).plain(history.recently_seen(24))
    return page(request, "your_data.html", {"tags": sorted(tags, key=lambda tag: -tag[1]), "seen": seen})


@require_POST
@in_shop
def change(request: ShopRequest) -> HttpResponse:
    """One change: ``switch``, ``hide-tag``, ``forget-product`` or ``erase``."""
    shopper = _shopper(request)
    verb = request.POST.get("verb", "")
    number = int(text) if (text := request.POST.get("id", "")).isdecimal() and len(text) < 18 else 0
    response = redirect(_back(request))
    if verb == "switch":
        shoppers.set_personalisation(shopper=shopper, enabled=not shopper.personalisation_enabled)
    elif verb == "hide-tag":
        if Style.objects.filter(merchant=request.shop, pk=number).exists():
            shoppers.hide_tag(shopper=shopper, style_id=number)
    elif verb == "forget-product":
        shoppers.remove_interactions(shopper=shopper, product_id=number)
    elif verb == "erase":
        shoppers.erase(shopper=shopper)
        consent.refuse(response, request.shop, answer=consent.WITHDRAWN)
        messages.success(request, _("Everything about you is erased, and nothing more will be kept."))
    else:
        raise Http404
    return response


@require_safe
@in_shop
def download(request: ShopRequest) -> HttpResponse:
    """Everything that is kept, as JSON."""
    response = JsonResponse(shoppers.export(shopper=_shopper(request)), json_dumps_params={"indent": 2})
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


def _shopper(request: ShopRequest) -> Shopper:
    if request.visitor.shopper is None:
        raise Http404
    return request.visitor.shopper


def _back(request: ShopRequest) -> str:
    """Where the form was, if that is a page of this site."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return target
    return f"/s/{request.shop.slug}/"
