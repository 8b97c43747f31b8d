"""The review screen: one queue, one picture at a time, everything by keyboard; bulk with undo."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from catalog.access import has_role
from catalog.current_shop import current_shop
from catalog.models import Membership, Merchant
from catalog.views.doors import (
    found,
    json_body,
    key_of,
    keys_of,
    page,
    srcset,
    staff_json,
    staff_page,
    thumbnail,
    worker_notice,
)
from jobs.errors import NotFound
from styling.cyclegan.truth import TruthLimits
from styling.forms import Restyle
from styling.models import Style, StyledImage, StyleModel
from styling.services import review, stylising
from styling.services.limits import limits_of
from styling.services.training import QUEUE
from styling.truth_texts import readings
from styling.views.labels import review_labels

PAGE = 60
#: Renderings that can be chosen at once, and that one request moves.
MOST_CHOSEN = 20_000
MOST_MOVED = 500
VERBS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "approve": (review.approve, ()),
    "reject": (review.reject, ("reason",)),
    "publish": (review.publish, ("accept_flagged",)),
    "approve_and_publish": (review.approve_and_publish, ("accept_flagged",)),
    "unpublish": (review.unpublish, ()),
}


@staff_page
@require_GET
def screen(request: HttpRequest) -> HttpResponse:
    """The screen itself; its queue comes as JSON."""
    merchant = current_shop(request) or _busiest(request)
    if merchant is None:
        return page(request, "styling/review_empty.html", {}, title=_("Review"))
    counts = dict(
        StyledImage.objects.filter(merchant=merchant).order_by().values_list("status").annotate(n=Count("pk"))
    )
    context = {
        "merchant": merchant,
        "style_choices": Style.objects.filter(merchant=merchant),
        "statuses": [(value, label, counts.get(value, 0)) for value, label in StyledImage.Status.choices],
        "has_any": bool(counts),
        "chosen": {name: request.GET.get(name, "") for name in ("style", "run", "flagged")},
        "status": request.GET.get("status", StyledImage.Status.GENERATED),
        "can_review": has_role(request.user, merchant, Membership.Role.REVIEWER),
        "can_publish": has_role(request.user, merchant, Membership.Role.EDITOR),
        "can_limit": has_role(request.user, merchant, Membership.Role.OWNER),
        "models": _models(merchant),
        "labels": review_labels(),
        "restyle_choices": Restyle.choices,
        "reasons": [_("Shape changed"), _("Colour wrong"), _("Text unreadable"), _("Blurred"), _("Style too weak")],
    }
    return page(request, "styling/review.html", context, title=_("Review"))


@staff_json
@require_GET
def items(request: HttpRequest, merchant_id: int) -> HttpResponse:
    """One page of the queue, oldest first, so that what waits longest is looked at first.

    ``?keys=1`` asks for the keys of the whole queue instead, so that all of it can be chosen.
    """
    merchant = found(Merchant.objects.all(), request, pk=merchant_id)
    rows = _filtered(merchant, request)
    if request.GET.get("keys") == "1":
        keys = rows.prefetch_related(None).order_by("pk").values_list("pk", flat=True)[:MOST_CHOSEN]
        return JsonResponse({"keys": list(keys)})
    after = request.GET.get("after", "")
    if after.isdecimal():
        rows = rows.filter(pk__gt=int(after))
    shown, limits = list(rows.order_by("pk")[: PAGE + 1]), limits_of(merchant)
    items = [_item(row, limits) for row in shown[:PAGE]]
    return JsonResponse({"items": items, "more": len(shown) > PAGE, "total": rows.count()})


@staff_json
@require_POST
def act(request: HttpRequest, merchant_id: int) -> HttpResponse:
    """Move renderings; body: ``{"verb", "ids", "reason"?, "accept_flagged"?}``."""
    merchant = found(Merchant.objects.all(), request, pk=merchant_id)
    body = json_body(request)
    verb_name = body.get("verb")
    if not isinstance(verb_name, str) or verb_name not in VERBS:
        raise BadRequest("unknown verb")
    verb, options = VERBS[verb_name]
    ids = keys_of(body.get("ids", []))[:MOST_MOVED]
    images = StyledImage.objects.filter(merchant=merchant, pk__in=ids)
    if len(images) < len(set(ids)):
        raise NotFound("no-such-rendering", _("These renderings do not exist."), _("Reload the page."))
    given: dict[str, Any] = {
        "reason": str(body.get("reason", "")),
        "accept_flagged": body.get("accept_flagged") is True,
    }
    outcome = verb(images=images, by=request.user, **{name: given[name] for name in options})
    return JsonResponse(_outcome(outcome))


@staff_json
@require_POST
def undo(request: HttpRequest, merchant_id: int) -> HttpResponse:
    """Take back one batch; body: ``{"batch"}``."""
    merchant = found(Merchant.objects.all(), request, pk=merchant_id)
    try:
        batch = uuid.UUID(str(json_body(request).get("batch")))
    except ValueError as error:
        raise BadRequest("not a batch") from error
    return JsonResponse(_outcome(review.undo(batch=batch, merchant=merchant, by=request.user)))


@staff_json
@require_POST
def regenerate(request: HttpRequest, image_id: int) -> HttpResponse:
    """Render one picture again; body: options and ``style_model``."""
    image = found(StyledImage.objects.select_related("merchant", "style_model"), request, pk=image_id)
    body = json_body(request)
    model_id = body.pop("style_model", None)
    model = found(StyleModel.objects.all(), request, pk=key_of(model_id)) if model_id else None
    options = stylising.StyliseOptions.from_dict({**image.options, **body})
    run = stylising.regenerate(image=image, by=request.user, options=options, style_model=model)
    return JsonResponse({"run": str(run.pk), "notice": worker_notice(QUEUE)}, status=202)


def _busiest(request: HttpRequest) -> Merchant | None:
    """The shop with the most to review, of all that are seen at once."""
    shops = Merchant.objects.visible_to(request.user)
    waiting = (
        StyledImage.objects.awaiting_review()
        .visible_to(request.user)
        .order_by()
        .values("merchant")
        .annotate(n=Count("pk"))
        .order_by("-n")
        .values_list("merchant", flat=True)
        .first()
    )
    return shops.filter(pk=waiting or 0).first() or shops.first()


def _filtered(merchant: Merchant, request: HttpRequest) -> QuerySet[StyledImage]:
    rows = StyledImage.objects.filter(merchant=merchant).select_related(
        "product_image__product", "style", "style_model", "reviewed_by"
    )
    status, style, run = (request.GET.get(name, "") for name in ("status", "style", "run"))
    if status in StyledImage.Status.values:
        rows = rows.filter(status=status)
    if style:
        rows = rows.filter(style=key_of(style))
    if run:
        try:
            rows = rows.filter(run=uuid.UUID(run))
        except ValueError:
            rows = rows.none()
    if request.GET.get("flagged") == "1":
        rows = rows.filter(is_flagged=True)
    return rows.prefetch_related("steps__by")


def _report(row: StyledImage, limits: TruthLimits) -> str:
    """The product-truth report as it stands in the page; empty where there is none."""
    lines = readings(row.truth, row.breaches, limits=limits)
    return render_to_string("styling/_truth.html", {"readings": lines, "key": row.pk}) if lines else ""


def _item(row: StyledImage, limits: TruthLimits) -> dict[str, Any]:
    picture = row.product_image
    return {
        "id": row.pk,
        "status": row.status,
        "label": str(row.get_status_display()),
        "product": picture.product.display_name,
        "sku": picture.product.sku,
        "alt": picture.alt_text or picture.product.display_name,
        "style": row.style.display_name,
        "style_id": row.style_id,
        "model": row.style_model_id,
        "version": row.style_model.version,
        "notice": row.style_model.notice,
        "width": row.width,
        "height": row.height,
        "thumbnail": thumbnail(row),
        "before": {"src": picture.file.url, "srcset": srcset(picture.renditions)},
        "after": {"src": row.file.url, "srcset": srcset(row.renditions)},
        "options": row.options,
        "flagged": row.is_flagged,
        "truth": _report(row, limits),
        "reason": row.reject_reason,
        "history": [
            {
                "when": step.at.isoformat(),
                "who": str(step.by or ""),
                "from": str(step.get_before_display()),
                "to": str(step.get_after_display()),
                "reason": step.reason,
                "undone": step.undone_at is not None,
            }
            for step in row.steps.all()
        ],
    }


def _models(merchant: Merchant) -> list[dict[str, Any]]:
    rows = StyleModel.objects.filter(merchant=merchant).values("pk", "style_id", "version", "status")
    return [{**row, "status": str(StyleModel.Status(row["status"]).label)} for row in rows]


def _outcome(outcome: review.Outcome) -> dict[str, Any]:
    return {
        "batch": str(outcome.batch),
        "moved": {
            str(pk): {"status": status, "label": str(StyledImage.Status(status).label)}
            for pk, status in outcome.moved.items()
        },
        "replaced": outcome.replaced,
        "refused": [
            {"id": refusal.image_id, "code": refusal.code, "message": f"{refusal.message} {refusal.hint}".strip()}
            for refusal in outcome.refused
        ],
    }
