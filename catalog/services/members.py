"""Who works for a shop: adding people, changing their role, letting them go. A shop always keeps an owner."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.models import ApiToken, Membership, Merchant
from jobs.errors import Conflict, UserError

OWNER = Membership.Role.OWNER


def add_member(*, merchant: Merchant, username: str, role: str, by: Any) -> Membership:
    """Give the user of this name a role at the shop, and with it access to the admin."""
    require_role(by, merchant, OWNER)
    user = get_user_model().objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise UserError(
            "no-such-user",
            _("There is no user of this name."),
            _("Check the spelling, or ask whoever runs this site to make an account."),
        )
    with transaction.atomic():
        _lock(merchant)
        if Membership.objects.filter(merchant=merchant, user=user).exists():
            raise Conflict(
                "already-member", _("This user works for the shop already."), _("Change their role in the list.")
            )
        membership = Membership.objects.create(merchant=merchant, user=user, role=role)
        if not user.is_staff:
            user.is_staff = True
            user.save(update_fields=["is_staff"])
        _record(membership, by, "member-added", after={"role": role})
    return membership


def change_role(*, membership: Membership, role: str, by: Any) -> Membership:
    """Give a member another role."""
    require_role(by, membership.merchant, OWNER)
    with transaction.atomic():
        _lock(membership.merchant)
        before = Membership.objects.values_list("role", flat=True).get(pk=membership.pk)
        require_an_owner(membership, role)
        Membership.objects.filter(pk=membership.pk).update(role=role)
        membership.role = role
        if before != role:
            _record(membership, by, "member-role-changed", before={"role": before}, after={"role": role})
    return membership


def remove_member(*, membership: Membership, by: Any) -> None:
    """End a membership; the person's tokens for this shop end with it."""
    require_role(by, membership.merchant, OWNER)
    with transaction.atomic():
        _lock(membership.merchant)
        require_an_owner(membership, None)
        tokens = ApiToken.objects.filter(merchant=membership.merchant, user=membership.user, revoked_at=None)
        revoked = tokens.update(revoked_at=timezone.now())
        _record(membership, by, "member-removed", before={"role": membership.role}, after={"tokens_revoked": revoked})
        membership.delete()


def require_an_owner(membership: Membership, role: str | None) -> None:
    """Raise ``Conflict`` where giving this member ``role`` (None: no role) would leave the shop without an owner."""
    others = Membership.objects.filter(merchant=membership.merchant, role=OWNER).exclude(pk=membership.pk)
    was_owner = Membership.objects.filter(pk=membership.pk, role=OWNER).exists()
    if was_owner and role != OWNER and not others.exists():
        raise Conflict("last-owner", _("This is the shop's only owner."), _("Make somebody else an owner first."))


def _lock(merchant: Merchant) -> None:
    """Two owners who demote each other at the same moment come one after the other."""
    Merchant.objects.select_for_update().get(pk=merchant.pk)


def _record(membership: Membership, by: Any, action: str, **states: Any) -> None:
    for state in states.values():
        state["user"] = str(membership.user)
    audit.record(merchant=membership.merchant, actor=by, action=action, target=membership, **states)
