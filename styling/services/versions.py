"""Versions of a style's translator: recorded when a training ends, one of them deployed, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.developers.announcing import announce
from catalog.developers.models import WebhookEndpoint
from catalog.models import Membership
from jobs.errors import Conflict
from styling.models import Style, StyleModel, TrainingRun

#: A style's first version goes into use by itself when it changes the look at least this much …
SANE_STYLE_SCORE = 0.1
#: … and its products stay at least this recognisable.
SANE_CONTENT_SCORE = 0.4


def record_model(
    *,
    run: TrainingRun,
    directory: str,
    metrics: Mapping[str, Any],
    domain: Mapping[str, Any] | None = None,
    samples: str = "",
) -> StyleModel:
    """The next version of the run's style, from the artifact at ``directory`` (relative to ``ARTIFACTS_ROOT``).

    The style's first version is deployed at once when its scores are sane; every later one waits as a candidate.
    A second call for the same run returns the version that the first one made.
    """
    with transaction.atomic():
        style = Style.objects.select_for_update().select_related("merchant").get(pk=run.style_id)
        existing = StyleModel.objects.filter(training_run=run).first()
        if existing:
            return existing
        last = StyleModel.objects.filter(style=style).aggregate(last=Max("version"))["last"]
        model = StyleModel.objects.create(
            merchant=style.merchant,
            style=style,
            training_run=run,
            version=(last or 0) + 1,
            directory=directory,
            metrics=dict(metrics),
            samples=samples,
            notice=str((domain or {}).get("notice", ""))[:300],
            never_auto_publish=bool((domain or {}).get("never_auto_publish", False)),
        )
        if last is None and has_sane_scores(metrics):
            _put_into_use(model, by=None, action="model-deployed-first")
    return model


def has_sane_scores(metrics: Mapping[str, Any]) -> bool:
    """Whether the look plainly changes while products stay recognisable."""
    return (
        float(metrics.get("style_score") or 0) >= SANE_STYLE_SCORE
        and float(metrics.get("content_score") or 0) >= SANE_CONTENT_SCORE
    )


def deploy_model(*, model: StyleModel, by: Any) -> StyleModel:
    """Use this version for the style from now on; the one in use so far retires. Needs an editor."""
    require_role(by, model.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        Style.objects.select_for_update().get(pk=model.style_id)
        model.refresh_from_db()
        if model.status == StyleModel.Status.DEPLOYED:
            raise Conflict("already-deployed", _("This version is in use already."), _("There is nothing to do."))
        _put_into_use(model, by=by, action="model-deployed")
    return model


def roll_back(*, style: Style, by: Any) -> StyleModel:
    """Put the version that was in use before the present one back into use. Needs an editor."""
    require_role(by, style.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        Style.objects.select_for_update().get(pk=style.pk)
        earlier = (
            StyleModel.objects.filter(style=style, status=StyleModel.Status.RETIRED, deployed_at__isnull=False)
            .order_by("-deployed_at")
            .first()
        )
        if earlier is None:
            raise Conflict(
                "no-earlier-version",
                _("No other version of this style was in use before."),
                _("Deploy the version that you want by its number."),
            )
        _put_into_use(earlier, by=by, action="model-rolled-back")
    return earlier


def retire_model(*, model: StyleModel, by: Any) -> StyleModel:
    """Take a version out of use, or a candidate off the list. Needs an editor."""
    require_role(by, model.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        before = model.status
        _move(model, StyleModel.Status.RETIRED)
        audit.record(
            merchant=model.merchant,
            actor=by,
            action="model-retired",
            target=model,
            before={"status": before},
            after={"status": model.status},
        )
    return model


def _put_into_use(model: StyleModel, *, by: Any, action: str) -> None:
    """Retire the version in use, deploy ``model``. The caller holds the style's row."""
    in_use = StyleModel.objects.filter(style=model.style_id, status=StyleModel.Status.DEPLOYED).first()
    if in_use is not None:
        _move(in_use, StyleModel.Status.RETIRED)
    _move(model, StyleModel.Status.DEPLOYED, deployed_at=timezone.now())
    audit.record(
        merchant=model.merchant,
        actor=by,
        action=action,
        target=model,
        before={"version": in_use.version if in_use else None},
        after={"version": model.version},
    )
    announce(
        merchant_id=model.merchant_id,
        event=WebhookEndpoint.Event.MODEL_DEPLOYED,
        items=lambda: [{"id": model.pk, "style": model.style.slug, "version": model.version}],
    )


def _move(model: StyleModel, to: str, **changes: Any) -> None:
    """One conditional UPDATE along the transition table."""
    if not StyleModel.objects.filter(pk=model.pk, status__in=StyleModel.before(to)).update(status=to, **changes):
        raise Conflict("model-moved", _("This version has been changed meanwhile."), _("Reload the page."))
    model.status = to
    for name, value in changes.items():
        setattr(model, name, value)
