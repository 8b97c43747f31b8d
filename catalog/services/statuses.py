"""Publishing, withdrawing and archiving products, many at a time, and taking that back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.developers.announcing import announce
from catalog.developers.models import WebhookEndpoint
from catalog.models import AuditEntry, Membership, Merchant, Product
from jobs.errors import UserError

MOST_AT_ONCE = 10_000

#: ``{status: [product ids]}``.
Statuses = dict[str, list[int]]


@dataclass(frozen=True)
class Change:
    """What ``set_status`` did: how many products it changed, and the entries of the audit trail that say which."""

    count: int
    entries: list[int]


def set_status(*, products: QuerySet[Product], status: str, by: Any) -> Change:
    """Give every product this status; what came of it, for ``restore``.

    Raises ``NotAllowed`` before anything is changed where ``by`` is no editor at one of their shops.
    """
    with transaction.atomic():
        rows = list(
            products.select_for_update()
            .exclude(status=status)
            .order_by("pk")
            .values_list("pk", "status", "merchant_id")[: MOST_AT_ONCE + 1]
        )
        if len(rows) > MOST_AT_ONCE:
            raise UserError(
                "too-many", _("These are more than %(limit)d products.") % {"limit": MOST_AT_ONCE}, _("Choose fewer.")
            )
        _require_editor(by, {merchant_id for _pk, _status, merchant_id in rows})
        by_shop: dict[int, Statuses] = defaultdict(lambda: defaultdict(list))
        for pk, old, merchant_id in rows:
            by_shop[merchant_id][old].append(pk)
        _write({status: [pk for pk, _status, _merchant in rows]})
        entries = [
            _record(merchant, by, before=by_shop[merchant.pk], after=status)
            for merchant in Merchant.objects.filter(pk__in=by_shop)
        ]
    return Change(len(rows), entries)


def restore(*, entries: Sequence[int], by: Any) -> int:
    """Give products the statuses that they had before ``set_status`` made these ``entries``; how many."""
    with transaction.atomic():
        changes = list(AuditEntry.objects.filter(pk__in=entries).select_related("merchant"))
        _require_editor(by, {change.merchant_id for change in changes if change.merchant_id})
        return sum(_take_back(change, by) for change in changes)


def _take_back(change: AuditEntry, by: Any) -> int:
    """Take one shop's change back, of the products that are still there."""
    ids = [pk for pks in change.before.values() for pk in pks]
    own = set(Product.objects.filter(pk__in=ids, merchant=change.merchant_id).values_list("pk", flat=True))
    earlier = {status: kept for status, pks in change.before.items() if (kept := [pk for pk in pks if pk in own])}
    moved = _write(earlier)
    for status, pks in earlier.items():
        _record(cast(Merchant, change.merchant), by, before={"": pks}, after=status)
    return moved


def _write(wanted: Statuses) -> int:
    now = timezone.now()
    return sum(
        Product.objects.filter(pk__in=pks).update(status=status, updated_at=now) for status, pks in wanted.items()
    )


def _require_editor(by: Any, merchant_ids: set[int]) -> None:
    for merchant in Merchant.objects.filter(pk__in=merchant_ids):
        require_role(by, merchant, Membership.Role.EDITOR)


def _record(merchant: Merchant, by: Any, *, before: Statuses, after: str) -> int:
    """Tell the shop's programs and write it into the trail; the entry's key."""
    pks = [pk for some in before.values() for pk in some]
    announce(
        merchant_id=merchant.pk,
        event=WebhookEndpoint.Event.PRODUCT_UPDATED,
        items=lambda: [
            {"id": pk, "sku": sku, "created": False, "changed": ["status"]}
            for pk, sku in Product.objects.filter(pk__in=pks).values_list("pk", "sku")
        ],
    )
    target: Any = Product(pk=pks[0]) if len(pks) == 1 else merchant
    entry = audit.record(
        merchant=merchant,
        actor=by,
        action=f"products-{after}",
        target=target,
        before=dict(before),
        after={after: pks},
    )
    return entry.pk
