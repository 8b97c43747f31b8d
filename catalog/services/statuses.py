"""Publishing, withdrawing and archiving products, many at a time, and taking that back."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.developers.announcing import announce
from catalog.developers.models import WebhookEndpoint
from catalog.models import Membership, Merchant, Product
from jobs.errors import UserError

MOST_AT_ONCE = 10_000

#: ``{earlier status: [product ids]}``: what ``restore`` needs in order to take a change back.
Earlier = dict[str, list[int]]


def set_status(*, products: QuerySet[Product], status: str, by: Any) -> Earlier:
    """Give every product this status. Returns what changed, by its earlier status.

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
        earlier: Earlier = defaultdict(list)
        by_shop: dict[int, Earlier] = defaultdict(lambda: defaultdict(list))
        for pk, old, merchant_id in rows:
            earlier[old].append(pk)
            by_shop[merchant_id][old].append(pk)
        _write({status: [pk for pk, _status, _merchant in rows]})
        for merchant in Merchant.objects.filter(pk__in=by_shop):
            _record(merchant, by, before=by_shop[merchant.pk], after=status)
    return dict(earlier)


def restore(*, earlier: Earlier, by: Any) -> int:
    """Give products the statuses that ``set_status`` returned; how many."""
    ids = [pk for pks in earlier.values() for pk in pks]
    with transaction.atomic():
        merchant_ids = set(Product.objects.filter(pk__in=ids).values_list("merchant_id", flat=True))
        _require_editor(by, merchant_ids)
        moved = _write(earlier)
        for merchant in Merchant.objects.filter(pk__in=merchant_ids):
            own = set(Product.objects.filter(pk__in=ids, merchant=merchant).values_list("pk", flat=True))
            for status, pks in earlier.items():
                if kept := [pk for pk in pks if pk in own]:
                    _record(merchant, by, before={"": kept}, after=status)
    return moved


def _write(wanted: Earlier) -> int:
    now = timezone.now()
    return sum(
        Product.objects.filter(pk__in=pks).update(status=status, updated_at=now) for status, pks in wanted.items()
    )


def _require_editor(by: Any, merchant_ids: set[int]) -> None:
    for merchant in Merchant.objects.filter(pk__in=merchant_ids):
        require_role(by, merchant, Membership.Role.EDITOR)


def _record(merchant: Merchant, by: Any, *, before: Earlier, after: str) -> None:
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
    audit.record(
        merchant=merchant,
        actor=by,
        action=f"products-{after}",
        target=target,
        before=dict(before),
        after={after: pks},
    )
