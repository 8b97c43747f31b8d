"""Recommenders, rules, shoppers and what they did, in the admin; the screens proper are in ``recommend.admin_views``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from catalog.admin_access import LookOnlyAdmin, OwnFilter, TenantAdmin, editable_shops
from catalog.models import Category, ProductImage
from catalog.views.doors import IN_A_ROW, key_of, thumbnail
from jobs.errors import UserError
from recommend.admin_views.codes import code_of, with_code
from recommend.labels import PLACES, place_name
from recommend.models import Interaction, MerchandisingRule, Recommender, Shopper
from recommend.services.merchandising import check_rule, delete_rule, save_rule


class ShownOnlyAdmin(TenantAdmin):
    """A list for editors to look at; its rows have no page, so that no id of a person stands in an address.

    Each row belongs to somebody's history: whoever only looks at products and renderings has no need of it.
    """

    list_display_links = None
    list_max_show_all = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(merchant__in=editable_shops(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) and bool(editable_shops(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


@admin.register(Recommender)
class RecommenderAdmin(LookOnlyAdmin):
    list_display = ["version_shown", "status_shown", "score_shown", "events_shown", "created_at", "deployed_at"]
    list_filter = ["status"]
    list_select_related = ["merchant"]
    list_per_page = 50
    COLORS = {"deployed": "success", "candidate": "info", "retired": ""}

    def page_of(self, row: Recommender) -> str:
        return f"{reverse('recommending:versions')}?{urlencode({'shop': row.merchant.slug, 'version': row.version})}"

    @display(description=_("Version"), ordering="version")
    def version_shown(self, row: Recommender) -> str:
        return str(row)

    @display(description=_("Status"), label=COLORS, ordering="status")
    def status_shown(self, row: Recommender) -> tuple[str, Any]:
        return row.status, row.get_status_display()

    @display(description=_("NDCG@10"))
    def score_shown(self, row: Recommender) -> str:
        scores = row.metrics.get("scores") or {}
        return f"{scores['ndcg@10']:.3f}" if "ndcg@10" in scores else "–"

    @display(description=_("Events"))
    def events_shown(self, row: Recommender) -> Any:
        return row.metrics.get("events", "–")


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule; what it may say is checked by the same verb that the other doors use."""

    slot = forms.ChoiceField(
        label=_("Place"),
        required=False,
        choices=[("", _("Everywhere")), *PLACES.items()],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = MerchandisingRule
        fields = ["merchant", "effect", "product", "category", "slot", "starts_at", "ends_at"]

    only_shop: Any = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        rule = MerchandisingRule(**{name: cleaned.get(name) for name in self._meta.fields or [] if name in cleaned})
        shop = cleaned.get("merchant") or (self.instance.merchant if self.instance.merchant_id else self.only_shop)
        if shop is None or not cleaned.get("effect"):
            return cleaned
        rule.merchant = shop
        self.instance.merchant = shop
        try:
            check_rule(rule)
        except UserError as error:
            raise forms.ValidationError(str(error), code=error.code) from error
        return cleaned


@admin.register(MerchandisingRule)
class MerchandisingRuleAdmin(TenantAdmin):
    what_for = _(
        "Your own say in what is shown: pin a product to the front, boost or bury it, "
        "or never recommend it, for as long as you like."
    )
    form = RuleForm
    list_display = ["effect_shown", "subject_shown", "place_shown", "starts_at", "ends_at"]
    list_display_links = ["effect_shown"]
    list_filter = ["effect"]
    list_select_related = ["product", "category"]
    search_fields = ["product__name", "product__name_zh", "product__sku", "category__name", "category__name_zh"]
    autocomplete_fields = ["product"]
    fields = ["merchant", "effect", "product", "category", "slot", "starts_at", "ends_at"]
    COLORS = {"pin": "primary", "boost": "success", "bury": "warning", "hide": "danger"}

    class Media:
        js = ["dashboard/named_choices.js"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A rule never moves to another shop, and whoever has one shop need not say which."""
        known = obj or len(editable_shops(request)) == 1
        return [name for name in self.fields or [] if name != "merchant" or not known]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        shops = editable_shops(request)
        form.only_shop = shops[0] if len(shops) == 1 else None
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address fills in; a row that cannot be one is left out, where Django would stumble over it."""
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        rows = {"merchant", "product", "category"}
        return {name: value for name, value in given.items() if name not in rows or key_of(value) is not None}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        shops = [shop.pk for shop in editable_shops(request)]
        if db_field.name == "merchant":
            kwargs["queryset"] = db_field.related_model.objects.filter(pk__in=shops)
        elif db_field.name == "category":
            kwargs["queryset"] = Category.objects.filter(merchant__in=shops)
        elif db_field.name == "product":
            kwargs["queryset"] = db_field.related_model.objects.filter(merchant__in=shops)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: MerchandisingRule, form: Any, change: bool) -> None:
        save_rule(rule=obj, by=request.user)

    def delete_model(self, request: HttpRequest, obj: MerchandisingRule) -> None:
        delete_rule(rule=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[MerchandisingRule]) -> None:
        for rule in queryset.select_related("merchant"):
            try:
                delete_rule(rule=rule, by=request.user)
            except UserError as error:
                self.message_user(request, str(error), messages.ERROR)

    @display(description=_("Effect"), label=COLORS, ordering="effect")
    def effect_shown(self, rule: MerchandisingRule) -> tuple[str, Any]:
        return rule.effect, rule.get_effect_display()

    @display(description=_("Product or category"))
    def subject_shown(self, rule: MerchandisingRule) -> str:
        return str(rule.product or rule.category)

    @display(description=_("Place"), ordering="slot")
    def place_shown(self, rule: MerchandisingRule) -> Any:
        return place_name(rule.slot) if rule.slot else _("Everywhere")


@admin.register(Interaction)
class InteractionAdmin(ShownOnlyAdmin):
    what_for = _(
        "What shoppers look at, put into the bag and buy. It begins with the first shopper who agrees to it in your shop."
    )
    list_display = [
        "occurred_at",
        "kind_shown",
        "picture",
        "product",
        "style",
        "place_shown",
        "position_shown",
        "shopper_shown",
    ]
    list_filter = ["kind", ("style", OwnFilter)]
    list_select_related = ["product", "style", "shopper"]
    search_fields = ["product__name", "product__name_zh", "product__sku"]
    date_hierarchy = "occurred_at"
    list_per_page = 50
    show_full_result_count = False
    COLORS = dict.fromkeys(Interaction.Kind.values, "") | {
        "purchase": "success",
        "add_to_cart": "primary",
        "click": "info",
        "dislike": "danger",
    }

    class Media:
        css = {"all": ["styling/studio.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        first = ProductImage.objects.filter(position=0)
        return (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("product__images", first, to_attr="first_pictures"), "styled_image")
        )

    @display(description=_("What they saw"))
    def picture(self, row: Any) -> str:
        """The rendering that was shown, or the product's photo."""
        shown = row.styled_image or next(iter(row.product.first_pictures), None)
        if shown is None:
            return "–"
        strip = '<span class="st-strip"><img src="{}" alt="" loading="lazy" width="44" height="44"></span>'
        return format_html(strip, thumbnail(shown, width=IN_A_ROW))

    @display(description=_("position"), ordering="position")
    def position_shown(self, row: Interaction) -> int | str:
        return "–" if row.position is None else row.position + 1

    @display(description=_("Event"), label=COLORS, ordering="kind")
    def kind_shown(self, row: Interaction) -> tuple[str, Any]:
        return row.kind, row.get_kind_display()

    @display(description=_("Place"), ordering="slot")
    def place_shown(self, row: Interaction) -> Any:
        return place_name(row.slot) or "–"

    @display(description=_("Shopper"))
    def shopper_shown(self, row: Interaction) -> str:
        return why_link(row.shopper)


@admin.register(Shopper)
class ShopperAdmin(ShownOnlyAdmin):
    what_for = _(
        "Shoppers who agreed to a storefront of their own, each under a code. Nobody is here without having agreed."
    )
    list_display = ["code_shown", "merchant", "consent", "personalisation_enabled", "created_at", "last_seen_at"]
    list_filter = ["consent", "personalisation_enabled"]
    list_select_related = ["merchant"]
    search_fields = ["pseudonym"]
    search_help_text = _("The shopper's short code")
    list_per_page = 50
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (queryset.filter(with_code(search_term)) if search_term else queryset), False

    @display(description=_("Shopper"))
    def code_shown(self, row: Shopper) -> str:
        return why_link(row)


def why_link(shopper: Shopper) -> str:
    """The shopper's short code, leading to the page that they get."""
    code = code_of(shopper)
    address = f"{reverse('recommending:why')}?{urlencode({'shopper': code})}"
    return format_html('<a href="{}" style="text-decoration: underline"><code>{}</code></a>', address, code)
