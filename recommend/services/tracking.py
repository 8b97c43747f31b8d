"""What the storefront itself notices. Without a consented shopper nothing is written."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.utils import timezone

from catalog.models import Product
from recommend.models import Interaction, Shopper
from recommend.services.events import insert
from recommend.services.slates import ShownSlate
from styling.models import StyledImage


def note(
    *,
    shopper: Shopper | None,
    kind: str,
    product: Product,
    rendering: StyledImage | None = None,
    slot: str = "",
    slate_id: uuid.UUID | None = None,
    position: int | None = None,
) -> None:
    """One thing that the shopper did with a product."""
    if shopper is None:
        return
    insert(
        merchant=shopper.merchant,
        rows=[
            Interaction(
                merchant_id=shopper.merchant_id,
                shopper=shopper,
                product=product,
                kind=kind,
                style_id=rendering.style_id if rendering else None,
                styled_image=rendering,
                slot=slot[:20],
                slate_id=slate_id,
                position=position,
                occurred_at=timezone.now(),
            )
        ],
    )


def note_impressions(*, shopper: Shopper | None, slates: Iterable[ShownSlate]) -> None:
    """What a page put before the shopper's eyes, in one statement."""
    if shopper is None:
        return
    now = timezone.now()
    Interaction.objects.bulk_create(
        Interaction(
            merchant_id=shopper.merchant_id,
            shopper=shopper,
            product=item.product,
            kind=Interaction.Kind.IMPRESSION,
            style_id=item.rendering.style_id if item.rendering else None,
            styled_image=item.rendering,
            slot=slate.slot,
            slate_id=slate.id,
            position=item.position,
            occurred_at=now,
        )
        for slate in slates
        if slate.id is not None
        for item in slate.items
    )
