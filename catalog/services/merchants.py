"""Opening a shop, and who works for it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.text import slugify

from catalog import audit
from catalog.models import Membership, Merchant


def open_shop(*, name: str, owner: Any | None, slug: str = "", **fields: Any) -> Merchant:
    """A new shop with ``owner`` as its owner; without one only superusers can reach it until somebody is added."""
    with transaction.atomic():
        merchant = Merchant(name=name, slug=slug or _free_slug(name), **fields)
        merchant.full_clean()
        merchant.save()
        if owner is not None:
            Membership.objects.create(merchant=merchant, user=owner, role=Membership.Role.OWNER)
        audit.record(merchant=merchant, actor=owner, action="shop-opened", target=merchant, after={"name": name})
    return merchant


def _free_slug(name: str) -> str:
    base = slugify(name)[:50] or "shop"
    taken = set(Merchant.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    candidates = [base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))]
    return next(slug for slug in candidates if slug not in taken)
