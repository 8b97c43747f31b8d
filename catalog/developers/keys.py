"""Publishable keys: made for listed origins, asked by pages of those origins, revoked at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from catalog import audit
from catalog.access import require_role
from catalog.developers.models import PublishableKey
from catalog.models import Membership, Merchant
from jobs.errors import UserError

MOST_ORIGINS = 20
#: The addresses that a publishable key opens.
SHELF = "/api/v1/shelf/"
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]{1,253})(:[0-9]{1,5})?", re.ASCII)


def create_key(*, merchant: Merchant, by: Any, name: str, origins: Sequence[str]) -> PublishableKey:
    """A key for pages of these origins. Needs an owner."""
    require_role(by, merchant, Membership.Role.OWNER)
    wanted = checked_origins(origins)
    with transaction.atomic():
        key = PublishableKey.objects.create(merchant=merchant, name=name, origins=wanted)
        audit.record(
            merchant=merchant, actor=by, action="publishable-key-created", target=key, after={"origins": wanted}
        )
    return key


def replace_key(*, key: PublishableKey, by: Any) -> PublishableKey:
    """A new key for the same pages. The old one stays good until it is revoked. Needs an owner."""
    return create_key(merchant=key.merchant, by=by, name=key.name, origins=key.origins)


def checked_origins(origins: Sequence[str]) -> list[str]:
    """The origins as they are compared, each once; ``UserError`` where one is none, or there are none or too many."""
    wanted = sorted({origin.strip().lower().rstrip("/") for origin in origins})
    if not wanted or len(wanted) > MOST_ORIGINS or not all(_ORIGIN.fullmatch(origin) for origin in wanted):
        raise UserError(
            "origins-malformed",
            _("An origin is a scheme and a host, such as https://shop.example; name 1 to 20 of them."),
            _("Leave out what comes after the host."),
        )
    return wanted


def revoke_key(*, key: PublishableKey, by: Any) -> None:
    """End a key; pages that use it show their own content from the next request on. Needs an owner."""
    require_role(by, key.merchant, Membership.Role.OWNER)
    with transaction.atomic():
        if PublishableKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
            audit.record(merchant=key.merchant, actor=by, action="publishable-key-revoked", target=key)


def key_of(request: HttpRequest) -> PublishableKey | None:
    """The key in the address, where it is good for the page that asks."""
    text = request.GET.get("key", "")
    if not text.startswith("pk_") or not (text.isascii() and text.isprintable()) or len(text) > 40:
        return None
    key = (
        PublishableKey.objects.select_related("merchant")
        .filter(key=text, revoked_at=None, merchant__is_active=True)
        .first()
    )
    origin = request.headers.get("Origin")
    return key if key is not None and (origin is None or origin in key.origins) else None


def may_ask_across_origins(sender: Any, request: HttpRequest, **_keywords: Any) -> bool:
    """For django-cors-headers: the origins of the key in the address may ask for the shelf."""
    return request.path.startswith(SHELF) and key_of(request) is not None


class PublishableKeyAuthentication(BaseAuthentication):
    """``?key=pk_…``: the request is a stranger's, at the key's shop. ``request.auth`` is the ``PublishableKey``."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, PublishableKey] | None:
        if "key" not in request.query_params:
            return None
        key = key_of(request._request)
        if key is None:
            raise AuthenticationFailed(_("This key is unknown, was revoked, or is not for this origin."))
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return "Key"


class HasPublishableKey(BasePermission):
    """Lets requests with a publishable key in, and nobody else."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, PublishableKey):
            raise NotAuthenticated
        return True
