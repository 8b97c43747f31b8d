"""What is written by the verbs and only looked at: imports and the audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.admin_access import OwnAdmin, OwnFilter, shops_with_role
from catalog.models import AuditEntry, ImportRun, Membership
from jobs.admin import STATUS_COLORS


@admin.register(ImportRun)
class ImportRunAdmin(OwnAdmin):
    """The list; one import's page and the way to a new one are in ``catalog.views.imports``."""

    list_display = [
        "source_name",
        "status_shown",
        "rows_total",
        "rows_new",
        "rows_changed",
        "rows_bad",
        "created_by",
        "created_at",
    ]
    list_filter = ["status", ("merchant", OwnFilter)]
    list_select_related = ["created_by"]
    search_fields = ["source_name", "created_by__username"]
    date_hierarchy = "created_at"
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("problems", "parameters", "result")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(shops_with_role(request, Membership.Role.EDITOR))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return redirect("catalog:import")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return super().change_view(request, object_id, form_url, extra_context)  # says that it does not exist
        return redirect("catalog:import_run", import_id=row.pk)

    @display(description=_("Status"), label=STATUS_COLORS, ordering="status")
    def status_shown(self, run: ImportRun) -> tuple[str, Any]:
        return run.status, run.get_status_display()


@admin.register(AuditEntry)
class AuditEntryAdmin(OwnAdmin):
    list_display = ["at", "actor", "action", "target"]
    list_filter = [("merchant", OwnFilter), "action"]
    search_fields = ["actor", "action", "target"]
    date_hierarchy = "at"
