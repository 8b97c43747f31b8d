"""What the storefront itself notices. Without a consented shopper nothing is written."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.utils import timezone

from catalog import prepared
from catalog.models import Product
from recommend.models import Interaction, Shopper, Slate
from recommend.services.events import SEEN_WITHIN, insert, touch
from recommend.services.renderings import PublishedRendering
from styling.models import StyledImage


def note(
    *,
    shopper: Shopper | None,
    kind: str,
    product: Product,
    rendering: PublishedRendering | None = None,
    slot: str = "",
    slate_id: uuid.UUID | None = None,
    position: int | None = None,
    value: float | None = None,
) -> None:
    """One thing that the shopper did with a product; of a purchase ``value`` is what was paid, in the shop's currency."""
    if shopper is None:
        return
    row = Interaction(
        merchant_id=shopper.merchant_id,
        shopper=shopper,
        product=product,
        kind=kind,
        value=value,
        style_id=rendering.style_id if rendering else None,
        styled_image_id=rendering.pk if rendering else None,
        slot=slot[:20],
        slate_id=slate_id,
        position=position,
        occurred_at=timezone.now(),
    )
    prepared.insert([row])
    if timezone.now() - shopper.last_seen_at > SEEN_WITHIN:
        touch([shopper.pk])


def note_seen(*, shopper: Shopper, slate_id: uuid.UUID, positions: Iterable[int]) -> int:
    """Impressions: the places of a slate that really came into view, as the page's script says; how many were taken.

    What stood at a place is read from the slate, never believed; telling it twice is telling it once.
    """
    slate = Slate.objects.filter(pk=slate_id, shopper=shopper).first()
    if slate is None:
        return 0
    now = timezone.now()
    seen = [(position, slate.items[position]) for position in sorted(set(positions)) if position < len(slate.items)]
    products = set(Product.objects.filter(pk__in=[item["product"] for _, item in seen]).values_list("pk", flat=True))
    renderings = set(
        StyledImage.objects.filter(pk__in=[item["rendering"] for _, item in seen if item["rendering"]]).values_list(
            "pk", flat=True
        )
    )
    return insert(
        rows=[
            Interaction(
                merchant_id=shopper.merchant_id,
                event_id=uuid.uuid5(slate.pk, str(position)),
                shopper=shopper,
                product_id=item["product"],
                kind=Interaction.Kind.IMPRESSION,
                style_id=item["style"] if item["rendering"] in renderings else None,
                styled_image_id=item["rendering"] if item["rendering"] in renderings else None,
                slot=slate.slot,
                slate_id=slate.pk,
                position=position,
                occurred_at=now,
            )
            for position, item in seen
            if item["product"] in products
        ]
    )
