"""What a card shows of a product: its facts read afresh, in one query; how its picture is served from memory.

A stored picture never changes under its name, so its address, size and smaller copies are kept for some minutes, in every
process. Everything that can change (names, price, stock, which renderings are published) is never older than the page.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import FilteredRelation, Prefetch, Q, TextField
from django.db.models.functions import Cast

from catalog.models import Merchant, Product, ProductImage, in_language
from catalog.prepared import PreparedRead
from catalog.services.renditions import srcset_of
from styling.models import StyledImage

#: Seconds; well below the hour that a signed address of a private bucket holds.
PICTURE_SECONDS = 600
MOST_PICTURES = 20_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a page shows it: sized, so that nothing moves when it arrives."""

    url: str
    width: int
    height: int
    srcset: str
    #: The same widths as AVIF, for browsers that read it; empty where there are none.
    avif: str = ""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """A style by its names."""

    pk: int
    slug: str
    name: str
    name_zh: str

    @property
    def display_name(self) -> str:
        return in_language(self.name, self.name_zh)


@dataclass(frozen=True, slots=True)
class Rendering:
    """A published rendering of a product's first picture."""

    pk: int
    file: str
    width: int
    height: int
    #: The smaller copies as the row holds them, JSON.
    copies: str
    style: Look

    @property
    def style_id(self) -> int:
        return self.style.pk


@dataclass(frozen=True, slots=True)
class Photo:
    """A product's first picture."""

    pk: int
    file: str
    width: int
    height: int
    #: The smaller copies as the row holds them, JSON.
    copies: str
    alt_text: str


@dataclass(frozen=True, slots=True)
class Card:
    """A product on sale, as much of it as a card shows."""

    pk: int
    sku: str
    name: str
    name_zh: str
    price: Decimal
    stock: int | None
    category_id: int | None
    photo: Photo | None
    published: tuple[Rendering, ...]

    @property
    def is_sold_out(self) -> bool:
        return self.stock == 0

    @property
    def display_name(self) -> str:
        return in_language(self.name, self.name_zh)


_FIELDS = ("pk", "sku", "name", "name_zh", "price", "stock", "category_id")
_PHOTO = ("images__pk", "images__file", "images__width", "images__height", "copies", "images__alt_text")
_RENDERING = ("shown__pk", "shown__file", "shown__width", "shown__height", "shown_copies")
_LOOK = ("shown__style_id", "shown__style__slug", "shown__style__name", "shown__style__name_zh")


_CARDS = PreparedRead(
    lambda merchant_id, product_ids: (
        Product.objects.filter(merchant_id=merchant_id, pk__in=product_ids)
        .on_sale()
        .annotate(
            shown=FilteredRelation(
                "images__styled_images",
                condition=Q(images__styled_images__status=StyledImage.Status.PUBLISHED),
            )
        )
        # As text: most of them are in memory already, and need not be parsed again.
        .annotate(copies=Cast("images__renditions", TextField()), shown_copies=Cast("shown__renditions", TextField()))
        .order_by("images__position", "images__pk", "shown__style__position", "shown__pk")
        .values_list(*_FIELDS, *_PHOTO, *_RENDERING, *_LOOK)
    )
)


def read_cards(*, merchant: Merchant, product_ids: Collection[int]) -> dict[int, Card]:
    """Products of the shop that are on sale, by id."""
    facts: dict[int, tuple[Any, ...]] = {}
    published: dict[int, list[Rendering]] = {}
    for row in _CARDS.rows(merchant.pk, list(product_ids)):
        first = facts.setdefault(row[0], row)
        if row[13] is not None and row[7] == first[7]:  # of the first picture
            published.setdefault(row[0], []).append(Rendering(*row[13:18], Look(*row[18:])))  # type: ignore[call-arg]
    return {
        pk: Card(*row[:7], Photo(*row[7:13]) if row[7] is not None else None, tuple(published.get(pk, ())))  # type: ignore[call-arg]
        for pk, row in facts.items()
    }


#: (name of the stored file, its copies) → (until when it is kept, the picture).
_pictures: dict[tuple[str, str], tuple[float, Picture]] = {}


def picture_on_card(shown: Photo | Rendering) -> Picture:
    """How a picture of a card is served."""
    now, key = time.monotonic(), (shown.file, shown.copies)
    kept = _pictures.get(key)
    if kept is not None and kept[0] > now:
        return kept[1]
    copies = json.loads(shown.copies)
    url, avif = default_storage.url(shown.file), srcset_of(copies, kind="avif")
    picture = Picture(url, shown.width, shown.height, srcset_of(copies), avif)
    if len(_pictures) > MOST_PICTURES:
        _pictures.clear()
    _pictures[key] = (now + PICTURE_SECONDS, picture)
    return picture


def picture_of(row: ProductImage | StyledImage, *, alt: str = "") -> Picture:
    """The picture of a photo or a rendering."""
    avif = srcset_of(row.renditions, kind="avif")
    return Picture(row.file.url, row.width, row.height, srcset_of(row.renditions), avif, alt)


def with_pictures(products: Any) -> Any:
    """A queryset's products with their pictures and each picture's ``published_renderings``, for pages that compare."""
    published = StyledImage.objects.published().select_related("style").order_by("style__position", "pk")
    pictures = ProductImage.objects.order_by("position", "pk").prefetch_related(
        Prefetch("styled_images", queryset=published, to_attr="published_renderings")
    )
    return products.select_related("category").prefetch_related(Prefetch("images", queryset=pictures))


def described(picture: Picture, alt: str) -> Picture:
    """The same picture with its text for those who do not see it."""
    return replace(picture, alt=alt)


def forget() -> None:
    """Keep no picture."""
    _pictures.clear()
