"""Products, one verb each. The searchable text is kept beside the names that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import audit, prepared
from catalog.developers.announcing import announce
from catalog.developers.models import WebhookEndpoint
from catalog.models import Merchant, Product
from catalog.search import searchable
from jobs.errors import UserError

#: The fields that a merchant may set, through whichever door.
EDITABLE = ("name", "name_zh", "description", "description_zh", "price", "stock", "status", "category")
#: Characters, through whichever door.
LONGEST_DESCRIPTION = 20_000


def search_text_of(product: Product) -> str:
    """The tokens under which a product is found."""
    category = product.category
    shelf = (category.name, category.name_zh) if category else ()
    return searchable(product.sku, product.name, product.name_zh, product.description, product.description_zh, *shelf)


def save_product(*, merchant: Merchant, sku: str, actor: Any = None, **fields: Any) -> tuple[Product, bool]:
    """Create the product with this SKU, or change the given fields of the one that has it; whether it is new."""
    return save_many(merchant=merchant, items={sku: fields}, actor=actor)[0]


def save_many(
    *, merchant: Merchant, items: Mapping[str, Mapping[str, Any]], actor: Any = None
) -> list[tuple[Product, bool]]:
    """``save_product`` for many at once, by SKU: all of them or none. A few queries whatever their number."""
    for fields in items.values():
        _check(merchant, fields)
    now = timezone.now()
    with transaction.atomic():
        locked = Product.objects.select_for_update(of=("self",)).select_related("category")
        known = {product.sku: product for product in locked.filter(merchant=merchant, sku__in=items)}
        saved, facts, changes = [], [], []
        for sku, fields in items.items():
            product, is_new = known.get(sku) or Product(merchant=merchant, sku=sku), sku not in known
            before = {} if is_new else {name: str(getattr(product, name)) for name in fields}
            for name, value in fields.items():
                setattr(product, name, value)
            product.search_text = search_text_of(product)
            product.updated_at = now
            saved.append((product, is_new))
            after = {name: str(value) for name, value in fields.items()}
            changed = sorted(name for name, value in after.items() if before.get(name) != value)
            if is_new or changed:
                old, new = ({name: state[name] for name in changed if name in state} for state in (before, after))
                facts.append(audit.Fact("product-created" if is_new else "product-changed", product, old, new))
                changes.append((product, is_new, changed))
        Product.objects.bulk_create([product for product, is_new in saved if is_new])
        columns = {name for fields in items.values() for name in fields} | {"search_text", "updated_at"}
        prepared.update([product for product, is_new in saved if not is_new], sorted(columns))
        if facts:
            audit.record_all(merchant=merchant, actor=actor, facts=facts)
            announce(
                merchant_id=merchant.pk,
                event=WebhookEndpoint.Event.PRODUCT_UPDATED,
                items=lambda: [
                    {"id": product.pk, "sku": product.sku, "created": is_new, "changed": changed}
                    for product, is_new, changed in changes
                ],
            )
    return saved


def _check(merchant: Merchant, fields: Mapping[str, Any]) -> None:
    unknown = set(fields) - set(EDITABLE)
    if unknown:
        raise TypeError(f"not a field of a product: {sorted(unknown)}")
    category = fields.get("category")
    if category is not None and category.merchant_id != merchant.pk:
        raise UserError("foreign-category", _("This category belongs to another shop."), _("Choose one of your own."))
    price = fields.get("price")
    if price is not None and Decimal(price) < 0:
        raise UserError("negative-price", _("A price cannot be below zero."), _("Write it without a minus sign."))
