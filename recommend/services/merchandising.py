"""A merchant's own rules about what is shown, as verbs: checked, kept, written into the audit trail."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.models import Membership
from jobs.errors import UserError
from recommend.models import MerchandisingRule
from recommend.services import catalogue


def check_rule(rule: MerchandisingRule) -> None:
    """Raise ``UserError`` where a rule contradicts itself or reaches into another shop."""
    subject = rule.product or rule.category
    if (rule.product is None) == (rule.category is None) or subject is None:
        raise UserError(
            "rule-subject",
            _("A rule is about one product or one category."),
            _("Choose one, and leave the other empty."),
        )
    if subject.merchant_id != rule.merchant_id:
        raise UserError(
            "rule-foreign", _("This does not belong to the shop."), _("Choose something that the shop sells.")
        )
    if rule.effect == MerchandisingRule.Effect.PIN and rule.product is None:
        raise UserError("rule-pin", _("Only a product can be pinned."), _("Choose a product, or boost the category."))
    if rule.starts_at and rule.ends_at and rule.starts_at >= rule.ends_at:
        raise UserError("rule-dates", _("The rule ends before it begins."), _("Choose a later end."))


def save_rule(*, rule: MerchandisingRule, by: Any) -> MerchandisingRule:
    """Make or change a rule; the storefront follows within seconds. Needs an editor."""
    require_role(by, rule.merchant, Membership.Role.EDITOR)
    check_rule(rule)
    with transaction.atomic():
        before = MerchandisingRule.objects.filter(pk=rule.pk).first()
        rule.save()
        audit.record(
            merchant=rule.merchant,
            actor=by,
            action="rule-changed" if before else "rule-made",
            target=rule,
            before=_content(before) if before else {},
            after=_content(rule),
        )
    catalogue.forget()
    return rule


def delete_rule(*, rule: MerchandisingRule, by: Any) -> None:
    """Take a rule away. Needs an editor."""
    require_role(by, rule.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        audit.record(merchant=rule.merchant, actor=by, action="rule-deleted", target=rule, before=_content(rule))
        rule.delete()
    catalogue.forget()


def _content(rule: MerchandisingRule) -> dict[str, Any]:
    return {
        "effect": rule.effect,
        "product": rule.product_id,
        "category": rule.category_id,
        "slot": rule.slot,
        "starts_at": rule.starts_at.isoformat() if rule.starts_at else None,
        "ends_at": rule.ends_at.isoformat() if rule.ends_at else None,
    }
