"""What webhooks are told about renderings: that they came onto the storefront, or left it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.developers.announcing import announce
from catalog.developers.models import WebhookEndpoint
from styling.models import StyledImage

_Event = WebhookEndpoint.Event
_PUBLISHED = StyledImage.Status.PUBLISHED


def announce_moves(before: str, after: str, image_ids: Sequence[int]) -> None:
    """Renderings of one shop have moved from ``before`` to ``after``; called in the transaction of the move."""
    if not image_ids or (before == _PUBLISHED) == (after == _PUBLISHED):
        return
    rows = StyledImage.objects.filter(pk__in=image_ids)

    def items() -> list[dict[str, Any]]:
        fields = rows.values_list("pk", "style__slug", "product_image__product__sku").order_by("pk")
        return [{"id": pk, "style": style, "product": sku} for pk, style, sku in fields]

    merchant_id = rows.values_list("merchant_id", flat=True)[0]
    announce(
        merchant_id=merchant_id,
        event=_Event.IMAGE_PUBLISHED if after == _PUBLISHED else _Event.IMAGE_UNPUBLISHED,
        items=items,
    )
