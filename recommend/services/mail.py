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
from decimal import Decimal
from urllib.parse import quote, urlsplit

from django.core.files.storage import default_storage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.services.renditions import mail_copy
from jobs.errors import UserError
from recommend.models import Slate
from recommend.services.cards import Card, Photo, Rendering
from recommend.services.shelves import Pick, Shelves
from recommend.services.slates import Presenter, ShownProduct, ShownSlate

#: What was mailed within these days is not mailed again, as long as there is something else.
NOT_AGAIN = timedelta(days=28)
#: Width of a product's picture in the mail, in CSS pixels: two beside each other in the usual 600.
PICTURE_WIDTH = 272
LONGEST_ADDRESS = 500
MOST_DRAWS = 5
#: What a page's shelf gives up before it stays empty, and a mail does not.
LAST_RESORTS = frozenset({"without:bought", "without:stock"})
#: ``(path) → absolute address``
Absolute = Callable[[str], str]


@dataclass(frozen=True)
class MailItem:
    """A product as the mail shows it. ``picture``: address, width and height, or None."""

    name: str
    price: Decimal
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


def picks_for_mail(presenter: Presenter, k: int) -> list[Pick]:
    """Up to ``k`` products that are in stock, not the shopper's already, and were not in their last mails.

    What was mailed comes again where nothing else is left; what is sold out or bought never does.
    """
    shelves = presenter.page
    mailed = _mailed(shelves)
    shelves.leave_out(mailed)
    picks = _drawn(presenter, k)
    if len(picks) < k and mailed:
        shelves.take_back(mailed)
        picks += _drawn(presenter, k - len(picks))
    return picks


def mail_block(shelves: Shelves, k: int, *, absolute: Absolute, href: str = "", keep: bool = True) -> MailBlock:
    """The block. ``href``: the address of a product in the shop's own pages, with ``{sku}``, and ``{slate}`` if wished.

    ``keep``: False only to look at it; it does not count as mailed then. Raises ``UserError``, ``href-malformed``.
    """
    if href:
        _check(href)
    presenter = Presenter(shelves)
    picks = picks_for_mail(presenter, k)
    slate = presenter.slates({Slate.MAIL: picks}, keep=keep)[Slate.MAIL]
    items = [_item(item, slate, shelves, absolute, href) for item in slate.items]
    context = {
        "shop": shelves.merchant,
        "rows": [items[start : start + 2] for start in range(0, len(items), 2)],
        "items": items,
    }
    return MailBlock(
        slate.id,
        shelves.is_personal,
        render_to_string("recommend/mail_block.html", context).strip(),
        render_to_string("recommend/mail_block.txt", context).strip(),
    )


def mail_picture(card: Card, rendering_id: int | None) -> str | None:
    """Where the picture of a mail lies at this moment: a published rendering, or the product's photo; None if it is gone."""
    shown: Photo | Rendering | None = card.photo
    if rendering_id is not None:
        shown = next((option for option in card.published if option.pk == rendering_id), None)
    return default_storage.url(_file(shown)) if shown is not None else None


def _drawn(presenter: Presenter, k: int) -> list[Pick]:
    """From the shelf, without what it shows for want of anything else; again for what has sold out since it was counted."""
    picks: list[Pick] = []
    for _again in range(MOST_DRAWS):
        drawn = presenter.page.shelf("email", k - len(picks))
        fit = [pick for pick in drawn if not LAST_RESORTS.intersection(pick.trace)]
        cards = presenter.products({pick.product_id for pick in fit})
        picks += [pick for pick in fit if pick.product_id in cards and not cards[pick.product_id].is_sold_out]
        if not fit or len(picks) >= k:
            break
    return picks


def _mailed(shelves: Shelves) -> set[int]:
    if shelves.shopper is None:
        return set()
    slates = Slate.objects.filter(shopper=shelves.shopper, slot=Slate.MAIL, created_at__gt=timezone.now() - NOT_AGAIN)
    return {item["product"] for items in slates.values_list("items", flat=True) for item in items}


def _check(href: str) -> None:
    try:
        parts = urlsplit(href)
    except ValueError:
        parts = urlsplit("")
    sound = len(href) <= LONGEST_ADDRESS and href.isprintable() and " " not in href
    if not (sound and parts.scheme in {"http", "https"} and parts.netloc and "{sku}" in href):
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
    alt = item.picture.alt if item.picture else item.name
    return MailItem(item.name, product.price, item.reason, address, alt, _picture(item, shelves, absolute))


def _picture(item: ShownProduct, shelves: Shelves, absolute: Absolute) -> tuple[str, int, int] | None:
    rendering = item.rendering if isinstance(item.rendering, Rendering) else None
    shown = rendering or item.product.photo
    if shown is None:
        return None
    address = default_storage.url(_file(shown))
    if urlsplit(address).query:  # signed, for an hour; mails are opened later than that
        name, arguments = "storefront:mail_picture", [shelves.merchant.slug, item.product.pk]
        address = reverse(name, args=[*arguments, rendering.pk] if rendering else arguments)
    return absolute(address), PICTURE_WIDTH, round(PICTURE_WIDTH * shown.height / shown.width)


def _file(shown: Photo | Rendering) -> str:
    return mail_copy(json.loads(shown.copies)) or shown.file
