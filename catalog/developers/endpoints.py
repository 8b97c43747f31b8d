"""Webhook endpoints: where a shop wants to be told, about what, and the secret that signs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import audit, remote
from catalog.access import require_role
from catalog.developers import signing
from catalog.developers.models import WebhookEndpoint
from catalog.models import Membership, Merchant
from jobs.errors import Conflict, Text, UserError

MOST_ENDPOINTS = 20
#: For how long the secret before the present one goes on signing, so that receivers can change over.
OVERLAP = timedelta(hours=24)
_HINT = _("Name a public https:// address, or have the operator list your machine in STYLEREC_WEBHOOK_INTERNAL_HOSTS.")
_TEXTS: dict[str, tuple[Text, Text]] = {
    "url-malformed": (_("This is no address that a message can be sent to."), _HINT),
    "url-not-public": (_("Messages are only sent to public sites."), _HINT),
}


def rules() -> remote.FetchRules:
    """What a webhook may ask, and for how much."""
    return remote.FetchRules(
        most_bytes=2_000,
        seconds=10.0,
        ports=frozenset({80, 443, 8443}),
        schemes=frozenset({"https"} if settings.PRODUCTION else {"http", "https"}),
        internal=frozenset(settings.WEBHOOK_INTERNAL_HOSTS),
    )


def create_endpoint(
    *, merchant: Merchant, by: Any, url: str, events: Sequence[str] = (), description: str = ""
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its signing secret, which nobody can read again. Needs an owner."""
    require_role(by, merchant, Membership.Role.OWNER)
    check_url(url)
    secret = signing.new_secret()
    with transaction.atomic():
        Merchant.objects.select_for_update().get(pk=merchant.pk)
        if WebhookEndpoint.objects.filter(merchant=merchant).count() >= MOST_ENDPOINTS:
            raise Conflict(
                "too-many-webhooks",
                _("The shop has %(limit)d webhooks already.") % {"limit": MOST_ENDPOINTS},
                _("Delete one that nothing listens to."),
            )
        endpoint = WebhookEndpoint.objects.create(
            merchant=merchant,
            url=url,
            events=sorted(set(events)),
            description=description,
            sealed_secret=signing.seal(secret),
        )
        _record(endpoint, by, "webhook-created", {"url": url, "events": endpoint.events})
    return endpoint, secret


def change_endpoint(*, endpoint: WebhookEndpoint, by: Any, **fields: Any) -> WebhookEndpoint:
    """Change address, events, description, or switch it on or off. Switching it on forgives earlier failures."""
    require_role(by, endpoint.merchant, Membership.Role.OWNER)
    unknown = set(fields) - {"url", "events", "description", "is_active"}
    if unknown:
        raise TypeError(f"not a field of a webhook: {sorted(unknown)}")
    if "url" in fields:
        check_url(fields["url"])
    if fields.get("is_active"):
        fields |= {"failures": 0, "disabled_at": None}
    with transaction.atomic():
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**fields)
        _record(endpoint, by, "webhook-changed", {name: str(value) for name, value in fields.items()})
    endpoint.refresh_from_db()
    return endpoint


def rotate_secret(*, endpoint: WebhookEndpoint, by: Any) -> str:
    """A new signing secret. Messages carry signatures by both for a day."""
    require_role(by, endpoint.merchant, Membership.Role.OWNER)
    secret = signing.new_secret()
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        WebhookEndpoint.objects.filter(pk=row.pk).update(
            sealed_previous=row.sealed_secret,
            previous_until=timezone.now() + OVERLAP,
            sealed_secret=signing.seal(secret),
        )
        _record(endpoint, by, "webhook-secret-rotated", {})
    return secret


def delete_endpoint(*, endpoint: WebhookEndpoint, by: Any) -> None:
    """Forget an endpoint with its delivery log."""
    require_role(by, endpoint.merchant, Membership.Role.OWNER)
    with transaction.atomic():
        _record(endpoint, by, "webhook-deleted", {"url": endpoint.url})
        endpoint.delete()


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """The secrets that sign at present, the newest first."""
    sealed = [endpoint.sealed_secret]
    if endpoint.previous_until is not None and endpoint.previous_until > timezone.now():
        sealed.append(endpoint.sealed_previous)
    return [signing.unseal(one) for one in sealed]


def check_url(url: str) -> None:
    """Raise ``UserError`` for an address that no message may be sent to."""
    try:
        remote.check(url, rules=rules())
    except remote.RejectedUrl as error:
        raise UserError(f"webhook-{error.code}", *_TEXTS[error.code]) from error


def _record(endpoint: WebhookEndpoint, by: Any, action: str, after: dict[str, Any]) -> None:
    audit.record(merchant=endpoint.merchant, actor=by, action=action, target=endpoint, after=after)
