"""Experiments in the admin: a list with how far each is; each has a page of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.admin_access import LookOnlyAdmin, OwnFilter, editable_shops
from catalog.views.doors import page
from recommend.admin_charts import bar
from recommend.experiments.metrics import METRICS
from recommend.experiments.models import Experiment


@admin.register(Experiment)
class ExperimentAdmin(LookOnlyAdmin):
    list_display = ["name", "subject", "status_shown", "metric_shown", "progress_shown", "winner_shown", "started_at"]
    list_filter = ["status", "layer", ("merchant", OwnFilter)]
    list_select_related = ["merchant"]
    search_fields = ["name", "hypothesis"]
    list_per_page = 50
    COLORS = {"draft": "", "running": "info", "decided": "success", "stopped": "warning"}

    class Media:
        css = {"all": ["styling/studio.css", "dashboard/charts.css", "experiments/experiments.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Experiment]:
        rows = super().get_queryset(request).prefetch_related("variants")
        return rows.annotate(seen=Count("exposures", distinct=True), variant_count=Count("variants", distinct=True))

    def page_of(self, row: Any) -> str:
        return reverse("experiments:show", args=[row.pk])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(editable_shops(request))

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("experiments:new")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if self.has_view_permission(request) and not self.get_queryset(request).exists():
            return page(
                request,
                "experiments/first.html",
                {"may_create": self.has_add_permission(request)},
                title=capfirst(self.opts.verbose_name_plural),
            )
        return super().changelist_view(request, extra_context)

    @display(description=_("Status"), label=COLORS, ordering="status")
    def status_shown(self, row: Experiment) -> tuple[str, Any]:
        return row.status, row.get_status_display()

    @display(description=_("Goal"), ordering="metric")
    def metric_shown(self, row: Experiment) -> Any:
        return METRICS[row.metric].name

    @display(description=_("Shoppers so far"))
    def progress_shown(self, row: Any) -> str:
        wanted, seen = row.needed * row.variant_count, row.seen
        if row.status == Experiment.Status.DRAFT:
            return "–"
        if row.result:
            seen = sum((counts.get("shoppers") or [0])[-1] for counts in row.result["variants"].values())
        picture = bar(seen, most=max(wanted, 1), tone="good" if seen >= wanted else "accent")
        return format_html(
            '<span class="ex-progress">{}<span>{} / {}</span></span>', picture, f"{seen:,}", f"{wanted:,}"
        )

    @display(description=_("Winner"))
    def winner_shown(self, row: Experiment) -> str:
        return str(row.winner or "–")
