"""Publishable keys: for which pages, the snippet that goes into them, replaced without a gap, revoked at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from catalog.admin.shops import NewInShopAdmin
from catalog.admin_access import OwnFilter
from catalog.developers import keys
from catalog.developers.models import PublishableKey
from catalog.models import Membership, Merchant
from jobs.errors import UserError

SCRIPT = "shelf/stylerec-shelf.js"


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    shop: Merchant
    origins = forms.CharField(
        label=_("Pages of"),
        max_length=keys.MOST_ORIGINS * 300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "placeholder": "https://shop.example"}),
        help_text=_("One a line: scheme and host of the pages that the shelf stands on, nothing after."),
    )

    class Meta:
        model = PublishableKey
        fields = ["name", "origins"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            self.fields["name"].help_text = _("Where it is used, like “web shop” or “blog”.")

    def clean_origins(self) -> list[str]:
        try:
            return keys.checked_origins(self.cleaned_data["origins"].split())
        except UserError as error:
            raise forms.ValidationError(str(error), code=error.code) from error


@admin.register(PublishableKey)
class PublishableKeyAdmin(NewInShopAdmin):
    what_for = _(
        "A key that may stand in the pages of your own shop: with it they show personal "
        "shelves and report what shoppers do, and nothing more."
    )
    form = KeyForm
    least_role = Membership.Role.OWNER
    list_display = ["name", "key", "origins_shown", "created_at", "state_shown", "merchant"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), ("merchant", OwnFilter)]
    list_select_related = ["merchant"]
    search_fields = ["name", "key"]
    list_per_page = 50
    change_form_template = "admin/developers/publishablekey/change_form.html"
    COLORS = {"active": "success", "revoked": "danger"}

    class Media:
        css = {"all": ["styling/studio.css", "catalog/catalog.css"]}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["name", "origins"] if obj is None else ["name", "key", "origins_shown", "created_at", "revoked_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj) if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a key is made, replaced and revoked, never changed

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a revoked one says which pages had access, and until when

    def save_model(self, request: HttpRequest, obj: PublishableKey, form: Any, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in ("name", "origins")}
        obj.__dict__.update(keys.create_key(merchant=form.shop, by=request.user, **fields).__dict__)

    def response_add(
        self, request: HttpRequest, obj: PublishableKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On to the snippet."""
        text = _("“%(key)s” is there. Put the lines below into your page.")
        self.message_user(request, text % {"key": obj}, messages.SUCCESS)
        return redirect("admin:developers_publishablekey_change", obj.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        key = self.get_object(request, object_id)
        context = dict(extra_context or {}) | {"show_history": False}
        if key is not None:
            context |= {
                "key": key,
                "script": request.build_absolute_uri(static(SCRIPT)),
                "origin": key.origins[0] if key.origins else "",
                "can_edit": super().has_change_permission(request, key),
            }
        return super().change_view(request, object_id, form_url, context)

    @display(description=_("Pages of"))
    def origins_shown(self, key: PublishableKey) -> str:
        return ", ".join(key.origins)

    @display(description=_("State"), label=COLORS)
    def state_shown(self, key: PublishableKey) -> tuple[str, Any]:
        return ("revoked", _("revoked")) if key.revoked_at else ("active", _("active"))
