"""A set's preview, and what can be done with it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from catalog.access import has_role
from catalog.models import Membership
from catalog.views.doors import found, page, staff_json, staff_page
from jobs.errors import NotFound, UserError
from jobs.presence import SEEN_WITHIN, workers_seen
from recommend.creatives.drawing.formats import FORMATS
from recommend.creatives.models import Creative, CreativeSet
from recommend.creatives.services import sets
from recommend.creatives.services.packing import file_name, pack
from recommend.creatives.texts import PROBLEMS, format_label


@staff_page
@require_GET
def show(request: HttpRequest, set_id: int) -> HttpResponse:
    """The preview: products down, formats across."""
    creative_set = found_set(request, set_id)
    codes = [code for code in FORMATS if code in creative_set.brief.get("formats", list(FORMATS))]
    rows: dict[str, dict[str, Any]] = {}
    for creative in creative_set.creatives.select_related("link", "product"):
        row = rows.setdefault(creative.sku, {"name": creative.product_name, "cells": dict.fromkeys(codes)})
        row["product"] = creative.product
        row["cells"][creative.format] = _cell(request, creative)
    context = {
        "creative_set": creative_set,
        "formats": [{"label": format_label(code), "form": FORMATS[code]} for code in codes],
        "rows": [{**row, "cells": list(row["cells"].values())} for row in rows.values()],
        "state": _state(creative_set),
        "can_change": has_role(request.user, creative_set.merchant, Membership.Role.EDITOR),
    }
    return page(request, "creatives/set.html", context, title=creative_set.name)


@staff_json
@require_GET
def state(request: HttpRequest, set_id: int) -> HttpResponse:
    """What the preview asks for every second while the set is being drawn."""
    return JsonResponse(_state(found_set(request, set_id)))


@staff_page
@require_POST
def again(request: HttpRequest, set_id: int) -> HttpResponse:
    """Draw the set, or the creative that is named, again."""
    creative_set = found_set(request, set_id)
    named = request.POST.get("creative", "")
    return _acted(request, creative_set, sets.draw_again, creatives=[int(named)] if named.isdecimal() else None)


@staff_page
@require_POST
def cancel(request: HttpRequest, set_id: int) -> HttpResponse:
    """End the drawing; what is drawn stays."""
    creative_set = found_set(request, set_id)
    return _acted(request, creative_set, sets.cancel_drawing)


@staff_page
@require_POST
def delete(request: HttpRequest, set_id: int) -> HttpResponse:
    """Delete the set; its links go on leading to the products."""
    creative_set = found_set(request, set_id)
    try:
        sets.delete_set(creative_set=creative_set, by=request.user)
    except UserError as error:
        return _back(request, creative_set, error)
    return redirect("admin:creatives_creativeset_changelist")


@staff_page
@require_POST
def delete_one(request: HttpRequest, creative_id: int) -> HttpResponse:
    """Delete one creative."""
    creative = found(Creative.objects.select_related("creative_set__merchant", "merchant"), request, pk=creative_id)
    try:
        sets.delete_creative(creative=creative, by=request.user)
    except UserError as error:
        return _back(request, creative.creative_set, error)
    return redirect("creatives:set", set_id=creative.creative_set_id)


@staff_page
@require_GET
def download(request: HttpRequest, creative_id: int) -> HttpResponse:
    """One creative as a file with a name that says what it is."""
    creative = found(Creative.objects.select_related("link"), request, pk=creative_id)
    try:
        content = creative.file.open("rb")
    except (OSError, ValueError) as error:
        raise NotFound("not-drawn", _("This creative is not drawn yet."), _("Draw it again.")) from error
    return FileResponse(content, as_attachment=True, filename=file_name(creative), content_type="image/jpeg")  # type: ignore[return-value]


@staff_page
@require_GET
def download_all(request: HttpRequest, set_id: int) -> HttpResponse:
    """The set as a ZIP with a table of its links."""
    creative_set = found_set(request, set_id)
    packed = pack(creative_set, address_of=lambda link: request.build_absolute_uri(link.get_absolute_url()))
    name = slugify(creative_set.name)[:60] or f"creatives-{creative_set.pk}"
    return FileResponse(packed, as_attachment=True, filename=f"{name}.zip", content_type="application/zip")  # type: ignore[return-value]


def found_set(request: HttpRequest, set_id: int) -> CreativeSet:
    """The set that the user may see."""
    made: CreativeSet = found(CreativeSet.objects.select_related("merchant", "style"), request, pk=set_id)
    return made


def _acted(request: HttpRequest, creative_set: CreativeSet, verb: Any, **options: Any) -> HttpResponse:
    try:
        verb(creative_set=creative_set, by=request.user, **options)
    except UserError as error:
        return _back(request, creative_set, error)
    return redirect("creatives:set", set_id=creative_set.pk)


def _back(request: HttpRequest, creative_set: CreativeSet, error: UserError) -> HttpResponse:
    messages.error(request, str(error))
    return HttpResponseRedirect(reverse("creatives:set", args=[creative_set.pk]))


def _cell(request: HttpRequest, creative: Creative) -> dict[str, Any]:
    """One picture of the grid: where it is, its link, and what to know about it."""
    report = creative.report
    notes = []
    if report.get("is_cut"):
        notes.append(_("The text was too long and was cut."))
    if report.get("left_out"):
        notes.append(_("Left out, since no font has it: %(characters)s") % {"characters": " ".join(report["left_out"])})
    form = FORMATS[creative.format]
    left, top, right, bottom = form.inset
    return {
        "creative": creative,
        "form": form,
        "picture": _preview(creative),
        "problem": PROBLEMS.get(creative.problem, creative.problem),
        "notes": notes,
        "link": request.build_absolute_uri(creative.link.get_absolute_url()),
        # Percentages of the picture, for the overlay.
        "safe": {
            "left": f"{100 * left / form.width:.2f}",
            "top": f"{100 * top / form.height:.2f}",
            "right": f"{100 * right / form.width:.2f}",
            "bottom": f"{100 * bottom / form.height:.2f}",
        },
    }


def _preview(creative: Creative) -> str:
    """The address of the smaller copy that the grid shows; empty before the first drawing."""
    return default_storage.url(creative.renditions[-1]["path"]) if creative.renditions else ""


def _state(creative_set: CreativeSet) -> dict[str, Any]:
    run = sets.drawing_of(creative_set)
    if run is None:
        return {"finished": True, "status": "", "label": "", "fraction": 1, "done": 0, "total": 0}
    notice = ""
    if run.status == run.Status.QUEUED and not workers_seen(sets.QUEUE):
        notice = _(
            "No worker has been seen for %(seconds)d seconds: jobs wait until one starts. "
            "Start one with: celery -A stylerec_site worker -Q %(queue)s --pool solo"
        ) % {"seconds": SEEN_WITHIN.total_seconds(), "queue": sets.QUEUE}
    return {
        "status": run.status,
        "label": str(run.get_status_display()),
        "finished": run.is_finished,
        "fraction": run.fraction,
        "done": run.progress_done,
        "total": run.progress_total,
        "error": {"message": run.error_message, "hint": run.error_hint} if run.error_code else None,
        "notice": notice,
        "pictures": {
            str(creative.pk): {
                "url": _preview(creative),
                "problem": str(PROBLEMS.get(creative.problem, creative.problem)),
            }
            for creative in creative_set.creatives.defer("report")
        },
    }
