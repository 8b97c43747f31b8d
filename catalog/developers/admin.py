"""Webhooks and keys in the admin: what is set up, what was sent, send it again."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action

from catalog.admin_access import OwnAdmin
from catalog.developers import delivering
from catalog.developers.models import PublishableKey, WebhookDelivery, WebhookEndpoint
from catalog.models import Merchant
from jobs.errors import UserError


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(OwnAdmin):
    list_display = ["url", "merchant", "events", "is_active", "failures", "disabled_at"]
    list_filter = ["is_active"]
    list_select_related = ["merchant"]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(OwnAdmin):
    list_display = ["created_at", "event", "endpoint", "status", "attempts", "next_attempt_at"]
    list_filter = ["status", "event"]
    list_select_related = ["endpoint"]
    search_fields = ["message_id"]
    actions = ["redeliver"]

    def shop_of(self, row: WebhookDelivery) -> Merchant:
        return row.endpoint.merchant

    @action(description=_("Send again"))
    def redeliver(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        done = 0
        for delivery in queryset.select_related("endpoint__merchant"):
            try:
                delivering.redeliver(delivery=delivery, by=request.user)
                done += 1
            except UserError as error:
                self.message_user(request, f"{delivery}: {error}", messages.ERROR)
        if done:
            text = ngettext("%(count)d message goes out again.", "%(count)d messages go out again.", done)
            self.message_user(request, text % {"count": done}, messages.SUCCESS)


@admin.register(PublishableKey)
class PublishableKeyAdmin(OwnAdmin):
    list_display = ["name", "merchant", "key", "origins", "created_at", "revoked_at"]
    list_select_related = ["merchant"]
