"""The buttons on a webhook's and a key's page in the admin: try it, change over to a new secret or key, end it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.access import has_role
from catalog.developers import announcing, delivering, endpoints, keys
from catalog.developers.models import PublishableKey, WebhookDelivery, WebhookEndpoint
from catalog.models import Membership
from catalog.views.doors import found, page, staff_page
from jobs.errors import UserError


def secret_page(request: HttpRequest, endpoint: WebhookEndpoint, secret: str, *, is_new: bool) -> HttpResponse:
    """The one time that a signing secret is shown; it is kept nowhere that could be read again."""
    context = {"endpoint": endpoint, "secret": secret, "is_new": is_new}
    return page(request, "catalog/new_webhook_secret.html", context, title=_("The webhook's secret"))


@staff_page
@require_POST
def rotate(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """A new secret; the one before it goes on signing for a day."""
    endpoint = found(WebhookEndpoint.objects.select_related("merchant"), request, pk=endpoint_id)
    try:
        secret = endpoints.rotate_secret(endpoint=endpoint, by=request.user)
    except UserError as error:
        messages.error(request, str(error))
        return redirect("admin:developers_webhookendpoint_change", endpoint.pk)
    return secret_page(request, endpoint, secret, is_new=False)


@staff_page
@require_POST
def ping(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """A test message, whatever the webhook listens to."""
    endpoint = found(WebhookEndpoint.objects.select_related("merchant"), request, pk=endpoint_id)
    said = _("A test message is on its way; the log below says what became of it.")
    return _after(request, partial(announcing.ping, endpoint=endpoint, by=request.user), said, endpoint)


@staff_page
@require_POST
def switch(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """On where it is off, off where it is on."""
    endpoint = found(WebhookEndpoint.objects.select_related("merchant"), request, pk=endpoint_id)
    wanted = not endpoint.is_active
    said = _("The webhook is on again.") if wanted else _("The webhook is off: nothing is sent to it.")
    change = partial(endpoints.change_endpoint, endpoint=endpoint, by=request.user, is_active=wanted)
    return _after(request, change, said, endpoint)


@staff_page
@require_POST
def redeliver(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Send a finished message again, with the same id."""
    delivery = found(WebhookDelivery.objects.select_related("endpoint__merchant"), request, pk=delivery_id)
    again = partial(delivering.redeliver, delivery=delivery, by=request.user)
    return _after(request, again, _("The message goes out again."), delivery.endpoint)


@staff_page
@require_POST
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    """End a key, once the question what that does has been answered: it takes no script to be asked."""
    key = found(PublishableKey.objects.select_related("merchant"), request, pk=key_id)
    if not request.POST.get("sure") and has_role(request.user, key.merchant, Membership.Role.OWNER):
        context = {
            "what": key,
            "question": _(
                "Revoke this key? Pages that use it show their own content at once, and it cannot be brought back."
            ),
            "verb": _("Revoke"),
            "back": reverse("admin:developers_publishablekey_change", args=[key.pk]),
        }
        return page(request, "catalog/sure.html", context, title=_("Revoke"))
    said = _("The key is revoked: pages that use it show their own content from now on.")
    return _after(request, partial(keys.revoke_key, key=key, by=request.user), said, key)


@staff_page
@require_POST
def replace(request: HttpRequest, key_id: int) -> HttpResponse:
    """A new key for the same pages; the old one stays good until it is revoked, so that no page goes empty."""
    key = found(PublishableKey.objects.select_related("merchant"), request, pk=key_id)
    try:
        made = keys.replace_key(key=key, by=request.user)
    except UserError as error:
        messages.error(request, str(error))
        return redirect("admin:developers_publishablekey_change", key.pk)
    text = _("This is the new key. Put it into your pages, then revoke the old one (%(old)s…).")
    messages.success(request, text % {"old": key.key[:8]})
    return redirect("admin:developers_publishablekey_change", made.pk)


def _after(request: HttpRequest, verb: Callable[[], Any], said: str, row: Any) -> HttpResponse:
    """Do it, say so (or why not), and go back to the row's page."""
    try:
        verb()
        messages.success(request, said)
    except UserError as error:
        messages.error(request, str(error))
    return redirect(f"admin:developers_{row._meta.model_name}_change", row.pk)
