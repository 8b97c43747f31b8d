"""“Stylise…”: from chosen products to a run, and the run's progress."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from catalog.admin.products import listed
from catalog.current_shop import current_shop
from catalog.models import Merchant, Product, ProductImage
from catalog.views.doors import found, page, staff_json, staff_page, thumbnail, worker_notice
from jobs.errors import UserError
from styling.forms import Restyle, StyliseForm
from styling.models import Style, StyleModel, StylizationRun
from styling.services.rendering_time import jobs_ahead, rendering_rate
from styling.services.stylising import StyliseOptions
from styling.services.stylising import stylise as ask
from styling.services.training import QUEUE
from styling.views.chosen import Chosen, chosen_by, without_rendering
from styling.views.labels import stylisation_labels

#: More than this is asked for twice, however it was chosen.
MANY = 200
#: Products that the first page shows to tick; a larger shop chooses in its product list.
SHOWN_PRODUCTS = 60


@staff_page
def stylise(request: HttpRequest) -> HttpResponse:
    """Choose style and options for what the address names (see ``chosen``); POST starts the run."""
    chosen = chosen_by(request)
    merchant_ids = chosen.merchant_ids()
    if len(merchant_ids) != 1:
        shop = current_shop(request)
        if shop is None or merchant_ids or chosen.list_query is not None:
            context: dict[str, Any] = {"several": bool(merchant_ids)}
            return page(request, "styling/stylise_nothing.html", context, title=_("Stylise"))
        return page(request, "styling/stylise_choose.html", _choices(shop), title=_("Stylise"))
    merchant = Merchant.objects.get(pk=merchant_ids.pop())
    in_use = StyleModel.objects.filter(merchant=merchant, status=StyleModel.Status.DEPLOYED).first()
    first = request.GET.get("style") or request.GET.get("missing") or (in_use.style_id if in_use else None)
    counts = chosen.counts()
    form = StyliseForm(
        request.POST or None,
        merchant_id=merchant.pk,
        count=counts["chosen"],
        confirm=chosen.is_whole_list or counts["chosen"] > MANY,
        initial={"style": first, "strength": 1, "restyle": Restyle.WHOLE},
    )
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            run = ask(
                style=wanted["style"],
                by=request.user,
                products=chosen.products.order_by("pk"),
                images=chosen.images,
                style_model=wanted["style_model"],
                options=StyliseOptions(
                    strength=wanted["strength"],
                    keep_product=wanted["restyle"] == Restyle.BACKGROUND,
                    keep_background=wanted["restyle"] == Restyle.PRODUCT,
                    keep_color=wanted["keep_color"],
                ),
                every_picture=wanted["every_picture"],
            )
            return redirect("styling:stylisation", run_id=run.pk)
        except UserError as error:
            form.add_error(None, str(error))
    rate = rendering_rate(merchant=merchant, model=in_use)
    context = {
        "form": form,
        "chosen": chosen,
        "counts": counts,
        "whole_list": _whole_list(request, chosen, counts["chosen"]),
        "thumbnails": [thumbnail(image) for image in chosen.samples()],
        "rate": rate,
        "estimates": {name: rate.minutes(counts[name]) for name in ("first_pictures", "every_picture")},
        "jobs_ahead": jobs_ahead(),
        "has_styles": form.fields["style"].queryset.exists(),  # type: ignore[attr-defined]
        "worker_notice": worker_notice(QUEUE),
    }
    return page(request, "styling/stylise.html", context, title=_("Stylise"))


@staff_page
@require_GET
def stylisation(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """One run's progress, and the way to its review."""
    run = found(StylizationRun.objects.select_related("style_model__style"), request, pk=run_id)
    context = {"run": run, "state": _state(run), "labels": stylisation_labels()}
    return page(request, "styling/stylisation.html", context, title=_("Stylising"))


@staff_json
@require_GET
def state(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """What the page of a run asks for every two seconds."""
    return JsonResponse(_state(found(StylizationRun.objects.all(), request, pk=run_id)))


def _state(run: StylizationRun) -> dict[str, object]:
    rendered = run.styled_images.order_by("pk")
    return {
        "status": run.status,
        "label": str(run.get_status_display()),
        "finished": run.is_finished,
        "fraction": run.fraction,
        "done": run.progress_done,
        "total": run.progress_total,
        "thumbnails": [thumbnail(image) for image in rendered[:48]],
        "flagged": rendered.filter(is_flagged=True).count(),
        "problems": (run.result or {}).get("problem_count", 0),
        "without_picture": run.parameters.get("without_picture", 0),
        "error": {"message": run.error_message, "hint": run.error_hint} if run.error_code else None,
        "notice": worker_notice(QUEUE) if run.status == StylizationRun.Status.QUEUED else "",
    }


def _choices(merchant: Merchant) -> dict[str, Any]:
    """What can be stylised in a shop: for each trained style what it has not rendered yet, and the products themselves."""
    in_use = StyleModel.objects.filter(merchant=merchant, status=StyleModel.Status.DEPLOYED).select_related("style")
    styles = [(model.style, without_rendering(model.style).count()) for model in in_use.order_by("style__position")]
    own = Product.objects.filter(merchant=merchant).exclude(status=Product.Status.ARCHIVED)
    pictured = own.filter(pk__in=ProductImage.objects.order_by().values("product"))
    rows = list(pictured.order_by("-pk").prefetch_related("images")[:SHOWN_PRODUCTS])
    return {
        "looks": styles,
        "has_styles": Style.objects.filter(merchant=merchant).exists(),
        "products": [(row, thumbnail(row.images.all()[0])) for row in rows],
        "count": pictured.count(),
    }


def _whole_list(request: HttpRequest, chosen: Chosen, count: int) -> dict[str, object] | None:
    """The offer to take all that the list shows, where that is more than what was ticked."""
    address = chosen.whole_list_address()
    more = listed(request, chosen.list_query or "").count() if address else 0
    return {"address": address, "count": more} if more > count else None
