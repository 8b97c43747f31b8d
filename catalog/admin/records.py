"""What is written by the verbs and only looked at: imports and the audit trail."""

from __future__ import annotations

from django.contrib import admin

from catalog.admin_access import OwnAdmin, OwnFilter
from catalog.models import AuditEntry, ImportRun


@admin.register(ImportRun)
class ImportRunAdmin(OwnAdmin):
    list_display = ["source_name", "status", "rows_total", "rows_new", "rows_changed", "rows_bad", "created_at"]


@admin.register(AuditEntry)
class AuditEntryAdmin(OwnAdmin):
    list_display = ["at", "actor", "action", "target"]
    list_filter = [("merchant", OwnFilter), "action"]
    search_fields = ["actor", "action", "target"]
    date_hierarchy = "at"
