"""``Authorization: Token sr_…``: the request acts for the token's user at the token's merchant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalog.models import ApiToken, Membership
from catalog.prepared import PreparedRows
from catalog.tokens import digest_of
from jobs.full_disk import no_room

# With the role that its user has at its shop now, so that the permission needs no query of its own.
_VALID = PreparedRows(
    ApiToken,
    lambda digest: ApiToken.objects.filter(digest=digest, revoked_at=None, merchant__is_active=True).annotate(
        role=Subquery(
            Membership.objects.filter(user_id=OuterRef("user_id"), merchant_id=OuterRef("merchant_id")).values("role")
        )
    ),
    annotations=["role"],
    related=["user", "merchant"],
)


class ApiTokenAuthentication(BaseAuthentication):
    """Looks the digest of the secret up. ``request.auth`` is the ``ApiToken``."""

    keyword = b"token"

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != self.keyword:
            return None
        if len(parts) != 2:
            raise AuthenticationFailed(_("Write the header as “Authorization: Token …”, with one token."))
        token: ApiToken | None = _VALID.first(digest_of(parts[1].decode("latin-1")))
        if token is None or not token.user.is_active:
            raise AuthenticationFailed(_("This token is unknown or was revoked."))
        self._mark_used(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"

    def _mark_used(self, token: ApiToken) -> None:
        """Once a minute is exact enough, and keeps a write out of nearly every request. Reading must not end where nothing
        can be written.
        """
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1):
            try:
                ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
            except DatabaseError as error:
                if no_room(error) is None or connection.in_atomic_block:  # the request is there to write
                    raise
