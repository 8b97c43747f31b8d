"""The training studio: before (choices, warnings), during (live), after (what came out)."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from catalog.access import has_role
from catalog.models import Membership
from catalog.views.doors import found, page, staff_json, staff_page, thumbnail, worker_notice
from jobs.errors import UserError
from styling.forms import TrainingForm
from styling.models import Style, TrainingRun
from styling.presets import FOR_SHOPS, preset_cards
from styling.presets import TEXTS as PRESET_TEXTS
from styling.services import training
from styling.services.readiness import GOOD_PICTURES, check_training
from styling.services.sources import source_pictures
from styling.services.training import QUEUE
from styling.views.labels import loss_texts, run_labels
from styling.views.run_state import state_of

RUNS = TrainingRun.objects.select_related("merchant", "style", "source_category", "start_from", "created_by")


@staff_page
def train(request: HttpRequest, style_id: int) -> HttpResponse:
    """Choose what to learn from and a preset; POST starts the training."""
    style = found(Style.objects.select_related("merchant"), request, pk=style_id)
    form = TrainingForm(request.POST or None, style=style, initial={"preset": "draft"})
    if request.method == "POST" and form.is_valid():
        run = training.start_training(
            style=style,
            by=request.user,
            preset_name=form.cleaned_data["preset"],
            overrides=form.overrides(),
            source_category=form.cleaned_data["source_category"],
        )
        return redirect("styling:run", run_id=run.pk)
    cards = preset_cards()
    context = {
        "style": style,
        "form": form,
        "shop_cards": sorted((card for card in cards if card.for_shops), key=lambda card: FOR_SHOPS.index(card.name)),
        "other_cards": [card for card in cards if not card.for_shops],
        "references": [thumbnail(reference) for reference in style.references.all()[:12]],
        "reference_count": style.references.count(),
        "sources": [thumbnail(picture) for picture in source_pictures(style=style)[:12]],
        "source_count": source_pictures(style=style).count(),
        "good_count": GOOD_PICTURES,
        "worker_notice": worker_notice(QUEUE),
        "can_train": has_role(request.user, style.merchant, Membership.Role.EDITOR),
        "unfinished": RUNS.filter(style=style).filter(status__in=["queued", "running"]).first(),
    }
    return page(request, "styling/train.html", context, title=_("Train “%(style)s”") % {"style": style})


@staff_page
@require_GET
def check(request: HttpRequest, style_id: int) -> HttpResponse:
    """The findings for the choices made so far, as a part of the training page."""
    style = found(Style.objects.select_related("merchant"), request, pk=style_id)
    form = TrainingForm(request.GET, style=style)
    findings: list[Any] = []
    try:
        if form.is_valid():
            settings = training.settings_for(preset_name=form.cleaned_data["preset"], overrides=form.overrides())
            category = form.cleaned_data["source_category"]
            findings = check_training(style=style, settings=settings, source_category=category)
    except UserError as error:
        findings = [{"code": error.code, "message": error.message, "hint": error.hint, "refuses": True}]
    return render(request, "styling/findings.html", {"findings": findings, "form": form})


@staff_page
@require_GET
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """One training, live: curves, samples, scores, time left, and what can be done with it."""
    shown = found(RUNS, request, pk=run_id)
    context = {
        "run": shown,
        "preset_title": PRESET_TEXTS.get(shown.preset, (shown.preset, ""))[0],
        "state": state_of(shown, request),
        "labels": run_labels(),
        "loss_texts": loss_texts(),
        "settings_rows": sorted(shown.settings.items()),
        "others": TrainingRun.objects.filter(style=shown.style).exclude(pk=shown.pk).order_by("-created_at")[:8],
    }
    return page(request, "styling/run.html", context, title=_("Training of “%(style)s”") % {"style": shown.style})


@staff_json
@require_GET
def state(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """What the live page asks for every two seconds."""
    return JsonResponse(state_of(found(RUNS, request, pk=run_id), request))


@staff_page
@require_POST
def act(request: HttpRequest, run_id: uuid.UUID, verb: str) -> HttpResponse:
    """Cancel, resume or do again."""
    shown = found(RUNS, request, pk=run_id)
    try:
        if verb == "again":
            shown = training.train_again(run=shown, by=request.user)
        else:
            {"cancel": training.cancel_training, "resume": training.resume_training}[verb](run=shown, by=request.user)
    except UserError as error:
        messages.error(request, str(error))
    return redirect("styling:run", run_id=shown.pk)
