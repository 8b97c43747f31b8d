"""Opening a shop, and who works for it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.models import Membership, Merchant
from jobs.errors import NotAllowed


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


#: What an owner may set; the address stays, because it stands in every link to the shop.
SETTINGS = (
    "name",
    "name_zh",
    "tagline",
    "tagline_zh",
    "currency",
    "personalisation_enabled",
    "bandit_enabled",
)


def change_shop(*, merchant: Merchant, by: Any, **settings: Any) -> Merchant:
    """Change a shop's settings, on the record. ``is_active`` is for whoever runs the site."""
    unknown = set(settings) - {*SETTINGS, "is_active"}
    if unknown:
        raise TypeError(f"not a setting of a shop: {sorted(unknown)}")
    require_role(by, merchant, Membership.Role.OWNER)
    if "is_active" in settings and not by.is_superuser:
        raise NotAllowed("operators-only", _("Only whoever runs this site opens and closes shops."), _("Ask them."))
    with transaction.atomic():
        before = Merchant.objects.select_for_update().values(*settings).get(pk=merchant.pk)
        changed = {name: value for name, value in settings.items() if before[name] != value}
        for name, value in settings.items():
            setattr(merchant, name, value)
        merchant.full_clean()
        merchant.save(update_fields=[*settings])
        if changed:
            audit.record(
                merchant=merchant,
                actor=by,
                action="shop-changed",
                target=merchant,
                before={name: before[name] for name in changed},
                after=changed,
            )
    return merchant


def _free_slug(name: str) -> str:
    base = slugify(name)[:50] or "shop"
    taken = set(Merchant.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    candidates = [base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))]
    return next(slug for slug in candidates if slug not in taken)
