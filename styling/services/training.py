"""Training a style: start it, end it, go on with it, do it again, train a version further."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.models import Category, Membership
from jobs import services as jobs
from jobs.errors import Conflict, UserError
from styling.cyclegan import artifact
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.presets import preset
from styling.cyclegan.settings import TrainingSettings
from styling.models import Style, StyleModel, TrainingRun
from styling.problems import as_user_error
from styling.services.readiness import check_training

KIND = "styling.train"
QUEUE = "gpu"
#: Settings that a request may not choose: they name files of the worker's machine.
NOT_FROM_REQUESTS = frozenset({"feature_weights", "preset"})


def settings_for(*, preset_name: str, overrides: Mapping[str, Any] | None = None) -> TrainingSettings:
    """The preset's settings with ``overrides``, validated; a ``UserError`` names the setting at fault."""
    overrides = dict(overrides or {})
    forbidden = sorted(NOT_FROM_REQUESTS & set(overrides))
    if forbidden:
        raise UserError(
            "bad-settings", _("“%(name)s” cannot be set here.") % {"name": forbidden[0]}, _("Leave it out.")
        )
    try:
        base = preset(preset_name)
        if "minutes" in overrides and "steps" not in overrides:
            overrides["steps"] = None  # the one budget that was named replaces the preset's
        known = TrainingSettings.from_dict({**base.to_dict(), **overrides})
        return known.validate()
    except CycleGANError as error:
        raise as_user_error(error) from error
    except (TypeError, ValueError) as error:
        raise UserError(
            "bad-settings", _("A setting has the wrong type: %(error)s.") % {"error": error}, _("See the presets.")
        ) from error


def start_training(
    *,
    style: Style,
    by: Any,
    preset_name: str = "draft",
    overrides: Mapping[str, Any] | None = None,
    source_category: Category | None = None,
) -> TrainingRun:
    """Ask for a training of ``style`` on the shop's products (or one category's).

    Raises ``UserError`` where its pictures cannot teach anything (see ``check_training``) or a setting is wrong, and
    ``Conflict`` while another training of the style is unfinished.
    """
    settings = settings_for(preset_name=preset_name, overrides=overrides)
    return _start(style=style, by=by, settings=settings, source_category=source_category)


def train_again(*, run: TrainingRun, by: Any) -> TrainingRun:
    """A new run with exactly the settings of ``run``, on the pictures that are there now.

    Raises ``UserError`` (``start-gone``) where it went on from a version that has been deleted since.
    """
    try:
        settings = TrainingSettings.from_dict(run.settings).validate()
    except CycleGANError as error:
        raise as_user_error(error) from error
    return _start(
        style=run.style,
        by=by,
        settings=settings,
        source_category=run.source_category,
        start_from=start_of(run),
    )


def start_of(run: TrainingRun) -> StyleModel | None:
    """The version that a run goes on from, None for one that begins with nothing.

    Raises ``UserError`` where that version has been deleted: beginning with nothing instead would be another training.
    """
    if run.start_from is None and run.parameters.get("start_from"):
        raise UserError(
            "start-gone",
            _("The version that this training goes on from has been deleted."),
            _("Train another version further, or train the style from the beginning."),
        )
    return run.start_from


def can_go_on(model: StyleModel) -> bool:
    """Whether ``train_further`` has what it needs; costs a look at the disk."""
    return (django_settings.ARTIFACTS_ROOT / model.directory / artifact.NETWORKS).is_file()


def train_further(*, model: StyleModel, by: Any, overrides: Mapping[str, Any] | None = None) -> TrainingRun:
    """A new run that begins with the networks of ``model``, on the pictures that are there now.

    ``overrides`` may give another budget (``minutes`` or ``steps``). Raises ``UserError`` where the version's files are
    lost, or keep the translator alone (``start-missing``).
    """
    require_role(by, model.merchant, Membership.Role.EDITOR)
    budget = {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        settings = artifact.check_can_go_on(django_settings.ARTIFACTS_ROOT / model.directory).going_on()
        settings = settings.within(minutes=budget.get("minutes"), steps=budget.get("steps")).validate()
    except CycleGANError as error:
        raise as_user_error(error) from error
    earlier = model.training_run
    category = earlier.source_category if earlier else None
    return _start(style=model.style, by=by, settings=settings, source_category=category, start_from=model)


def _start(
    *,
    style: Style,
    by: Any,
    settings: TrainingSettings,
    source_category: Category | None,
    start_from: StyleModel | None = None,
) -> TrainingRun:
    require_role(by, style.merchant, Membership.Role.EDITOR)
    for finding in check_training(style=style, settings=settings, source_category=source_category):
        if finding.refuses:
            raise finding.as_error()
    with transaction.atomic():
        Style.objects.select_for_update().get(pk=style.pk)  # two presses of the button: the second waits, then is told
        if TrainingRun.objects.filter(style=style, status__in=_UNFINISHED).exists():
            raise Conflict(
                "training-runs",
                _("This style is being trained already."),
                _("Watch that training, or cancel it first."),
            )
        run = jobs.enqueue(
            TrainingRun(
                kind=KIND,
                queue=QUEUE,
                merchant=style.merchant,
                merchant_key=style.merchant_id,
                created_by=by,
                style=style,
                source_category=source_category,
                start_from=start_from,
                preset=settings.preset,
                settings=settings.to_dict(),
                parameters={
                    "style": style.pk,
                    "preset": settings.preset,
                    **({"start_from": start_from.pk} if start_from else {}),
                },
            )
        )
        audit.record(
            merchant=style.merchant,
            actor=by,
            action="training-started",
            target=style,
            after={
                "run": str(run.pk),
                "preset": settings.preset,
                "start_from": start_from.version if start_from else None,
            },
        )
    return run


def cancel_training(*, run: TrainingRun, by: Any) -> None:
    """End a training: at once while it waits, within a step while it runs. What it has learned so far is kept."""
    require_role(by, run.merchant, Membership.Role.EDITOR)
    jobs.request_cancel(job=run, by=by)


def resume_training(*, run: TrainingRun, by: Any) -> None:
    """Go on with a cancelled, failed or given-up training, from its last checkpoint."""
    require_role(by, run.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        Style.objects.select_for_update().get(pk=run.style_id)
        if TrainingRun.objects.filter(style=run.style_id, status__in=_UNFINISHED).exclude(pk=run.pk).exists():
            raise Conflict(
                "training-runs",
                _("Another training of this style is under way."),
                _("Wait for its end or cancel it, then resume this one."),
            )
        jobs.retry(job=run, by=by)


_UNFINISHED = (TrainingRun.Status.QUEUED, TrainingRun.Status.RUNNING)
