"""A product's renderings, for its page in the admin: the catalogue lies below and knows nothing of them."""

from __future__ import annotations

from typing import Any

from django import template

from catalog.models import Product
from styling.models import StyledImage
from styling.services.limits import limits_of
from styling.truth_texts import readings

register = template.Library()
#: Renderings that the page shows, the newest first; the review has them all.
SHOWN = 12


@register.inclusion_tag("styling/_product_renderings.html")
def product_renderings(product: Product) -> dict[str, Any]:
    """The newest renderings of the product's pictures, each with what it did to the product."""
    rows = StyledImage.objects.filter(product_image__product=product).order_by("-pk")
    limits = limits_of(product.merchant)
    return {
        "product": product,
        "total": rows.count(),
        "renderings": [
            {"image": row, "readings": readings(row.truth, row.breaches, limits=limits)}
            for row in rows.select_related("style", "style_model", "product_image")[:SHOWN]
        ],
    }
