"""Short addresses of creatives: made once, never reused, kept when the creative goes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from catalog.models import Merchant, Product
from recommend.creatives.models import TrackedLink
from styling.models import Style

#: No 0/O, 1/l/I: codes are read aloud and typed from print.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LENGTH = 8


def make_links(
    *, merchant: Merchant, products: Sequence[Product], style: Style | None, campaign: str
) -> list[TrackedLink]:
    """One new link for each product, in the same order (a product may stand there several times)."""
    codes: set[str] = set()
    while len(codes) < len(products):
        missing = len(products) - len(codes)
        candidates = {"".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(missing)}
        taken = set(TrackedLink.objects.filter(code__in=candidates).values_list("code", flat=True))
        codes |= candidates - taken
    return TrackedLink.objects.bulk_create(
        TrackedLink(code=code, merchant=merchant, product=product, style=style, campaign=campaign)
        for code, product in zip(sorted(codes), products, strict=True)
    )
