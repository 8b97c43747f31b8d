"""Importing in three steps: upload, look at what would happen, watch it happen."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.access import has_role, require_role
from catalog.admin_access import editable_shops, shops_with_role
from catalog.current_shop import current_shop
from catalog.forms import ImportForm
from catalog.models import ImportDraft, ImportRun, Membership
from catalog.services import import_runs
from catalog.services.exports import COLUMN_HELP, problem_table, template
from catalog.services.imports import problem_rows
from catalog.views.doors import found, page, staff_json, staff_page, table_download, worker_notice
from jobs.errors import NotAllowed, NotFound, UserError
from jobs.services import request_cancel, retry

#: So many rows of each sort are shown; the counts and the downloads are of all.
SHOWN = 50


@staff_page
def start(request: HttpRequest) -> HttpResponse:
    """Choose files; what cannot be read at all is said here."""
    shops = editable_shops(request)
    permitted = shops_with_role(request, Membership.Role.EDITOR)
    form = ImportForm(request.POST or None, request.FILES or None, shops=shops, permitted=permitted)
    if request.method == "POST" and shops and form.is_valid():
        try:
            draft = import_runs.prepare_import(
                merchant=form.cleaned_data["merchant"],
                table=form.cleaned_data["table"],
                pictures=form.cleaned_data["pictures"],
                by=request.user,
            )
            return redirect("catalog:import_draft", draft_id=draft.pk)
        except UserError as error:
            form.add_error("table", str(error))
    recent = ImportRun.objects.visible_to(request.user).defer("problems").select_related("created_by", "merchant")
    if shop := current_shop(request):
        recent = recent.of_shop(shop)
    context = {"form": form, "shops": shops, "columns": COLUMN_HELP.items(), "recent": recent[:8]}
    return page(request, "catalog/import_start.html", context, title=_("Import products"))


@staff_page
def draft(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """What the import would do, row by row; nothing has happened yet."""
    row = _draft(request, draft_id)
    try:
        planned = import_runs.plan_of(row)
    except UserError as error:  # read once already: the catalogue's rules or files changed since
        messages.error(request, str(error))
        return redirect("catalog:import")
    picture_problems = planned.with_picture_problems
    context = {
        "draft": row,
        "planned": planned,
        "to_import": len(planned.rows) - len(planned.bad),
        "new": planned.new[:SHOWN],
        "changed": planned.changed[:SHOWN],
        "bad": planned.bad[:SHOWN],
        "picture_problems": picture_problems[:SHOWN],
        "picture_problem_count": len(picture_problems),
        "can_edit": has_role(request.user, row.merchant, Membership.Role.EDITOR),
        "shown": SHOWN,
    }
    return page(request, "catalog/import_draft.html", context, title=_("Check the import"))


@staff_page
def draft_problems(request: HttpRequest, draft_id: uuid.UUID, kind: str) -> HttpResponse:
    """The rows that would be left out, with the reasons, before anything is imported."""
    row = _draft(request, draft_id)
    try:
        planned = import_runs.plan_of(row)
    except UserError as error:
        messages.error(request, str(error))
        return redirect("catalog:import")
    return table_download(problem_table(problem_rows(planned), kind=kind), name=f"problems.{kind}", kind=kind)


@staff_page
@require_POST
def confirm(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """Import it, in the background."""
    row = _draft(request, draft_id)
    try:
        run_row = import_runs.confirm_import(draft=row, by=request.user)
    except NotFound:
        raise
    except UserError as error:
        messages.error(request, str(error))
        return redirect("catalog:import_draft", draft_id=draft_id)
    return redirect("catalog:import_run", import_id=run_row.pk)


@staff_page
@require_POST
def discard(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """Forget the upload."""
    row = _draft(request, draft_id)
    try:
        import_runs.discard_draft(draft=row, by=request.user)
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect("catalog:import_draft", draft_id=draft_id)
    messages.info(request, _("The upload was discarded; nothing was imported."))
    return redirect("catalog:import")


@staff_page
def run(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """An import while it runs, and what came of it."""
    row = _run(request, import_id)
    context = {
        "run": row,
        "state": _state(row),
        "problems": row.problems[:SHOWN],
        "problem_count": len(row.problems),
        "shown": SHOWN,
        "can_steer": has_role(request.user, row.merchant, Membership.Role.EDITOR),
        "worker_notice": "" if row.is_finished else worker_notice("default"),
    }
    return page(request, "catalog/import_run.html", context, title=_("Import of %(name)s") % {"name": row.source_name})


@staff_json
def run_state(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Where it stands, for the page's script."""
    return JsonResponse(_state(_run(request, import_id)))


@staff_page
def run_problems(request: HttpRequest, import_id: uuid.UUID, kind: str) -> HttpResponse:
    """Only the rows with problems, and why: mend them and upload this file again."""
    row = _run(request, import_id)
    return table_download(problem_table(row.problems, kind=kind), name=f"problems.{kind}", kind=kind)


@staff_page
@require_POST
def act(request: HttpRequest, import_id: uuid.UUID, verb: str) -> HttpResponse:
    """Cancel, or try again."""
    row = _run(request, import_id)
    try:
        require_role(request.user, row.merchant, Membership.Role.EDITOR)
        {"cancel": request_cancel, "retry": retry}[verb](job=row, by=request.user)
    except UserError as error:
        messages.error(request, str(error))
    return redirect("catalog:import_run", import_id=import_id)


@staff_page
def download_template(request: HttpRequest, kind: str) -> HttpResponse:
    """An empty table to fill in."""
    return table_download(template(kind=kind), name=f"products.{kind}", kind=kind)


def _draft(request: HttpRequest, draft_id: uuid.UUID) -> ImportDraft:
    return found(ImportDraft.objects.select_related("merchant"), request, pk=draft_id)


def _run(request: HttpRequest, import_id: uuid.UUID) -> ImportRun:
    return found(ImportRun.objects.select_related("merchant"), request, pk=import_id)


def _state(row: ImportRun) -> dict[str, Any]:
    return {
        "status": row.status,
        "label": row.get_status_display(),
        "finished": row.is_finished,
        "percent": round(100 * row.fraction),
        "message": row.progress_message,
    }
