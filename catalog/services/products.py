"""Products, one verb each. The searchable text is kept beside the names that it is made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.developers.announcing import announce
from catalog.developers.models import WebhookEndpoint
from catalog.models import Merchant, Product
from catalog.search import searchable
from jobs.errors import UserError

#: The fields that a merchant may set, through whichever door.
EDITABLE = ("name", "name_zh", "description", "description_zh", "price", "stock", "status", "category")


def search_text_of(product: Product) -> str:
    """The tokens under which a product is found."""
    category = product.category
    shelf = (category.name, category.name_zh) if category else ()
    return searchable(product.sku, product.name, product.name_zh, product.description, product.description_zh, *shelf)


def save_product(*, merchant: Merchant, sku: str, actor: Any = None, **fields: Any) -> tuple[Product, bool]:
    """Create the product with this SKU, or change the given fields of the one that has it; whether it is new."""
    unknown = set(fields) - set(EDITABLE)
    if unknown:
        raise TypeError(f"not a field of a product: {sorted(unknown)}")
    category = fields.get("category")
    if category is not None and category.merchant_id != merchant.pk:
        raise UserError("foreign-category", _("This category belongs to another shop."), _("Choose one of your own."))
    price = fields.get("price")
    if price is not None and Decimal(price) < 0:
        raise UserError("negative-price", _("A price cannot be below zero."), _("Write it without a minus sign."))
    with transaction.atomic():
        product = Product.objects.select_for_update().filter(merchant=merchant, sku=sku).first()
        is_new = product is None
        if product is None:
            product = Product(merchant=merchant, sku=sku)
        before = {name: str(getattr(product, name)) for name in fields} if not is_new else {}
        for name, value in fields.items():
            setattr(product, name, value)
        product.search_text = search_text_of(product)
        product.save()
        after = {name: str(value) for name, value in fields.items()}
        if before != after:
            audit.record(
                merchant=merchant,
                actor=actor,
                action="product-created" if is_new else "product-changed",
                target=product,
                before={k: v for k, v in before.items() if v != after[k]},
                after={k: v for k, v in after.items() if before.get(k) != v},
            )
            changed = sorted(k for k, v in after.items() if before.get(k) != v)
            announce(
                merchant_id=merchant.pk,
                event=WebhookEndpoint.Event.PRODUCT_UPDATED,
                items=lambda: [{"id": product.pk, "sku": sku, "created": is_new, "changed": changed}],
            )
    return product, is_new
