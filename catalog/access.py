"""Who may see and do what: the one policy behind every ``visible_to(user)`` and every role check.

A membership gives a user one role at one merchant. Roles are ordered: whoever may do more may do all that is below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from catalog.models import Membership, Merchant
from catalog.prepared import PreparedRead
from jobs.errors import NotAllowed

if TYPE_CHECKING:
    from django.db.models import QuerySet

RANK = {
    Membership.Role.VIEWER: 0,
    Membership.Role.REVIEWER: 1,
    Membership.Role.EDITOR: 2,
    Membership.Role.OWNER: 3,
}


def merchant_ids_of(user: Any) -> QuerySet[Membership, int]:
    """Ids (as a subquery) of the merchants that ``user`` is an active member of."""
    return Membership.objects.filter(user_id=user.pk or 0, merchant__is_active=True).values_list(
        "merchant_id", flat=True
    )


def merchants_of(user: Any) -> QuerySet[Merchant]:
    """The merchants that ``user`` may see; all of them for a superuser."""
    return Merchant.objects.visible_to(user)


_ROLE = PreparedRead(
    lambda user_id, merchant_id: (
        Membership.objects.filter(user_id=user_id, merchant_id=merchant_id).order_by().values_list("role")
    )
)


def role_of(user: Any, merchant: Merchant) -> str | None:
    """The user's role at this merchant, ``owner`` for a superuser, None for a stranger."""
    if getattr(user, "is_superuser", False):
        return Membership.Role.OWNER
    if not getattr(user, "is_authenticated", False):
        return None
    rows = _ROLE.rows(user.pk, merchant.pk)
    return rows[0][0] if rows else None


def has_role(user: Any, merchant: Merchant, least: str) -> bool:
    """Whether ``user`` holds at least the role ``least`` at ``merchant``."""
    return is_enough(role_of(user, merchant), least)


def is_enough(role: str | None, least: str) -> bool:
    """Whether a role may do what ``least`` may."""
    return role is not None and RANK[Membership.Role(role)] >= RANK[Membership.Role(least)]


def require_role(user: Any, merchant: Merchant, least: str) -> None:
    """Raise ``NotAllowed`` unless ``user`` holds at least the role ``least`` at ``merchant``."""
    if not has_role(user, merchant, least):
        raise NotAllowed(
            "role-too-low",
            _("Your role at %(merchant)s does not allow this.") % {"merchant": merchant.name},
            _("Ask an owner of the shop for the role “%(role)s”.") % {"role": Membership.Role(least).label},
        )
