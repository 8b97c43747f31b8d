"""Cards of products. Made here and not in a template: a page has some twenty, and they were half of its cost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.models import Merchant
from recommend.services.cards import Picture
from recommend.services.slates import ShownProduct, ShownSlate
from recommend.templatetags.shop import money

register = template.Library()
#: Cards that are not drawn anew while they show the same; some 2 kB each.
MOST_FACES = 5_000
#: How wide a card is (``.cards`` in the style sheet); the page stops growing at 76rem.
SIZES = "(max-width: 40rem) 46vw, (max-width: 70rem) 30vw, (max-width: 76rem) 22vw, 17rem"


@register.simple_tag(takes_context=True)
def cards(context: Context, items: Sequence[ShownProduct], slate: ShownSlate | None = None) -> SafeString:
    """A list of cards. ``slate``: the slate whose products lead to themselves with its id, so that clicks can be told."""
    return mark_safe(_list(items, slate, context["shop"]))  # noqa: S308 - every value is escaped where it is put in


@register.simple_tag(takes_context=True)
def shelf(context: Context, slate: ShownSlate, title: str) -> SafeString:
    """A shelf under its title; nothing where nothing stands on it."""
    if not slate.items:
        return SafeString()
    drawn = _list(slate.items, slate, context["shop"])
    return mark_safe(f'<section class="shelf"><h2>{escape(title)}</h2>{drawn}</section>')  # noqa: S308 - as above


@register.simple_tag(takes_context=True)
def address_of(context: Context, item: ShownProduct, slate: ShownSlate) -> str:
    """The page of a product on a slate, with the slate's id where it is kept."""
    page = reverse("storefront:product", args=[context["shop"].slug, item.product.pk])
    return f"{page}?slate={slate.id}&slot={slate.slot}" if slate.id else page


def _list(items: Sequence[ShownProduct], slate: ShownSlate | None, shop: Merchant) -> str:
    page = reverse("storefront:product", args=[shop.slug, 0]).removesuffix("0/")
    of_slate = slate if slate is not None and slate.id else None
    sold_out = _("sold out")
    drawn = "".join(_card(item, shop, page, of_slate, sold_out) for item in items)
    return f'<ul class="cards">{drawn}</ul>'


def _card(item: ShownProduct, shop: Merchant, page: str, slate: ShownSlate | None, sold_out: str) -> str:
    product = item.product
    price = money(product.price, shop.currency)
    where = link = look = reason = ""
    if slate is not None and item.reason_code:
        where = f' data-slate="{slate.id}" data-position="{item.position}"'
        link = f"?slate={slate.id}&amp;slot={escape(slate.slot)}"
    if item.rendering:
        look = f'<span class="style">{escape(item.rendering.style.display_name)}</span>'
    if item.reason:
        reason = f'<span class="reason">{escape(item.reason)}</span>'
    if product.is_sold_out:
        price = f"{price} · {sold_out}"
    return (
        f'<li class="card{" sold-out" if product.is_sold_out else ""}"{where}>'
        f'<a href="{page}{product.pk}/{link}">{_face(item.picture, item.name, price)}</a>{look}{reason}</li>'
    )


@lru_cache(maxsize=MOST_FACES)
def _face(picture: Picture | None, name: str, price: str) -> str:
    """What is the same on every card that shows the product so."""
    return (
        f'{_picture(picture, name)}<span class="name">{escape(name)}</span><span class="price">{escape(price)}</span>'
    )


def _picture(picture: Picture | None, name: str) -> str:
    if picture is None:
        return f'<div class="no-picture" aria-hidden="true">{escape(name[:1])}</div>'
    srcset = f' srcset="{escape(picture.srcset)}" sizes="{SIZES}"' if picture.srcset else ""
    source = f'<source type="image/avif" srcset="{escape(picture.avif)}" sizes="{SIZES}">' if picture.avif else ""
    image = (
        f'<img src="{escape(picture.url)}"{srcset} width="{picture.width}" height="{picture.height}"'
        f' alt="{escape(picture.alt)}" loading="lazy" decoding="async">'
    )
    return f"<picture>{source}{image}</picture>" if source else image
