"""Products, categories, imports and the audit trail in the admin, each user's own shops alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from catalog.models import AuditEntry, Category, ImportRun, Product
from catalog.search import matches
from jobs.admin import ReadOnlyAdmin


class OwnAdmin(ReadOnlyAdmin):
    """Rows of the user's own shops; they are changed by imports and the API."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.model._default_manager.visible_to(request.user)  # type: ignore[attr-defined]


@admin.register(Category)
class CategoryAdmin(OwnAdmin):
    list_display = ["name", "name_zh", "slug", "merchant"]
    list_select_related = ["merchant"]


@admin.register(Product)
class ProductAdmin(OwnAdmin):
    list_display = ["picture", "name", "name_zh", "sku", "category", "price", "stock", "status"]
    list_display_links = ["picture", "name"]
    list_filter = ["status"]
    list_select_related = ["category"]
    search_fields = ["sku"]
    search_help_text = _("Words in Chinese or English")
    actions = ["stylise"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("images")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(matches(search_term)), False

    @display(description=_("Picture"))
    def picture(self, product: Product) -> str:
        image = next(iter(product.images.all()), None)
        return format_html('<img src="{}" width="48" height="48" alt="">', image.file.url) if image else "–"

    @action(description=_("Stylise…"))
    def stylise(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        ids = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True))
        return HttpResponseRedirect(f"{reverse('styling:stylise')}?{urlencode({'products': ids})}")


@admin.register(ImportRun)
class ImportRunAdmin(OwnAdmin):
    list_display = ["source_name", "status", "rows_total", "rows_new", "rows_changed", "rows_bad", "created_at"]


@admin.register(AuditEntry)
class AuditEntryAdmin(OwnAdmin):
    list_display = ["at", "actor", "action", "target"]
    list_filter = ["action"]
