"""What a card shows of a product: its facts read afresh, in one query; how its picture is served from memory.

A card is a function of the rows that were just read, so for equal rows it is not made twice.

A stored picture never changes under its name, so its address, size and smaller copies are kept for some minutes, in every
process. Everything that can change (names, price, stock, which renderings are published) is never older than the page.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
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
#: Cards that are not made anew while their rows are the same; some 3 kB each.
MOST_CARDS = 5_000


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
    #: Its other pictures, in their order.
    more_photos: tuple[Photo, ...] = ()

    @property
    def is_sold_out(self) -> bool:
        return self.stock == 0

    @property
    def display_name(self) -> str:
        return in_language(self.name, self.name_zh)


_OF_SHOP = ("merchant_id", "status")
_FIELDS = ("pk", "sku", "name", "name_zh", "price", "stock", "category_id")
_PHOTO = ("images__pk", "images__file", "images__width", "images__height", "copies", "images__alt_text")
_RENDERING = ("shown__pk", "shown__file", "shown__width", "shown__height", "shown_copies")
_LOOK = ("shown__style_id", "shown__style__slug", "shown__style__name", "shown__style__name_zh")


# By primary key alone. Asked for the shop and the status too, SQLite walks all products of the shop instead.
_CARDS = PreparedRead(
    lambda product_ids: (
        Product.objects.filter(pk__in=product_ids)
        .annotate(
            shown=FilteredRelation(
                "images__styled_images",
                condition=Q(images__styled_images__status=StyledImage.Status.PUBLISHED),
            )
        )
        # As text: most of them are in memory already, and need not be parsed again.
        .annotate(copies=Cast("images__renditions", TextField()), shown_copies=Cast("shown__renditions", TextField()))
        .order_by("images__position", "images__pk", "shown__style__position", "shown__pk")
        .values_list(*_OF_SHOP, *_FIELDS, *_PHOTO, *_RENDERING, *_LOOK)
    )
)


def read_cards(*, merchant: Merchant, product_ids: Collection[int]) -> dict[int, Card]:
    """Products of an open shop that are on sale, by id."""
    if not merchant.is_active:
        return {}
    of_product: dict[int, list[tuple[Any, ...]]] = {}
    for row in _CARDS.raw(list(product_ids)):
        if row[0] == merchant.pk and row[1] == Product.Status.PUBLISHED:
            of_product.setdefault(row[2], []).append(row)
    return {pk: _card_of(tuple(rows)) for pk, rows in of_product.items()}


@lru_cache(maxsize=MOST_CARDS)
def _card_of(rows: tuple[tuple[Any, ...], ...]) -> Card:
    """The card that these rows say, one row for each published rendering of each picture. Equal rows, the same card."""
    first = _CARDS.converted(rows[0])[2:]
    pictures = [row[2:] for row in rows]
    published = tuple(
        Rendering(*row[13:18], Look(*row[18:]))  # type: ignore[call-arg]
        for row in pictures
        if row[13] is not None and row[7] == first[7]  # of the first picture
    )
    photos = [Photo(*values) for values in dict.fromkeys(row[7:13] for row in pictures) if values[0] is not None]
    return Card(*first[:7], photos[0] if photos else None, published, tuple(photos[1:]))  # type: ignore[call-arg]


#: (name of the stored file, its copies, its text) → (until when it is kept, the picture).
_pictures: dict[tuple[str, str, str], tuple[float, Picture]] = {}


def picture_on_card(shown: Photo | Rendering, alt: str = "") -> Picture:
    """How a picture of a card is served; ``alt``: its text for those who do not see it."""
    now, key = time.monotonic(), (shown.file, shown.copies, alt)
    kept = _pictures.get(key)
    if kept is not None and kept[0] > now:
        return kept[1]
    copies = json.loads(shown.copies)
    url, avif = default_storage.url(shown.file), srcset_of(copies, kind="avif")
    picture = Picture(url, shown.width, shown.height, srcset_of(copies), avif, alt)
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


def forget() -> None:
    """Keep no picture and no card."""
    _pictures.clear()
    _card_of.cache_clear()
