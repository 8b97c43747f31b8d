"""Slates: shelves turned into what is shown (product, picture, style, reason), and kept so that clicks can be told apart.

However many shelves a page has, the products, their pictures and their renderings are read in one query each.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Prefetch
from django.utils import timezone

from catalog.models import Merchant, Product, ProductImage
from recommend.models import Shopper, Slate
from recommend.reasons import reason_text
from recommend.services import shoppers
from recommend.services.catalogue import facts
from recommend.services.history import LIKES, History
from recommend.services.renderings import RenderingChooser, Shown
from recommend.services.shelves import Pick, Shelves
from styling.models import StyledImage


@dataclass(frozen=True)
class Picture:
    """A picture as a page shows it: sized, so that nothing moves when it arrives."""

    url: str
    width: int
    height: int
    srcset: str
    alt: str


@dataclass(frozen=True)
class ShownProduct:
    """A product on a page, in the style chosen for this shopper."""

    product: Product
    picture: Picture | None
    shown: Shown = field(default_factory=lambda: Shown(None))
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    reason_code: str = ""
    reason: str = ""
    reason_product: int | None = None
    trace: tuple[str, ...] = ()
    position: int = 0

    @property
    def rendering(self) -> StyledImage | None:
        return self.shown.rendering


@dataclass(frozen=True)
class ShownSlate:
    """A shelf as a page shows it. ``id`` is None where nothing is kept, for strangers."""

    slot: str
    items: Sequence[ShownProduct]
    id: uuid.UUID | None = None


def picture_of(row: ProductImage | StyledImage, *, alt: str) -> Picture:
    """The picture of a photo or a rendering."""
    srcset = ", ".join(f"{default_storage.url(item['path'])} {item['width']}w" for item in row.renditions)
    return Picture(row.file.url, row.width, row.height, srcset, alt)


class Presenter:
    """Turns picks into shown products for one visitor."""

    def __init__(self, page: Shelves) -> None:
        self.page = page
        self.chooser = chooser_for(page.merchant, page.shopper, page.history)
        self._known: dict[int, Product] = {}

    def slates(
        self, shelves: Mapping[str, Sequence[Pick]], *, also: Sequence[int] = (), keep: bool = True
    ) -> dict[str, ShownSlate]:
        """Every shelf of a page as it is shown; kept as ``Slate`` rows for a shopper with a profile.

        ``also``: ids of products that ``plain`` will show on the same page, read along.
        """
        picks = [pick for shelf in shelves.values() for pick in shelf]
        wanted = {pick.product_id for pick in picks} | {pick.reason_product for pick in picks if pick.reason_product}
        products = self.products(wanted | set(also))
        shown = {
            slot: [
                self._show(pick, products, position)
                for position, pick in enumerate(shelf)
                if pick.product_id in products
            ]
            for slot, shelf in shelves.items()
        }
        ids = self._keep(shown) if keep and self.page.shopper is not None else {}
        return {slot: ShownSlate(slot, items, ids.get(slot)) for slot, items in shown.items()}

    def plain(self, product_ids: Sequence[int]) -> list[ShownProduct]:
        """Products in a given order, in the shopper's style, without a recommendation behind them."""
        products = self.products(set(product_ids))
        return [
            self._present(products[pk], position=position) for position, pk in enumerate(product_ids) if pk in products
        ]

    def product(self, product_id: int, *, along: Sequence[int] = ()) -> Product | None:
        """One product on sale, with its pictures; ``along``: ids of products that are shown on the same page."""
        return self.products({product_id, *along}).get(product_id)

    def shown(self, products: Sequence[Product]) -> list[ShownProduct]:
        """Products that were read with ``with_pictures``, in the shopper's style."""
        return [self._present(product, position=position) for position, product in enumerate(products)]

    def products(self, ids: set[int]) -> dict[int, Product]:
        """Products on sale by id; each is read once for a page."""
        missing = ids - self._known.keys()
        if missing:
            rows = with_pictures(Product.objects.filter(merchant=self.page.merchant).on_sale().filter(pk__in=missing))
            self._known.update({product.pk: product for product in rows})
        return {pk: self._known[pk] for pk in ids if pk in self._known}

    def _show(self, pick: Pick, products: Mapping[int, Product], position: int) -> ShownProduct:
        behind = products.get(pick.reason_product) if pick.reason_product else None
        return self._present(
            products[pick.product_id],
            position=position,
            score=pick.score,
            parts=pick.parts,
            reason_code=pick.reason_code,
            reason=reason_text(pick.reason_code, behind.display_name if behind else ""),
            reason_product=pick.reason_product,
            trace=pick.trace,
        )

    def _present(self, product: Product, **fields: Any) -> ShownProduct:
        image = next(iter(product.images.all()), None)
        if image is None:
            return ShownProduct(product, None, **fields)
        shown = self.choose(image)
        picture = picture_of(shown.rendering or image, alt=image.alt_text or product.display_name)
        return ShownProduct(product, picture, shown, **fields)

    def choose(self, image: ProductImage) -> Shown:
        """The rendering of one picture for this visitor."""
        return self.chooser.choose(image.pk, image.published_renderings)  # type: ignore[attr-defined]

    def _keep(self, shown: Mapping[str, Sequence[ShownProduct]]) -> dict[str, uuid.UUID]:
        rows = [
            Slate(
                merchant=self.page.merchant,
                shopper=self.page.shopper,
                recommender_id=self.page.recommender_id,
                slot=slot,
                items=[_record(item) for item in items],
            )
            for slot, items in shown.items()
            if items
        ]
        Slate.objects.bulk_create(rows)
        return {row.slot: row.pk for row in rows}


def _record(item: ShownProduct) -> dict[str, Any]:
    return {
        "product": item.product.pk,
        "style": item.rendering.style_id if item.rendering else None,
        "rendering": item.rendering.pk if item.rendering else None,
        "score": round(item.score, 5),
        "reason": item.reason_code,
        "source": item.reason_product,
        "propensity": round(item.shown.propensity, 5),
        "known": round(item.shown.known, 3),
        "share": round(item.shown.share, 5),
    }


def with_pictures(products: Any) -> Any:
    """Products with their pictures and the published renderings of each, in three queries."""
    published = StyledImage.objects.published().select_related("style").order_by("style__position", "pk")
    pictures = ProductImage.objects.order_by("position", "pk").prefetch_related(
        Prefetch("styled_images", queryset=published, to_attr="published_renderings")
    )
    return products.select_related("category").prefetch_related(Prefetch("images", queryset=pictures))


def chooser_for(merchant: Merchant, shopper: Shopper | None, history: History) -> RenderingChooser:
    """How renderings are chosen for this visitor."""
    if shopper is None:
        return RenderingChooser.for_stranger()
    likes = sum(event.event in LIKES for event in history.events)
    hidden = frozenset(shoppers.hidden_tags(shopper))
    return RenderingChooser(
        shares=history.style_shares(hidden),
        likes=likes,
        seed=f"{shopper.pk}|{likes}|{timezone.now():%G-%V}",
        policy=facts(merchant).policy if merchant.bandit_enabled else None,
        hidden=hidden,
    )
