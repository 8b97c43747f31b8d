"""A training as its live page shows it, in the user's language: how far it is, what is the matter, and what to do next."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.access import has_role
from catalog.models import Membership
from catalog.views.doors import worker_notice
from jobs.models import Job
from styling.models import StyleModel, TrainingRun
from styling.problems import ENDINGS, TEXTS
from styling.services.training import QUEUE


def state_of(shown: TrainingRun, request: HttpRequest) -> dict[str, Any]:
    """What the page draws; asked for every two seconds while the training runs."""
    result = shown.result or {}
    model = StyleModel.objects.filter(pk=result.get("style_model") or 0).first() if "version" in result else None
    may_steer = has_role(request.user, shown.merchant, Membership.Role.EDITOR)
    return {
        "status": shown.status,
        "label": str(shown.get_status_display()),
        "finished": shown.is_finished,
        "fraction": shown.fraction,
        "step": shown.progress_done,
        "total": shown.progress_total,
        "eta": shown.eta_seconds,
        "elapsed": _elapsed(shown),
        "attempt": shown.attempt,
        "cancelling": bool(shown.cancel_requested_at) and not shown.is_finished,
        "losses": shown.losses,
        "scores": shown.scores,
        "kept_step": (shown.scores or {}).get("chosen_step"),
        "history": shown.score_history,
        "samples": [{"step": sample.step, "url": sample.file.url} for sample in shown.samples.all()],
        "error": _error_of(shown),
        "outcome": _outcome_of(result, model),
        "next": _next_steps(shown, result, model, may_steer=may_steer),
        "notice": _notice_of(shown),
        "can": {
            "cancel": may_steer and not shown.is_finished and not shown.cancel_requested_at,
            "resume": may_steer and shown.status in {"failed", "cancelled", "dead"},
            "again": may_steer and shown.is_finished,
        },
    }


def _elapsed(shown: TrainingRun) -> float | None:
    if shown.started_at is None:
        return None
    return ((shown.finished_at or timezone.now()) - shown.started_at).total_seconds()


def _notice_of(shown: TrainingRun) -> str:
    """Why nothing moves, where nothing does: no worker, others first, or a worker that was lost."""
    if shown.status == TrainingRun.Status.RUNNING:
        if shown.lease_expires_at is not None and shown.lease_expires_at < timezone.now():
            silent = _(
                "The worker has gone silent. "
                "Another one takes over within a minute or two and goes on from the last saved step."
            )
            return f"{silent} {worker_notice(QUEUE)}".strip()
        if not shown.progress_total:
            return _("It reads the pictures and gets ready. The first step comes within a minute.")
        return ""
    if shown.status != TrainingRun.Status.QUEUED:
        return ""
    said = [worker_notice(QUEUE)]
    if shown.attempt:
        said.append(
            _(
                "The worker was lost on the way. What was learned is kept: "
                "the training goes on from its last saved step by itself."
            )
        )
    elif not said[0]:
        ahead = Job.objects.unfinished().filter(queue=QUEUE, created_at__lt=shown.created_at).count()
        said.append(
            ngettext(
                "It waits for its turn: %(count)d job goes before it.",
                "It waits for its turn: %(count)d jobs go before it.",
                ahead,
            )
            % {"count": ahead}
            if ahead
            else _("A worker takes it up in a moment.")
        )
    return " ".join(text for text in said if text)


def _error_of(shown: TrainingRun) -> dict[str, str] | None:
    """The error in the user's language where its code is known; the worker wrote it in its own."""
    if not shown.error_code:
        return None
    message, hint = TEXTS.get(shown.error_code, (shown.error_message, shown.error_hint))
    return {"code": shown.error_code, "message": str(message), "hint": str(hint)}


def _outcome_of(result: dict[str, Any], model: StyleModel | None) -> str:
    """What became of the version that the training brought: as it stands today, not only as it ended."""
    if "version" not in result:
        return ""
    status = model.status if model is not None else ""
    if status == StyleModel.Status.RETIRED:
        text = _("Version %(version)d was retired since.")
    elif result.get("deployed"):
        text = _("Version %(version)d is the style's first and its scores are sound: it is in use now.")
    elif status == StyleModel.Status.DEPLOYED:
        text = _("Version %(version)d is in use.")
    else:
        text = _("Version %(version)d is a candidate: look at its samples, then deploy it.")
    # The worker wrote its warning in its own language; the reason is the user's to read in theirs.
    warning = str(ENDINGS.get(result.get("ended", ""), ""))
    return f"{text % {'version': result['version']}} {warning}".strip()


def _next_steps(
    shown: TrainingRun, result: dict[str, Any], model: StyleModel | None, *, may_steer: bool
) -> list[dict[str, str]]:
    """Where to go from a training that brought a version: the first is what most people want."""
    if "version" not in result:
        return []
    versions = {"text": _("Compare versions"), "address": reverse("styling:versions", args=[shown.style_id])}
    if not may_steer or model is None or model.status != StyleModel.Status.DEPLOYED:
        return [versions]
    all_products = urlencode({"list": "", "style": shown.style_id})
    stylise = {"text": _("Stylise your products"), "address": f"{reverse('styling:stylise')}?{all_products}"}
    return [stylise, versions]
