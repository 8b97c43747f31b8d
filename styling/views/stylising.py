"""“Stylise…”: from chosen products to a run, and the run's progress."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from catalog.models import Merchant, Product, ProductImage
from catalog.views.doors import found, key_of, page, staff_json, staff_page, thumbnail, worker_notice
from jobs.errors import UserError
from styling.forms import StyliseForm
from styling.models import StyleModel, StylizationRun
from styling.services.stylising import StyliseOptions
from styling.services.stylising import stylise as ask
from styling.services.training import QUEUE
from styling.views.labels import stylisation_labels

#: The most products or pictures that one address can name.
MOST_CHOSEN = 5000


@staff_page
def stylise(request: HttpRequest) -> HttpResponse:
    """Choose style and options for the products (or pictures) named in the address; POST starts the run."""
    products = Product.objects.visible_to(request.user).filter(pk__in=_ids(request, "products"))
    images = ProductImage.objects.visible_to(request.user).filter(pk__in=_ids(request, "images"))
    merchant_ids = set(products.order_by().values_list("merchant_id", flat=True)[:MOST_CHOSEN])
    merchant_ids |= set(images.order_by().values_list("product__merchant_id", flat=True)[:MOST_CHOSEN])
    if len(merchant_ids) != 1:
        context: dict[str, Any] = {"several": bool(merchant_ids)}
        return page(request, "styling/stylise_nothing.html", context, title=_("Stylise"))
    merchant = Merchant.objects.get(pk=merchant_ids.pop())
    in_use = StyleModel.objects.filter(merchant=merchant, status=StyleModel.Status.DEPLOYED).first()
    first = request.GET.get("style") or (in_use.style_id if in_use else None)
    form = StyliseForm(request.POST or None, merchant_id=merchant.pk, initial={"style": first, "strength": 1})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            run = ask(
                style=chosen["style"],
                by=request.user,
                products=products,
                images=images,
                style_model=chosen["style_model"],
                options=StyliseOptions(chosen["strength"], chosen["keep_product"], chosen["keep_color"]),
                every_picture=chosen["every_picture"],
            )
            return redirect("styling:stylisation", run_id=run.pk)
        except UserError as error:
            form.add_error(None, str(error))
    context = {
        "form": form,
        "count": products.count() + images.count(),
        "thumbnails": [thumbnail(image) for image in _shown(products, images)],
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


def _ids(request: HttpRequest, name: str) -> list[int]:
    named = [key_of(text) for text in request.GET.get(name, "").split(",")]
    return [key for key in named if key is not None][:MOST_CHOSEN]


def _shown(products: object, images: object) -> list[ProductImage]:
    of_products = ProductImage.objects.filter(product__in=products, position=0)[:24]  # type: ignore[misc]
    return [*images[:24], *of_products][:24]  # type: ignore[index]
