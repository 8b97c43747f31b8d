"""A style's references: one request per dropped file, so that each has its own progress and its own answer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.views.doors import found, staff_json, thumbnail
from jobs.errors import UserError
from styling.models import Style, StyleReference
from styling.services.references import add_references, remove_reference


@staff_json
@require_POST
def upload(request: HttpRequest, style_id: int) -> HttpResponse:
    """Add the files of this request; one outcome per file."""
    style = found(Style.objects.select_related("merchant"), request, pk=style_id)
    files = request.FILES.getlist("files")
    if not files:
        raise UserError("nothing-chosen", _("No file arrived."), _("Choose pictures and try again."))
    outcomes = add_references(style=style, files=files, by=request.user)
    shown = [
        {
            "name": outcome.name,
            "outcome": outcome.outcome,
            "reason": outcome.reason,
            "id": outcome.reference.pk if outcome.reference else None,
            "thumbnail": thumbnail(outcome.reference) if outcome.reference else "",
        }
        for outcome in outcomes
    ]
    return JsonResponse({"outcomes": shown, "count": style.references.count()})


@staff_json
@require_POST
def remove(request: HttpRequest, style_id: int, reference_id: int) -> HttpResponse:
    """Take one picture out of the style."""
    references = StyleReference.objects.select_related("style__merchant")
    reference = found(references, request, pk=reference_id, style_id=style_id)
    remove_reference(reference=reference, by=request.user)
    return JsonResponse({"count": StyleReference.objects.filter(style_id=style_id).count()})
