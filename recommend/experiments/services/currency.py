"""When the shop's currency was changed: amounts of before it and after it must not be added up."""

from __future__ import annotations

from datetime import datetime

from catalog.models import AuditEntry, Merchant


def currency_changed_at(merchant: Merchant) -> datetime | None:
    """The last change, as the audit trail has it; None where there was none."""
    changes = AuditEntry.objects.filter(merchant=merchant, action="shop-changed", after__has_key="currency")
    return changes.order_by("-id").values_list("at", flat=True).first()
