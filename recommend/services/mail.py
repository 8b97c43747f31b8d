"""A block of products for a shop's own e-mails: chosen for one shopper, as HTML that mail programs read, and as text.

We send nothing: the shop's mailing program does, to people who agreed to its mail. Tables, inline styles, absolute
addresses and JPEG, because that is what mail programs have in common. What a mail shows is no page view: it counts for
no experiment, and the choice of looks learns nothing from it, since nobody knows whether it was opened.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlsplit

from django.core.files.storage import default_storage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.services.renditions import mail_copy
from jobs.errors import UserError
from recommend.models import Slate
from recommend.services.cards import Photo, Rendering
from recommend.services.shelves import Pick, Shelves
from recommend.services.slates import Presenter, ShownProduct, ShownSlate

#: What was mailed within these days is not mailed again, as long as there is something else.
NOT_AGAIN = timedelta(days=28)
#: Width of a product's picture in the mail, in CSS pixels: two beside each other in the usual 600.
PICTURE_WIDTH = 272
LONGEST_ADDRESS = 500
#: ``(path) → absolute address``
Absolute = Callable[[str], str]


@dataclass(frozen=True)
class MailItem:
    """A product as the mail shows it. ``picture``: address, width and height, or None."""

    name: str
    price: object
    reason: str
    address: str
    alt: str
    picture: tuple[str, int, int] | None


@dataclass(frozen=True)
class MailBlock:
    """``slate`` is None where nothing is kept, for strangers."""

    slate: uuid.UUID | None
    personal: bool
    html: str
    text: str


def picks_for_mail(shelves: Shelves, k: int) -> list[Pick]:
    """Up to ``k`` products that are in stock and were not in this shopper's last mails, unless nothing else is left."""
    mailed = _mailed(shelves)
    shelves.leave_out(mailed)
    picks = shelves.shelf("email", k)
    if len(picks) < k and mailed:
        shelves.take_back(mailed - {pick.product_id for pick in picks})
        picks += shelves.shelf("email", k - len(picks))
    return [pick for pick in picks if "without:stock" not in pick.trace]


def mail_block(shelves: Shelves, k: int, *, absolute: Absolute, href: str = "") -> MailBlock:
    """The block. ``href``: the address of a product in the shop's own pages, with ``{sku}``, and ``{slate}`` if wished.

    Raises ``UserError``, ``href-malformed``.
    """
    if href:
        _check(href)
    slate = Presenter(shelves).slates({Slate.MAIL: picks_for_mail(shelves, k)})[Slate.MAIL]
    items = [_item(item, slate, shelves, absolute, href) for item in slate.items]
    context = {
        "shop": shelves.merchant,
        "rows": [items[start : start + 2] for start in range(0, len(items), 2)],
        "items": items,
        "width": PICTURE_WIDTH,
    }
    return MailBlock(
        slate.id,
        shelves.is_personal,
        render_to_string("recommend/mail_block.html", context).strip(),
        render_to_string("recommend/mail_block.txt", context).strip(),
    )


def _mailed(shelves: Shelves) -> set[int]:
    if shelves.shopper is None:
        return set()
    slates = Slate.objects.filter(shopper=shelves.shopper, slot=Slate.MAIL, created_at__gt=timezone.now() - NOT_AGAIN)
    return {item["product"] for items in slates.values_list("items", flat=True) for item in items}


def _check(href: str) -> None:
    parts = urlsplit(href) if len(href) <= LONGEST_ADDRESS else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc or "{sku}" not in href:
        raise UserError(
            "href-malformed",
            _("“href” is the address of a product in your shop, with {sku} where its SKU stands."),
            _("For example: https://shop.example/p/{sku}"),
        )


def _item(item: ShownProduct, slate: ShownSlate, shelves: Shelves, absolute: Absolute, href: str) -> MailItem:
    product = item.product
    if href:
        address = href.replace("{sku}", quote(product.sku, safe="")).replace("{slate}", str(slate.id or ""))
    else:
        address = absolute(reverse("storefront:product", args=[shelves.merchant.slug, product.pk]))
        if slate.id:
            address += f"?slate={slate.id}&slot={Slate.MAIL}"
    shown = item.rendering if isinstance(item.rendering, Rendering) else product.photo
    alt = item.picture.alt if item.picture else item.name
    return MailItem(item.name, product.price, item.reason, address, alt, _picture(shown, absolute) if shown else None)


def _picture(shown: Photo | Rendering, absolute: Absolute) -> tuple[str, int, int]:
    name = mail_copy(json.loads(shown.copies)) or shown.file
    return absolute(default_storage.url(name)), PICTURE_WIDTH, round(PICTURE_WIDTH * shown.height / shown.width)
