"""The why panel: the page of one shopper, real or invented, and what every product and rendering on it was chosen by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from catalog.admin_access import editable_shops
from catalog.models import Merchant, Product
from catalog.search import matches
from catalog.views.doors import page, staff_page
from recommend.admin_charts import bar, signed_bar
from recommend.admin_views.codes import code_of, with_code
from recommend.admin_views.doors import shops_of
from recommend.labels import PARTS, marks_of, place_name
from recommend.models import Interaction, Shopper
from recommend.services import what_if
from recommend.services.cards import picture_of, picture_on_card, read_cards, with_pictures
from recommend.services.slates import ShownProduct
from recommend.services.what_if import Click, WhatIf

#: Shoppers that are offered, products that can be clicked, clicks that an invented shopper makes at most.
SHOPPERS, PRODUCTS, MOST_CLICKS = 8, 24, 30
#: Products that tell the offered shoppers apart, and the events that they are taken from.
SEEN_PRODUCTS, NEWEST = 4, 600
_CLICK = re.compile(r"(\d{1,18})(?:s(\d{1,18}))?")


@dataclass(frozen=True)
class Part:
    """What one part adds to a score."""

    name: Any
    what: Any
    value: float
    bar: SafeString


@dataclass(frozen=True)
class Explained:
    """A product on the page, in words."""

    item: ShownProduct
    parts: Sequence[Part]
    marks: Sequence[Any]
    rendering: str


@staff_page
@require_GET
def why(request: HttpRequest) -> HttpResponse:
    """Choose a shopper by their short code, or invent one by clicking products; see their page and its reasons.

    A real shopper's page shows one person's history, under a pseudonym: it takes an editor. Anybody may invent one.
    """
    shops, shop = shops_of(request)
    if shop is None:
        return page(request, "recommend/no_shop.html", {}, title=_("Why panel"))
    code, clicks = request.GET.get("shopper", "").strip(), _clicks(request.GET.get("clicks", ""))
    of_people = editable_shops(request)
    shopper = Shopper.objects.filter(with_code(code), merchant__in=of_people).first() if code else None
    if shopper is not None and shopper.merchant_id != shop.pk:
        shop = next(one for one in shops if one.pk == shopper.merchant_id)
    shown = (
        what_if.page_of(merchant=shop, shopper=shopper)
        if shopper is not None
        else what_if.invented_page(merchant=shop, clicks=clicks)
    )
    context = {
        "shops": shops,
        "shop": shop,
        "shopper": shopper,
        "code": code,
        "code_unknown": bool(code) and shopper is None,
        "switched_off": shopper is not None and not shopper.personalisation_enabled,
        "clicks": clicks,
        "may_see_shoppers": shop in of_people,
        "shoppers": [] if shop not in of_people else _seen_last(shop),
        "shown": shown,
        "shelves": [
            (place_name(slot), [_explained(item, shown) for item in slate.items])
            for slot, slate in shown.slates.items()
            if slate.items
        ],
        "shares": [
            (share.style or _("Original photo"), share.share, bar(share.share, most=1.0)) for share in shown.styles
        ],
        "search": request.GET.get("q", ""),
        "choices": _choices(shop, clicks, request.GET.get("q", "")),
        "without_last": _address(shop, clicks[:-1]),
    }
    return page(request, "recommend/why.html", context, title=_("Why panel"))


@dataclass(frozen=True)
class SeenLast:
    """A shopper who is offered: their short code, when they were there, and what they looked at last."""

    code: str
    shopper: Shopper
    pictures: Sequence[Any]


def _seen_last(shop: Merchant) -> list[SeenLast]:
    """Who was there last, told apart by what they looked at: nobody knows a person by eight letters."""
    rows = list(Shopper.objects.filter(merchant=shop).order_by("-last_seen_at")[:SHOPPERS])
    seen: dict[int, dict[int, None]] = {row.pk: {} for row in rows}
    newest = Interaction.objects.filter(shopper__in=[row for row in rows if row.personalisation_enabled]).telling()
    for shopper, product in newest.order_by("-occurred_at").values_list("shopper_id", "product_id")[:NEWEST]:
        if len(seen[shopper]) < SEEN_PRODUCTS:
            seen[shopper][product] = None
    wanted = {pk for products in seen.values() for pk in products}
    cards = read_cards(merchant=shop, product_ids=wanted) if wanted else {}
    return [
        SeenLast(
            code_of(row),
            row,
            [
                picture_on_card(photo, card.display_name)
                for pk in seen[row.pk]
                if (card := cards.get(pk)) and (photo := card.photo)
            ],
        )
        for row in rows
    ]


def _clicks(text: str) -> list[Click]:
    """``12,15s3`` is a click on product 12 as a photo, then on product 15 in style 3; anything else is passed over."""
    found = [match for entry in text.split(",")[:MOST_CLICKS] if (match := _CLICK.fullmatch(entry))]
    return [Click(int(match[1]), int(match[2]) if match[2] else None) for match in found]


def _address(shop: Merchant, clicks: Sequence[Click], search: str = "") -> str:
    text = ",".join(
        f"{click.product_id}s{click.style_id}" if click.style_id else f"{click.product_id}" for click in clicks
    )
    query = {"shop": shop.slug, "clicks": text, **({"q": search} if search else {})}
    return f"?{urlencode(query)}"


def _choices(shop: Merchant, clicks: Sequence[Click], search: str) -> list[dict[str, Any]]:
    """Products to click, each as a photo and in its published styles, with the address that the click leads to."""
    products: Any = Product.objects.filter(merchant=shop).on_sale()
    if search:
        products = products.filter(matches(search, shop=shop.pk))
    rows = list(with_pictures(products.order_by("category__position", "pk"))[:PRODUCTS])
    return [{"product": product, "looks": _looks(shop, clicks, search, product)} for product in rows]


def _looks(shop: Merchant, clicks: Sequence[Click], search: str, product: Any) -> list[tuple[str, Any, str]]:
    """(name, picture, address) of the photo and of each published rendering."""
    image = next(iter(product.images.all()), None)
    plain = _address(shop, [*clicks, Click(product.pk)], search)
    if image is None:
        return [(_("Photo"), None, plain)]
    looks = [(_("Photo"), picture_of(image, alt=""), plain)]
    for rendering in image.published_renderings:
        address = _address(shop, [*clicks, Click(product.pk, rendering.style_id)], search)
        looks.append((rendering.style.display_name, picture_of(rendering, alt=""), address))
    return looks


def _explained(item: ShownProduct, shown: WhatIf) -> Explained:
    parts = [
        Part(PARTS[name][0], PARTS[name][1], value, signed_bar(value, most=shown.largest_part))
        for name, value in sorted(item.parts.items(), key=lambda entry: -abs(entry[1]))
        if name in PARTS and abs(value) >= 0.005
    ]
    return Explained(item, parts, marks_of(item.trace), _rendering(item, shown))


def _rendering(item: ShownProduct, shown: WhatIf) -> str:
    """Why the product is shown in this look."""
    style = item.rendering.style.display_name if item.rendering else _("Photo")
    if item.shown.propensity >= 1.0:
        if not shown.is_personal:
            return _("%(style)s: nothing is known of this visitor, so they see photos") % {"style": style}
        return _("%(style)s: there is no other look to choose from") % {"style": style}
    chance = {"style": style, "chance": round(100 * item.shown.propensity), "share": round(100 * item.shown.share)}
    if shown.policy_chooses:
        return _("%(style)s, at %(chance)d%%: what the shop's clicks taught; their own share is %(share)d%%") % chance
    return _("%(style)s, at %(chance)d%%: %(share)d%% of what they liked looked so") % chance
