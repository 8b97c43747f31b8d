"""Consent, and the page where shoppers see, correct, take along and erase what is kept about them."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from recommend import consent
from recommend.labels import DEEDS
from recommend.models import Interaction, Shopper, Slate
from recommend.services import shoppers
from recommend.services.history import History, history_of
from recommend.services.shelves import Shelves
from recommend.services.slates import Presenter
from recommend.storefront.shop import ShopRequest, in_shop, page
from styling.models import Style

#: Products on the page; the download has all.
MOST_PRODUCTS = 48


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
    styles = Style.objects.filter(merchant=request.shop, pk__in={*shares, *hidden}).in_bulk()
    tags = [(styles[pk], round(100 * share)) for pk, share in shares.items() if pk in styles]
    done = _done(history)
    items = Presenter(Shelves(request.shop, shopper, history=history)).plain(list(done)[:MOST_PRODUCTS])
    context = {
        "tags": sorted(tags, key=lambda tag: -tag[1]),
        "taken_out": sorted((styles[pk] for pk in hidden if pk in styles), key=lambda style: style.display_name),
        "seen": [(item, *done[item.product.pk]) for item in items],
        "events": Interaction.objects.filter(shopper=shopper).count(),
        "shelf_count": Slate.objects.filter(shopper=shopper).count(),
        "days": settings.INTERACTION_RETENTION_DAYS,
    }
    return page(request, "your_data.html", context)


def _done(history: History) -> dict[int, tuple[str, datetime]]:
    """What was done with each product, in words, and when last; the latest product first."""
    words: dict[int, dict[str, None]] = {}
    moments: dict[int, datetime] = {}
    for event in history.events:
        product = int(event.item_id)
        words.setdefault(product, {})[str(DEEDS[event.event])] = None
        moments.setdefault(product, datetime.fromtimestamp(event.timestamp, tz=UTC))
    return {product: (" · ".join(reversed(names)), moments[product]) for product, names in words.items()}


@require_POST
@in_shop
def change(request: ShopRequest) -> HttpResponse:
    """One change: ``switch``, ``hide-tag``, ``show-tag``, ``forget-product`` or ``erase``."""
    shopper = _shopper(request)
    verb = request.POST.get("verb", "")
    number = int(text) if (text := request.POST.get("id", "")).isdecimal() and len(text) < 18 else 0
    response = redirect(_back(request))
    if verb == "switch":
        shoppers.set_personalisation(shopper=shopper, enabled=not shopper.personalisation_enabled)
    elif verb in {"hide-tag", "show-tag"}:
        if Style.objects.filter(merchant=request.shop, pk=number).exists():
            shoppers.hide_tag(shopper=shopper, style_id=number, hidden=verb == "hide-tag")
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
