"""Styles: named looks that a shop's pictures can take on."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.models import Membership, Merchant
from jobs.errors import Conflict, UserError
from styling.models import Style, TrainingRun


def create_style(
    *,
    merchant: Merchant,
    by: Any,
    name: str,
    name_zh: str = "",
    description: str = "",
    description_zh: str = "",
) -> Style:
    """A new, empty style of the shop, last in its list. Its address is made from its name."""
    require_role(by, merchant, Membership.Role.EDITOR)
    name = name.strip()
    if not name:
        raise UserError("no-name", _("A style needs a name."), _("Name it after its look, for example “Ink drawing”."))
    with transaction.atomic():
        Merchant.objects.select_for_update().get(pk=merchant.pk)  # two styles of one name: the second waits its turn
        last = Style.objects.filter(merchant=merchant).aggregate(last=Max("position"))["last"]
        style = Style.objects.create(
            merchant=merchant,
            name=name[:120],
            name_zh=name_zh.strip()[:120],
            slug=_free_slug(merchant, name),
            description=description,
            description_zh=description_zh,
            position=0 if last is None else last + 1,
        )
        audit.record(merchant=merchant, actor=by, action="style-created", target=style, after={"name": style.name})
    return style


def delete_style(*, style: Style, by: Any) -> None:
    """Delete a style with its references, models and renderings. Refused while a training runs."""
    require_role(by, style.merchant, Membership.Role.EDITOR)
    if TrainingRun.objects.filter(style=style, status__in=["queued", "running"]).exists():
        raise Conflict(
            "training-runs", _("This style is being trained right now."), _("Cancel the training, then delete it.")
        )
    with transaction.atomic():
        audit.record(
            merchant=style.merchant, actor=by, action="style-deleted", target=style, before={"name": style.name}
        )
        style.delete()


def _free_slug(merchant: Merchant, name: str) -> str:
    base = slugify(name, allow_unicode=True)[:100] or "style"
    taken = set(Style.objects.filter(merchant=merchant, slug__startswith=base).values_list("slug", flat=True))
    candidates = [base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))]
    return next(slug for slug in candidates if slug not in taken)
