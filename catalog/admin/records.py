"""What is written by the verbs and only looked at: imports and the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.admin_access import LookOnlyAdmin, OwnAdmin, OwnFilter, editable_shops
from catalog.audit_texts import ACTIONS, action_text, actor_text, changes_text, names_of, target_text
from catalog.models import AuditEntry, ImportRun
from jobs.admin import STATUS_COLORS


@admin.register(ImportRun)
class ImportRunAdmin(LookOnlyAdmin):
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
        return bool(editable_shops(request))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return redirect("catalog:import")

    def page_of(self, row: ImportRun) -> str:
        return reverse("catalog:import_run", args=[row.pk])

    @display(description=_("Status"), label=STATUS_COLORS, ordering="status")
    def status_shown(self, run: ImportRun) -> tuple[str, Any]:
        return run.status, run.get_status_display()


class ActionFilter(admin.AllValuesFieldListFilter):
    """The actions that there are, in words."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            action = str(choice["display"])
            yield {**choice, "display": action_text(action) if action in ACTIONS else action}


@admin.register(AuditEntry)
class AuditEntryAdmin(OwnAdmin):
    list_display = ["at", "actor_shown", "action_shown", "target_shown", "changes_shown"]
    list_filter = [("merchant", OwnFilter), ("action", ActionFilter)]
    search_fields = ["actor", "action", "target"]
    date_hierarchy = "at"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The names of what the entries tell of are read for the whole page at once."""
        listed = super().get_changelist_instance(request)
        listed.result_list = list(listed.result_list)
        names = names_of(entry.target for entry in listed.result_list)
        for entry in listed.result_list:
            entry.target_name = names.get(entry.target, "")
        return listed

    @display(description=_("who"), ordering="actor")
    def actor_shown(self, entry: AuditEntry) -> str:
        return actor_text(entry.actor)

    @display(description=_("what changed"))
    def changes_shown(self, entry: AuditEntry) -> str:
        return changes_text(entry.target, entry.before, entry.after) or "–"

    @display(description=_("did"), ordering="action")
    def action_shown(self, entry: AuditEntry) -> str:
        return action_text(entry.action)

    @display(description=_("to what"), ordering="target")
    def target_shown(self, entry: AuditEntry) -> str:
        return getattr(entry, "target_name", "") or target_text(entry.target)
