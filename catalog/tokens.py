"""API tokens: made once, shown once, kept only as a digest."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog import audit
from catalog.access import require_role
from catalog.models import ApiToken, Membership, Merchant


def digest_of(secret: str) -> str:
    """SHA-256 of a token; enough for 256 random bits, which nobody can guess through a fast hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_token(*, merchant: Merchant, user: Any, name: str, scope: str) -> tuple[ApiToken, str]:
    """A new token of ``user`` at ``merchant``, and its secret, which nobody can read again."""
    least = Membership.Role.VIEWER if scope == ApiToken.Scope.READ else Membership.Role.EDITOR
    require_role(user, merchant, least)
    secret = f"sr_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        token = ApiToken.objects.create(
            merchant=merchant, user=user, name=name, scope=scope, prefix=secret[:8], digest=digest_of(secret)
        )
        after = {"name": name, "scope": scope, "prefix": token.prefix}
        audit.record(merchant=merchant, actor=user, action="token-created", target=token, after=after)
    return token, secret


def revoke_token(*, token: ApiToken, by: Any) -> None:
    """End a token; requests with it answer 401 from the next one on. Owners end anybody's, others their own."""
    if token.user_id != by.pk:
        require_role(by, token.merchant, Membership.Role.OWNER)
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            before = {"name": token.name, "prefix": token.prefix}
            audit.record(merchant=token.merchant, actor=by, action="token-revoked", target=token, before=before)
