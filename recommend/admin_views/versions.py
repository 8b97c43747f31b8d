"""Recommender versions: scores, what each part is worth, fit now, deploy, and the way back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from catalog.access import has_role, require_role
from catalog.models import Membership, Merchant
from catalog.views.doors import found, page, staff_json, staff_page, worker_notice
from jobs import services as jobs
from jobs.errors import UserError
from recommend.admin_charts import bar, interval_bar, signed_bar
from recommend.admin_views.doors import shops_of
from recommend.labels import PARTS
from recommend.models import Recommender, RecommenderFit
from recommend.services import fitting

#: Versions on the screen; the list has them all.
SHOWN = 12
UNFINISHED = ("queued", "running")


@staff_page
@require_GET
def versions(request: HttpRequest) -> HttpResponse:
    """The shop's newest versions side by side, the one in use and what it is made of, and the fit under way."""
    shops, shop = shops_of(request)
    if shop is None:
        return page(request, "recommend/no_shop.html", {}, title=_("Recommender"))
    rows = list(Recommender.objects.filter(merchant=shop).select_related("fit").order_by("-version")[:SHOWN])
    in_use = next((row for row in rows if row.status == Recommender.Status.DEPLOYED), None) or (
        Recommender.objects.filter(merchant=shop, status=Recommender.Status.DEPLOYED).first()
    )
    asked = request.GET.get("version", "")
    chosen = next((row for row in rows if str(row.version) == asked), None) or in_use or next(iter(rows), None)
    most = max([_scores(row).get("ci", [0, 0])[1] for row in rows] + [0.01])
    fresh = fitting.freshness(merchant=shop)
    context = {
        "shops": shops,
        "shop": shop,
        "rows": [_row(row, most) for row in rows],
        "in_use": in_use,
        "chosen": chosen,
        "report": _report(chosen) if chosen else None,
        "earlier": _earlier(shop),
        "new_events": fresh.new_events,
        "fit": state_of(_newest_fit(shop), request),
        "can_fit": has_role(request.user, shop, Membership.Role.EDITOR),
        "worker_notice": worker_notice("default"),
    }
    return page(request, "recommend/versions.html", context, title=_("Recommender"))


@staff_page
@require_POST
def fit(request: HttpRequest, merchant_id: int) -> HttpResponse:
    """Ask for a new version; one at a time is enough."""
    shop = found(Merchant.objects.all(), request, pk=merchant_id)
    try:
        require_role(request.user, shop, Membership.Role.EDITOR)
        if RecommenderFit.objects.filter(merchant=shop, status__in=UNFINISHED).exists():
            messages.info(request, _("A fit is under way already; its progress stands below."))
        else:
            fitting.start_fit(merchant=shop, by=request.user)
            messages.success(
                request, _("A new version is being fitted. You can leave this page: it goes on by itself.")
            )
    except UserError as error:
        messages.error(request, str(error))
    return redirect(address_of(shop))


@staff_json
@require_GET
def fit_state(request: HttpRequest, fit_id: uuid.UUID) -> HttpResponse:
    """What the live part of the screen asks for every second or two."""
    return JsonResponse(state_of(found(RecommenderFit.objects.select_related("merchant"), request, pk=fit_id), request))


@staff_page
@require_POST
def steer(request: HttpRequest, fit_id: uuid.UUID, verb: str) -> HttpResponse:
    """Cancel a fit, or try it again."""
    shown = found(RecommenderFit.objects.select_related("merchant"), request, pk=fit_id)
    try:
        require_role(request.user, shown.merchant, Membership.Role.EDITOR)
        {"cancel": jobs.request_cancel, "retry": jobs.retry}[verb](job=shown, by=request.user)
    except UserError as error:
        messages.error(request, str(error))
    return redirect(address_of(shown.merchant))


@staff_page
@require_POST
def deploy(request: HttpRequest, recommender_id: int) -> HttpResponse:
    """Serve with this version from the next page on; rolling back is deploying an earlier one."""
    row = found(Recommender.objects.select_related("merchant"), request, pk=recommender_id)
    try:
        fitting.deploy(recommender=row, by=request.user)
        messages.success(request, _("Version %(version)d serves from the next page on.") % {"version": row.version})
    except UserError as error:
        messages.error(request, str(error))
    return redirect(address_of(row.merchant))


def address_of(shop: Merchant) -> str:
    """The screen of one shop."""
    return f"{reverse('recommending:versions')}?shop={shop.slug}"


def state_of(shown: RecommenderFit | None, request: HttpRequest) -> dict[str, Any] | None:
    """A fit as the screen shows it, in the user's language."""
    if shown is None:
        return None
    may_steer = has_role(request.user, shown.merchant, Membership.Role.EDITOR)
    return {
        "id": str(shown.pk),
        "status": shown.status,
        "label": str(shown.get_status_display()),
        "finished": shown.is_finished,
        "percent": round(100 * shown.fraction),
        "message": _stage(shown),
        "notice": worker_notice("default") if shown.status == RecommenderFit.Status.QUEUED else "",
        "error": f"{shown.error_message} {shown.error_hint}".strip() if shown.error_code else "",
        "cancelling": bool(shown.cancel_requested_at) and not shown.is_finished,
        "can_cancel": may_steer and not shown.is_finished and not shown.cancel_requested_at,
        "can_retry": may_steer and shown.status in {"failed", "cancelled", "dead"},
    }


def _stage(shown: RecommenderFit) -> str:
    """The engine's step in words; what the worker wrote where it is none of the engine's."""
    stages = {
        "svd": _("Learning tastes (Surprise SVD)"),
        "item-to-item": _("Learning what is chosen together"),
        "transitions": _("Learning what follows"),
        "blend": _("Learning how much each part counts"),
        "scores": _("Scoring on events that it has not seen"),
    }
    return stages.get(shown.progress_message, shown.progress_message)


def _newest_fit(shop: Merchant) -> RecommenderFit | None:
    return RecommenderFit.objects.filter(merchant=shop).select_related("merchant").order_by("-created_at").first()


def _earlier(shop: Merchant) -> Recommender | None:
    """The version that was in use before the present one."""
    before = Recommender.objects.filter(merchant=shop, status=Recommender.Status.RETIRED, deployed_at__isnull=False)
    return before.order_by("-deployed_at").first()


def _scores(row: Recommender) -> Mapping[str, Any]:
    return row.metrics.get("scores") or {}


def _row(row: Recommender, most: float) -> dict[str, Any]:
    scores = _scores(row)
    low, high = scores.get("ci") or (0.0, 0.0)
    tone = "good" if row.status == Recommender.Status.DEPLOYED else "accent"
    value = scores.get("ndcg@10")
    return {
        "row": row,
        "ndcg": value,
        "low": low,
        "high": high,
        "bar": interval_bar(value, low, high, most=most, tone=tone) if value is not None else "",
        "people": scores.get("people"),
        "events": row.metrics.get("events"),
    }


def _report(row: Recommender) -> dict[str, Any]:
    """What a version is made of: its parts' weights, what each is worth, and its scores in words."""
    scores = _scores(row)
    lost: Mapping[str, float] = scores.get("lost_without") or {}
    weights: Mapping[str, float] = row.metrics.get("weights") or {}
    heaviest = max([*weights.values(), 0.01])
    largest = max([abs(value) for value in lost.values()] + [0.001])
    return {
        "figures": _figures(scores),
        "over_popularity": _over_popularity(scores.get("over_popularity")),
        "note": "" if scores else _("Too few people to hold some out for a score: the usual weights are used."),
        "held": row.held_reason,
        "parts": [
            {
                "name": PARTS[name][0],
                "what": PARTS[name][1],
                "weight": weight,
                "weight_bar": bar(weight, most=heaviest),
                "lost": lost.get(name),
                "lost_bar": signed_bar(lost[name], most=largest) if name in lost else "",
            }
            for name, weight in sorted(weights.items(), key=lambda item: -item[1])
            if name in PARTS
        ],
        "people": row.metrics.get("users"),
        "events": row.metrics.get("events"),
        "items": row.metrics.get("items"),
        "cold": row.metrics.get("items_without_events"),
    }


def _figures(scores: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(name, value, what it means) of the scores that there are."""
    known = [
        ("ndcg@10", "NDCG@10", "{:.3f}", _("1 is a perfect order of the first ten")),
        ("hit_rate@10", _("Hit rate"), "{:.0%}", _("people for whom the first ten hold something they then chose")),
        ("recall@10", _("Recall"), "{:.0%}", _("of what they then chose, how much the first ten hold")),
        ("coverage", _("Coverage"), "{:.0%}", _("of the products, how many are recommended to anybody")),
    ]
    return [(name, form.format(scores[key]), what) for key, name, form, what in known if key in scores]


def _over_popularity(interval: Sequence[float] | None) -> str:
    if not interval:
        return ""
    low, high = interval
    if low > 0:
        return _("Better than showing the most popular: by %(low).3f to %(high).3f.") % {"low": low, "high": high}
    if high < 0:
        return _("Worse than showing the most popular: by %(low).3f to %(high).3f.") % {"low": -high, "high": -low}
    return _("Not yet told apart from showing the most popular (%(low).3f to %(high).3f).") % {"low": low, "high": high}
