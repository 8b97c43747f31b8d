"""The audit trail: each entry's hash covers the one before it, so that a changed or removed entry shows."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.models import AuditEntry, Merchant

GENESIS = "0" * 64


@dataclass(frozen=True)
class Fact:
    """What happened to one thing."""

    action: str
    target: Any
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def record(
    *,
    merchant: Merchant,
    actor: Any,
    action: str,
    target: Any,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry: ``actor`` (a user, or None for the system) did ``action`` to ``target``."""
    fact = Fact(action, target, before or {}, after or {})
    return record_all(merchant=merchant, actor=actor, facts=[fact])[0]


def record_all(*, merchant: Merchant, actor: Any, facts: Sequence[Fact]) -> list[AuditEntry]:
    """Append one entry for each fact, in order; for many together the chain is locked and read once."""
    with transaction.atomic():
        # The shop's row is the chain's lock: two entries cannot both follow the same one.
        Merchant.objects.select_for_update().get(pk=merchant.pk)
        last = AuditEntry.objects.filter(merchant=merchant).order_by("-id").values_list("hash", flat=True).first()
        previous, now, entries = last or GENESIS, timezone.now(), []
        for fact in facts:
            entry = AuditEntry(
                merchant=merchant,
                actor=str(actor or "system")[:150],
                action=fact.action,
                target=f"{type(fact.target).__name__}:{getattr(fact.target, 'pk', fact.target)}"[:120],
                before=fact.before,
                after=fact.after,
                at=now,
                previous_hash=previous,
            )
            previous = entry.hash = hash_of(entry)
            entries.append(entry)
        return AuditEntry.objects.bulk_create(entries)


def hash_of(entry: AuditEntry) -> str:
    """HMAC-SHA-256 over the entry and the hash of the one before it."""
    content = [
        entry.merchant_id,
        entry.actor,
        entry.action,
        entry.target,
        entry.before,
        entry.after,
        entry.at.isoformat(),
        entry.previous_hash,
    ]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def first_broken(*, merchant: Merchant) -> AuditEntry | None:
    """The first entry that was changed, or whose predecessor is gone; None where the chain is whole."""
    previous = GENESIS
    for entry in AuditEntry.objects.filter(merchant=merchant).order_by("id").iterator():
        if entry.previous_hash != previous or entry.hash != hash_of(entry):
            return entry
        previous = entry.hash
    return None
