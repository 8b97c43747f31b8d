"""Shops: opened by anybody who works here, set up by their owners."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.admin_access import TenantAdmin
from catalog.current_shop import choose_shop
from catalog.models import Membership, Merchant
from catalog.services.merchants import SETTINGS, change_shop, open_shop


@admin.register(Merchant)
class MerchantAdmin(TenantAdmin):
    least_role = Membership.Role.OWNER
    lists_one_shop = False
    list_display = ["name_shown", "slug", "currency", "is_active", "created_at"]
    list_filter = ["is_active"]
    search_fields = ["name", "name_zh", "slug"]
    search_help_text = _("Words in Chinese or English")
    change_form_template = "admin/catalog/merchant/change_form.html"
    list_per_page = 50

    class Media:
        css = {"all": ["styling/studio.css", "catalog/catalog.css"]}

    def shop_of(self, row: Any) -> Merchant:
        return row

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # everything a shop ever did would go with it; whoever runs the site closes it instead

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields: list[Any] = [("name", "name_zh"), ("slug", "currency"), ("tagline", "tagline_zh")]
        if obj:
            fields.append(("personalisation_enabled", "bandit_enabled"))
        return [*fields, "is_active"] if obj and request.user.is_superuser else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["slug"] if obj else []  # it stands in every link to the shop

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        texts = {
            "slug": _("Part of the shop's web address; it cannot be changed later."),
            "currency": _("Three letters, like EUR or CNY. Prices are not converted when it changes."),
            "personalisation_enabled": _(
                "Shoppers who agreed get a page of their own. Off: everybody sees favourites and news."
            ),
            "bandit_enabled": _("Shoppers who agreed see the rendering that such shoppers click most often."),
        }
        for name in texts.keys() & form.base_fields.keys():
            form.base_fields[name].help_text = texts[name]
        return form

    def save_model(self, request: HttpRequest, obj: Merchant, form: Any, change: bool) -> None:
        if change:
            wanted = {name: form.cleaned_data[name] for name in (*SETTINGS, "is_active") if name in form.cleaned_data}
            change_shop(merchant=obj, by=request.user, **wanted)
            return
        fields = {name: form.cleaned_data[name] for name in ("slug", "currency", "tagline", "tagline_zh", "name_zh")}
        made = open_shop(name=form.cleaned_data["name"], owner=request.user, **fields)
        obj.__dict__.update(made.__dict__)

    def response_add(self, request: HttpRequest, obj: Merchant, post_url_continue: str | None = None) -> HttpResponse:
        choose_shop(request, obj)  # what comes next is the new shop's
        text = _("“%(shop)s” is open, and you are its owner. Bring in products next.")
        self.message_user(request, text % {"shop": obj.display_name}, messages.SUCCESS)
        return redirect("catalog:import")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = {"shop": self.get_object(request, object_id), "show_history": False}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    @display(description=_("Shop"), ordering="name")
    def name_shown(self, merchant: Merchant) -> str:
        return merchant.display_name
