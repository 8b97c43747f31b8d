"""Many products in one request: each is taken or refused by itself, and the answer says which and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from catalog.models import Merchant
from catalog.services.products import save_product
from jobs.errors import UserError

MOST_PRODUCTS = 500


@dataclass(frozen=True)
class ItemResult:
    """What became of one item. ``outcome`` is created, changed or refused."""

    index: int
    sku: str
    outcome: str
    id: int | None = None
    code: str = ""
    message: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class ItemResultSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="Place in the request, from 0.")
    sku = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["created", "changed", "refused"])
    id = serializers.IntegerField(allow_null=True)
    code = serializers.CharField(help_text="Why it was refused; empty otherwise.")
    message = serializers.CharField()
    details = serializers.DictField()


class BulkOutcomeSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = ItemResultSerializer(many=True)


def save_products(
    *, merchant: Merchant, items: Any, actor: Any, serializer_of: Callable[[Any], Any]
) -> list[ItemResult]:
    """Create or change each product by its SKU. One that is refused stops nobody else.

    ``serializer_of`` gives the serializer that checks one item. Raises ``UserError`` where the list is missing or too long.
    """
    if not isinstance(items, list) or not items:
        raise UserError(
            "products-missing",
            gettext_lazy("The body has no list “products”."),
            gettext_lazy("Send {“products”: […]}."),
        )
    if len(items) > MOST_PRODUCTS:
        raise UserError(
            "too-many-products",
            _("More than %(limit)d products in one request.") % {"limit": MOST_PRODUCTS},
            gettext_lazy("Send several requests, or import a file."),
        )
    return [_save(merchant, index, item, actor, serializer_of) for index, item in enumerate(items)]


def counts(results: Sequence[ItemResult]) -> dict[str, Any]:
    """The outcome as it is answered."""
    numbers = {name: sum(result.outcome == name for result in results) for name in ("created", "changed", "refused")}
    return {**numbers, "results": results}


def _save(merchant: Merchant, index: int, item: Any, actor: Any, serializer_of: Callable[[Any], Any]) -> ItemResult:
    sku = str(item.get("sku", ""))[:64] if isinstance(item, dict) else ""
    try:
        serializer = serializer_of(item)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            product, is_new = save_product(merchant=merchant, actor=actor, **serializer.validated_data)
    except serializers.ValidationError as error:
        details = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        return ItemResult(index, sku, "refused", None, "invalid", _("Some fields are not right."), dict(details))
    except UserError as error:
        return ItemResult(index, sku, "refused", None, error.code, str(error.message))
    return ItemResult(index, product.sku, "created" if is_new else "changed", product.pk)
