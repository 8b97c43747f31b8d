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
from recommend.models import RenderingPolicy, Shopper, Slate
from recommend.reasons import reason_text
from recommend.services import shoppers
from recommend.services.history import LIKES, History
from recommend.services.renderings import RenderingChooser, Shown, load_policy
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
    rendering: StyledImage | None = None
    propensity: float = 1.0
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    reason_code: str = ""
    reason: str = ""
    trace: tuple[str, ...] = ()
    position: int = 0


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

    def slates(self, shelves: Mapping[str, Sequence[Pick]], *, keep: bool = True) -> dict[str, ShownSlate]:
        """Every shelf of a page as it is shown; kept as ``Slate`` rows for a shopper with a profile."""
        picks = [pick for shelf in shelves.values() for pick in shelf]
        wanted = {pick.product_id for pick in picks} | {pick.reason_product for pick in picks if pick.reason_product}
        products = self._products(wanted)
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
        products = self._products(set(product_ids))
        return [
            self._present(products[pk], position=position) for position, pk in enumerate(product_ids) if pk in products
        ]

    def shown(self, products: Sequence[Product]) -> list[ShownProduct]:
        """Products that were read with ``with_pictures``, in the shopper's style."""
        return [self._present(product, position=position) for position, product in enumerate(products)]

    def _products(self, ids: set[int]) -> dict[int, Product]:
        rows = with_pictures(Product.objects.filter(merchant=self.page.merchant).on_sale().filter(pk__in=ids))
        return {product.pk: product for product in rows}

    def _show(self, pick: Pick, products: Mapping[int, Product], position: int) -> ShownProduct:
        behind = products.get(pick.reason_product) if pick.reason_product else None
        return self._present(
            products[pick.product_id],
            position=position,
            score=pick.score,
            parts=pick.parts,
            reason_code=pick.reason_code,
            reason=reason_text(pick.reason_code, behind.display_name if behind else ""),
            trace=pick.trace,
        )

    def _present(self, product: Product, **fields: Any) -> ShownProduct:
        image = next(iter(product.images.all()), None)
        if image is None:
            return ShownProduct(product, None, **fields)
        shown = self.choose(image)
        picture = picture_of(shown.rendering or image, alt=image.alt_text or product.display_name)
        return ShownProduct(product, picture, shown.rendering, shown.propensity, **fields)

    def choose(self, image: ProductImage) -> Shown:
        """The rendering of one picture for this visitor."""
        return self.chooser.choose(image.pk, image.published_renderings)  # type: ignore[attr-defined]

    def _keep(self, shown: Mapping[str, Sequence[ShownProduct]]) -> dict[str, uuid.UUID]:
        rows = [
            Slate(
                merchant=self.page.merchant,
                shopper=self.page.shopper,
                recommender=self.page.recommender,
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
        "propensity": round(item.propensity, 5),
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
    row = RenderingPolicy.objects.filter(merchant=merchant).first() if merchant.bandit_enabled else None
    return RenderingChooser(
        shares=history.style_shares(shoppers.hidden_tags(shopper)),
        likes=likes,
        seed=f"{shopper.pk}|{likes}|{timezone.now():%G-%V}",
        policy=load_policy(row.state) if row else None,
        enabled=True,
    )
