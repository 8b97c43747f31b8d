"""How much of the catalogue each style covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog.models import Merchant, Product
from recommend.admin_charts import stacked_bar
from styling.models import Style

_STAGES = (["published"], ["published", "approved"], ["published", "approved", "generated"])


@dataclass(frozen=True)
class Row:
    """A style: products with a published rendering, with an approved one at best, awaiting review, with none."""

    style: Style
    published: int
    approved: int
    waiting: int
    missing: int
    bar: SafeString

    @property
    def told(self) -> list[str]:
        """How many products stand where; stages without any are not told."""
        parts = (
            (self.published, _("%(n)d published")),
            (self.approved, _("%(n)d approved")),
            (self.waiting, _("%(n)d to review")),
            (self.missing, _("%(n)d without")),
        )
        return [text % {"n": count} for count, text in parts if count]

    @property
    def percent(self) -> int:
        total = self.published + self.approved + self.waiting + self.missing
        return round(100 * self.published / total) if total else 0


def of_shop(shop: Merchant) -> list[Row]:
    """One row per style, in the shop's order. Each product counts once, by the best of its renderings."""
    total = Product.objects.filter(merchant=shop).on_sale().count()
    product = "styled_images__product_image__product"
    on_sale = Q(**{f"{product}__status": Product.Status.PUBLISHED})
    styles: Any = Style.objects.filter(merchant=shop).annotate(
        **{
            f"upto{number}": Count(product, filter=on_sale & Q(styled_images__status__in=stage), distinct=True)
            for number, stage in enumerate(_STAGES)
        }
    )
    return [_row(style, total) for style in styles] if total else []


def _row(style: Any, total: int) -> Row:
    published, approved, waiting = style.upto0, style.upto1 - style.upto0, style.upto2 - style.upto1
    bar = stacked_bar([("good", published), ("blue", approved), ("warn", waiting)], total=total)
    return Row(style, published, approved, waiting, max(total - style.upto2, 0), bar)
