"""Which API requests may go on: the token's scope first, then the user's role at the merchant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from catalog.access import has_role, is_enough
from catalog.models import ApiToken, Membership, Merchant
from jobs.errors import NotFound, UserError

if TYPE_CHECKING:
    from rest_framework.views import APIView


class ScopedRolePermission(BasePermission):
    """Reading needs a viewer, writing an editor, unless a view names a ``read_role``, ``write_role`` or ``token_scopes``."""

    message = _("Your token or role does not allow this.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            raise NotAuthenticated
        reading = request.method in SAFE_METHODS
        if isinstance(request.auth, ApiToken) and not self._scope_allows(request.auth, reading, view):
            return False
        role, usual = ("read_role", Membership.Role.VIEWER) if reading else ("write_role", Membership.Role.EDITOR)
        least = getattr(view, role, usual)
        if isinstance(request.auth, ApiToken) and hasattr(request.auth, "role") and not request.user.is_superuser:
            return is_enough(request.auth.role, least)  # read along with the token
        return has_role(request.user, merchant_of(request), least)

    def _scope_allows(self, token: ApiToken, reading: bool, view: APIView) -> bool:
        if token.scope in getattr(view, "token_scopes", ()):
            return True
        if token.scope == ApiToken.Scope.READ:
            return reading
        return token.scope == ApiToken.Scope.WRITE


def merchant_of(request: Request) -> Merchant:
    """The merchant a request acts for: its token's, or the one named by ``X-Merchant``, or the user's only one."""
    if isinstance(request.auth, ApiToken):
        return request.auth.merchant
    cached: Any = getattr(request, "_merchant", None)
    if cached is not None:
        return cached
    merchants = Merchant.objects.visible_to(request.user)
    wanted = request.headers.get("X-Merchant")
    found = list(merchants.filter(slug=wanted)[:1] if wanted else merchants[:2])
    if not found:
        raise NotFound("no-merchant", _("You are not a member of this shop."), _("Ask an owner to add you."))
    if len(found) > 1:
        raise UserError(
            "which-merchant",
            _("You work for several shops."),
            _("Name one in the X-Merchant header, by its address."),
        )
    request._merchant = found[0]  # type: ignore[attr-defined]
    return found[0]
