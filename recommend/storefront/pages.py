"""The shops, a shop's home, and a product."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalog.models import Merchant, Product
from catalog.prepared import PreparedRows
from recommend.models import Interaction, Shopper, Slate
from recommend.reasons import reason_text
from recommend.services import mail, tracking
from recommend.services.cards import Rendering, picture_on_card, read_cards
from recommend.services.shelves import SLOTS, Shelves
from recommend.services.slates import Presenter, ShownProduct
from recommend.storefront.shop import ShopRequest, in_shop, page, profile_of, wants_part

_PRODUCT = PreparedRows(Product, lambda product_id: Product.objects.filter(pk=product_id), related=["category"])
_PLACE = re.compile(r"[0-9]{1,4}")


@require_safe
def shops(request: HttpRequest) -> HttpResponse:
    """The open shops; straight into the only one."""
    open_shops = list(Merchant.objects.open()[:100])
    if len(open_shops) == 1:
        return redirect("storefront:home", shop=open_shops[0].slug)
    return render(request, "storefront/shops.html", {"shops": open_shops})


@require_safe
@in_shop
def home(request: ShopRequest) -> HttpResponse:
    """For you, in your style, new, recently seen. A stranger gets favourites and news."""
    shelves = Shelves(request.shop, profile_of(request))
    chosen = {"home": shelves.shelf("home", 8)}
    if shelves.is_personal:
        chosen["style"] = shelves.shelf("style", 4)
    chosen["new"] = shelves.shelf("new", 4)
    seen = shelves.history.recently_seen(6) if shelves.is_personal else []
    presenter = Presenter(shelves)
    slates = presenter.slates(chosen, also=seen)
    return page(
        request,
        "home.html",
        {
            "slates": slates,
            "hero": _hero(slates["home"].items),
            "seen": presenter.plain(seen),
            "is_warm": shelves.is_personal,
        },
    )


@require_safe
@in_shop
def mail_picture(request: ShopRequest, product_id: int, rendering_id: int | None = None) -> HttpResponse:
    """On to a picture of a mail, where the storage signs its addresses for an hour and mails are opened later."""
    card = read_cards(merchant=request.shop, product_ids={product_id}).get(product_id)
    address = mail.mail_picture(card, rendering_id) if card is not None else None
    if address is None:
        return page(request, "not_found.html", {}, status=404)
    response = redirect(address)
    response["Cache-Control"] = "public, max-age=300"
    return response


def _hero(items: Any) -> ShownProduct | None:
    """The first product with a picture of its own look; a stylised one if there is, since that is what the shop is for."""
    with_picture = [item for item in items if item.picture]
    return next((item for item in with_picture if item.rendering), with_picture[0] if with_picture else None)


@require_safe
@in_shop
def product(request: ShopRequest, product_id: int) -> HttpResponse:
    """One product: its renderings to switch between, what is like it, and why it stands here."""
    profile = profile_of(request)
    shelves = Shelves(request.shop, profile)
    presenter = Presenter(shelves)
    slate_id = _uuid(request.GET.get("slate", ""))
    entry = _entry(profile, slate_id, product_id)
    picks = [] if wants_part(request) else shelves.shelf("product", 4, product_id=product_id)
    along = {pick.product_id for pick in picks} | ({entry["source"]} if entry.get("source") else set())
    cards = presenter.products({product_id, *along})
    found = _PRODUCT.first(product_id) if product_id in cards else None
    if found is None:
        return page(request, "not_found.html", {}, status=404)
    card, alt = cards[product_id], found.display_name
    wanted = request.GET.get("style", "")
    shown = next((option for option in card.published if option.style.slug == wanted), None)
    if not wanted:
        shown = presenter.choose(card).rendering  # type: ignore[assignment]
    tracking.note(
        shopper=profile,
        kind=Interaction.Kind.CLICK if slate_id else Interaction.Kind.VIEW,
        product=found,
        rendering=shown,
        slot=slot if (slot := request.GET.get("slot", "")) in SLOTS else "",
        slate_id=slate_id,
    )
    one = shown if isinstance(shown, Rendering) else card.photo
    context: dict[str, Any] = {
        "product": found,
        "shown": shown,
        "options": [(option, picture_on_card(option)) for option in card.published],
        "original": picture_on_card(card.photo) if card.photo else None,
        "picture": picture_on_card(one, alt) if one else None,
        "pictures": [picture_on_card(photo, photo.alt_text or alt) for photo in card.more_photos],
    }
    if wants_part(request):
        return page(request, "_gallery.html", {**context, "is_part": True})
    context["slate"] = presenter.slates({"product": picks})["product"]
    source = cards.get(entry.get("source", 0))
    context["why"] = reason_text(entry["reason"], source.display_name if source else "") if entry else ""
    return page(request, "product.html", context)


def _entry(shopper: Shopper | None, slate_id: uuid.UUID | None, product_id: int) -> dict[str, Any]:
    """What the slate that was clicked says of the product: why it stood there, and whose doing that was."""
    if shopper is None or slate_id is None:
        return {}
    slate = Slate.objects.filter(pk=slate_id, shopper=shopper).first()
    return next((item for item in slate.items if item["product"] == product_id), {}) if slate else {}


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@require_POST
@in_shop
def seen(request: ShopRequest) -> HttpResponse:
    """The page's script says which places of a slate came into view; nothing is kept without a profile."""
    profile, slate_id = profile_of(request), _uuid(request.POST.get("slate", ""))
    positions = [int(text) for text in request.POST.get("positions", "").split(",")[:100] if _PLACE.fullmatch(text)]
    if profile is not None and slate_id is not None:
        tracking.note_seen(shopper=profile, slate_id=slate_id, positions=positions)
    return HttpResponse(status=204)
