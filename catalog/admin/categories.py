"""Categories: made, renamed and removed by editors; found in both languages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.admin.shops import NewInShopAdmin
from catalog.admin_access import OwnFilter
from catalog.models import Category, Merchant
from catalog.services.categories import delete_category, save_category


class CategoryForm(forms.ModelForm):  # type: ignore[type-arg]
    shop: Merchant

    class Meta:
        model = Category
        fields = ["name", "name_zh", "slug", "position"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"] = forms.SlugField(
                label=self.fields["slug"].label,
                max_length=120,
                required=False,
                allow_unicode=True,
                widget=self.fields["slug"].widget,
                help_text=_("Part of the shelf's web address. Leave it empty to have it made from the name."),
            )

    def clean_slug(self) -> str:
        slug = self.cleaned_data["slug"]
        taken = Category.objects.filter(merchant=self.shop, slug=slug).exclude(pk=self.instance.pk)
        if slug and taken.exists():
            raise forms.ValidationError(_("Another category of the shop has this address."))
        return slug


@admin.register(Category)
class CategoryAdmin(NewInShopAdmin):
    what_for = _("The shelves of your shop. An import makes the ones that its table names.")
    form = CategoryForm
    list_display = ["name", "name_zh", "slug", "products_shown", "position", "merchant"]
    list_filter = [("merchant", OwnFilter)]
    list_select_related = ["merchant"]
    search_fields = ["name", "name_zh", "slug"]
    search_help_text = _("Words in Chinese or English")
    ordering = ["merchant", "position", "name"]
    fields = [("name", "name_zh"), ("slug", "position")]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).annotate(product_count=Count("products"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The product form's autocomplete names its shop; there another shop's categories make no sense."""
        shop = request.GET.get("shop", "")
        if shop.isdecimal():
            queryset = queryset.filter(merchant_id=int(shop))
        return super().get_search_results(request, queryset, search_term)

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        if not change:
            obj.merchant = form.shop
        save_category(category=obj, by=request.user)

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        delete_category(category=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        for category in queryset:
            self.delete_model(request, category)

    @display(description=_("Products"), ordering="product_count")
    def products_shown(self, category: Any) -> SafeString:
        address = f"{reverse('admin:catalog_product_changelist')}?category__id__exact={category.pk}"
        return format_html('<a class="st-link" href="{}">{}</a>', address, category.product_count)
