"""A shop's product-truth limits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from catalog import audit
from catalog.access import require_role
from catalog.models import Membership, Merchant
from styling.cyclegan.truth import TruthLimits


def limits_of(merchant: Merchant) -> TruthLimits:
    """The limits that renderings of this shop are measured against."""
    return TruthLimits.from_dict(merchant.truth_limits)


def set_limits(*, merchant: Merchant, limits: TruthLimits, by: Any) -> None:
    """Change the limits for renderings from now on. Needs an owner."""
    require_role(by, merchant, Membership.Role.OWNER)
    values = asdict(limits)
    before = dict(merchant.truth_limits)
    Merchant.objects.filter(pk=merchant.pk).update(truth_limits=values)
    merchant.truth_limits = values
    audit.record(
        merchant=merchant, actor=by, action="truth-limits-changed", target=merchant, before=before, after=values
    )
