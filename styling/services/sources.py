"""Which pictures a training learns from: the shop's products (domain A) and the style's references (domain B)."""

from __future__ import annotations

from django.db.models import QuerySet

from catalog.models import Category, Product, ProductImage
from styling.models import Style


def source_pictures(*, style: Style, category: Category | None = None) -> QuerySet[ProductImage]:
    """Pictures of the shop's products, of one category where one is given; archived products are left out."""
    pictures = ProductImage.objects.filter(product__merchant_id=style.merchant_id).exclude(
        product__status=Product.Status.ARCHIVED
    )
    if category is not None:
        pictures = pictures.filter(product__category=category)
    return pictures.order_by("pk")
