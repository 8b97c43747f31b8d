"""Sets of creatives in the admin: a list to search; each has a page of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.admin_access import LookOnlyAdmin, OwnFilter, editable_shops
from catalog.views.doors import thumbnail
from recommend.creatives.models import Creative, CreativeSet, DailyClicks

#: Pictures that stand beside a set's name.
COVERS = 4


@admin.register(CreativeSet)
class CreativeSetAdmin(LookOnlyAdmin):
    what_for = _(
        "Advertising pictures of your products, with headline, price and a link that "
        "counts its clicks, in up to five formats at once."
    )
    list_display = ["pictures_shown", "name", "style", "count_shown", "clicks_shown", "created_at"]
    list_display_links = ["name"]
    list_filter = [("merchant", OwnFilter), ("style", OwnFilter)]
    list_select_related = ["merchant", "style"]
    search_fields = ["name", "creatives__product_name", "creatives__sku"]
    list_per_page = 50

    class Media:
        css = {"all": ["styling/studio.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreativeSet]:
        clicks = DailyClicks.objects.filter(link__creative__creative_set=OuterRef("pk")).order_by()
        summed = clicks.values("link__creative__creative_set").annotate(total=Sum("clicks")).values("total")
        return (
            super()
            .get_queryset(request)
            .annotate(creative_count=Count("creatives", distinct=True), click_count=Subquery(summed))
            .prefetch_related(
                Prefetch("creatives", Creative.objects.exclude(file="").order_by("pk")[:COVERS], to_attr="covers_shown")
            )
        )

    def page_of(self, row: Any) -> str:
        return reverse("creatives:set", args=[row.pk])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(editable_shops(request))

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("creatives:new")

    @display(description=_("Pictures"))
    def pictures_shown(self, row: Any) -> str:
        if not row.covers_shown:
            return "–"
        shown = format_html_join(
            "", '<img src="{}" alt="" loading="lazy">', ((thumbnail(creative),) for creative in row.covers_shown)
        )
        return format_html('<span class="st-strip">{}</span>', shown)

    @display(description=_("Creatives"), ordering="creative_count")
    def count_shown(self, row: Any) -> int:
        return int(row.creative_count)

    @display(description=_("Clicks"), ordering="click_count")
    def clicks_shown(self, row: Any) -> int:
        return row.click_count or 0
