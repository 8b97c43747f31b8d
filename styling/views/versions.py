"""A style's versions side by side, on the same pictures; deploy, roll back, retire."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from catalog.access import has_role
from catalog.models import Membership, ProductImage
from catalog.views.doors import found, page, staff_page, thumbnail, worker_notice
from jobs.errors import UserError
from styling.models import Style, StyledImage, StyleModel
from styling.services import stylising, training, versions
from styling.services.sources import source_pictures
from styling.services.training import QUEUE

#: Pictures on which versions are compared.
COMPARED = 6
#: Pixels of a picture that was opened.
LARGE = 1024
MODELS = StyleModel.objects.select_related("merchant", "style")


@staff_page
@require_GET
def compare(request: HttpRequest, style_id: int) -> HttpResponse:
    """One row per version, one column per picture."""
    style = found(Style.objects.select_related("merchant"), request, pk=style_id)
    models = list(MODELS.filter(style=style))
    pictures = _compared(style)
    shown = _renderings(models, pictures)
    originals = [
        {
            "url": thumbnail(picture),
            "large": thumbnail(picture, width=LARGE),
            "name": picture.product.display_name,
        }
        for picture in pictures
    ]
    rows = [
        {
            "model": model,
            "cells": [
                (shown.get((model.pk, picture.pk)), before) for picture, before in zip(pictures, originals, strict=True)
            ],
            "can_go_on": training.can_go_on(model),
            "scores": [(label, model.metrics.get(name)) for name, label in _score_labels()],
        }
        for model in models
    ]
    gaps = len(models) * len(pictures) - len(shown)
    context = {
        "style": style,
        "rows": rows,
        "pictures": originals,
        "gaps": gaps,
        "can_deploy": has_role(request.user, style.merchant, Membership.Role.EDITOR),
        "can_roll_back": any(model.status == "retired" and model.deployed_at for model in models),
        "worker_notice": worker_notice(QUEUE) if gaps else "",
    }
    return page(request, "styling/versions.html", context, title=_("Versions of “%(style)s”") % {"style": style})


@staff_page
@require_POST
def fill(request: HttpRequest, style_id: int) -> HttpResponse:
    """Render the compared pictures with every version that has not rendered them."""
    style = found(Style.objects.select_related("merchant"), request, pk=style_id)
    models, pictures = list(MODELS.filter(style=style)), _compared(style)
    shown = _renderings(models, pictures)
    runs = 0
    try:
        for model in models:
            missing = [picture for picture in pictures if (model.pk, picture.pk) not in shown]
            if missing:
                stylising.stylise(style=style, by=request.user, images=missing, style_model=model)
                runs += 1
        text = ngettext("%(count)d version renders now.", "%(count)d versions render now.", runs) % {"count": runs}
        reload = _("Reload the page in a moment.")
        messages.success(request, f"{text} {reload}")
    except UserError as error:
        messages.error(request, str(error))
    return redirect("styling:versions", style_id=style.pk)


@staff_page
@require_POST
def act(request: HttpRequest, model_id: int, verb: str) -> HttpResponse:
    """Deploy or retire one version."""
    model = found(MODELS, request, pk=model_id)
    try:
        if verb == "deploy":
            versions.deploy_model(model=model, by=request.user)
            messages.success(request, _("Version %(version)d is in use now.") % {"version": model.version})
        else:
            versions.retire_model(model=model, by=request.user)
            messages.success(request, _("Version %(version)d is retired.") % {"version": model.version})
    except UserError as error:
        messages.error(request, str(error))
    return redirect("styling:versions", style_id=model.style_id)


@staff_page
@require_POST
def roll_back(request: HttpRequest, style_id: int) -> HttpResponse:
    """Put the version before the present one back into use."""
    style = found(Style.objects.select_related("merchant"), request, pk=style_id)
    try:
        model = versions.roll_back(style=style, by=request.user)
        messages.success(request, _("Version %(version)d is in use again.") % {"version": model.version})
    except UserError as error:
        messages.error(request, str(error))
    return redirect("styling:versions", style_id=style.pk)


@staff_page
@require_POST
def train_further(request: HttpRequest, model_id: int) -> HttpResponse:
    """Start a training that goes on from one version, and show it."""
    model = found(MODELS.select_related("training_run"), request, pk=model_id)
    try:
        run = training.train_further(model=model, by=request.user)
    except UserError as error:
        messages.error(request, str(error))
        return redirect("styling:versions", style_id=model.style_id)
    return redirect("styling:run", run_id=run.pk)


def _score_labels() -> list[tuple[str, str]]:
    return [("style_score", _("Style")), ("content_score", _("Products recognisable"))]


def _compared(style: Style) -> list[ProductImage]:
    """The pictures that most versions have rendered already, filled up with others."""
    rendered = StyledImage.objects.filter(style=style).values("product_image").annotate(n=Count("style_model"))
    most = [row["product_image"] for row in rendered.order_by("-n", "product_image")[:COMPARED]]
    pictures = source_pictures(style=style).select_related("product")
    chosen = list(pictures.filter(pk__in=most))
    return [*chosen, *pictures.exclude(pk__in=most)[: COMPARED - len(chosen)]]


def _renderings(models: list[StyleModel], pictures: list[ProductImage]) -> dict[tuple[int, int], dict[str, Any]]:
    """The newest full-strength rendering of each picture by each version."""
    rows = StyledImage.objects.filter(style_model__in=models, product_image__in=pictures).order_by("pk")
    return {
        (row.style_model_id, row.product_image_id): {
            "url": thumbnail(row),
            "large": thumbnail(row, width=LARGE),
            "flagged": row.is_flagged,
            "id": row.pk,
        }
        for row in rows
    }
