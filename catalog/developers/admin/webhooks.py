"""Webhooks: an address of the shop's own, the secret that signs, and the log of what was sent there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog.admin.shops import NewInShopAdmin
from catalog.admin_access import OwnAdmin, OwnFilter
from catalog.developers import delivering, endpoints
from catalog.developers.models import WebhookDelivery, WebhookEndpoint
from catalog.developers.views import secret_page
from catalog.models import Membership, Merchant
from jobs.errors import UserError

#: Messages that a webhook's page shows, the newest first; the log has a month of them.
SHOWN = 25
Event = WebhookEndpoint.Event


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    shop: Merchant
    url = forms.CharField(
        label=_("Address"),
        max_length=2000,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "url", "placeholder": "https://shop.example/hooks/stylerec"}),
        help_text=_("A public https:// address of yours that takes POST requests."),
    )
    events = forms.MultipleChoiceField(
        label=_("Tell it about"),
        required=False,
        choices=[choice for choice in Event.choices if choice[0] != Event.PING],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Tick nothing, and it is told about everything, also what is added later."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["url", "description", "events"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "description" in self.fields:
            self.fields["description"].help_text = _("What listens there, like “warehouse”.")

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        try:
            endpoints.check_url(url)
        except UserError as error:
            raise forms.ValidationError(str(error), code=error.code) from error
        return url


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(NewInShopAdmin):
    what_for = _(
        "An address of yours that is told, signed, whenever something happens here: a job "
        "ended, a rendering was published, a product changed."
    )
    form = EndpointForm
    least_role = Membership.Role.OWNER
    list_display = ["url", "description", "events_shown", "state_shown", "failures", "merchant"]
    list_filter = ["is_active", ("merchant", OwnFilter)]
    list_select_related = ["merchant"]
    search_fields = ["url", "description"]
    fields = ["url", "description", "events"]
    list_per_page = 50
    change_form_template = "admin/developers/webhookendpoint/change_form.html"
    COLORS = {"on": "success", "off": "danger"}

    class Media:
        css = {"all": ["styling/studio.css", "catalog/catalog.css"]}

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}
        if change:
            if fields:
                endpoints.change_endpoint(endpoint=obj, by=request.user, **fields)
            return
        made, secret = endpoints.create_endpoint(merchant=form.shop, by=request.user, **fields)
        obj.__dict__.update(made.__dict__)
        obj.__dict__["secret"] = secret  # of this request alone

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except UserError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:developers_webhookendpoint_changelist")

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The one time that the secret is shown: nobody can read it again."""
        return secret_page(request, obj, obj.__dict__["secret"], is_new=True)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        endpoint = self.get_object(request, object_id)
        context = dict(extra_context or {}) | {"show_history": False}
        if endpoint is not None:
            context |= {
                "endpoint": endpoint,
                "deliveries": endpoint.deliveries.order_by("-pk")[:SHOWN],
                "can_edit": self.has_change_permission(request, endpoint),
            }
        return super().change_view(request, object_id, form_url, context)

    def delete_model(self, request: HttpRequest, obj: WebhookEndpoint) -> None:
        endpoints.delete_endpoint(endpoint=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset.select_related("merchant"):
            self.delete_model(request, endpoint)

    @display(description=_("Told about"))
    def events_shown(self, endpoint: WebhookEndpoint) -> str:
        named = [str(Event(name).label) for name in endpoint.events if name in Event.values]
        return ", ".join(named) or str(_("everything"))

    @display(description=_("State"), label=COLORS, ordering="is_active")
    def state_shown(self, endpoint: WebhookEndpoint) -> tuple[str, Any]:
        return ("on", _("on")) if endpoint.is_active else ("off", _("off"))


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(OwnAdmin):
    list_display = ["created_at", "event", "endpoint", "status_shown", "attempts", "next_attempt_at"]
    list_filter = ["status", "event", ("endpoint", OwnFilter)]
    list_select_related = ["endpoint"]
    search_fields = ["message_id"]
    actions = ["redeliver"]
    fields = ["event", "endpoint", "message_id", "status", "attempts", "next_attempt_at", "body", "log"]
    list_per_page = 50
    COLORS = {"delivered": "success", "failed": "danger", "pending": "info"}

    def shop_of(self, row: WebhookDelivery) -> Merchant:
        return row.endpoint.merchant

    @display(description=_("Status"), label=COLORS, ordering="status")
    def status_shown(self, row: WebhookDelivery) -> tuple[str, Any]:
        return row.status, row.get_status_display()

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
