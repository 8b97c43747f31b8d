"""An experiment's life after its draft: started, stopped, decided, and the decision taken back.

Whatever changes what shoppers are served also writes ``Merchant.serving`` in the same transaction, under the shop's row
lock, so that pages and rows cannot tell two stories.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import audit
from catalog.access import require_role
from catalog.models import Membership, Merchant
from jobs.errors import Conflict, UserError
from recommend.experiments.models import Experiment, Exposure, Variant
from recommend.experiments.services.drafts import create_experiment, money_of_now, version_of
from recommend.experiments.services.outcomes import outcomes_of
from recommend.models import Recommender
from recommend.services import fitting


def delete_draft(*, experiment: Experiment, by: Any) -> None:
    """Throw a draft away; what has run stays on the record."""
    require_role(by, experiment.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        gone, _rows = Experiment.objects.filter(pk=experiment.pk, status=Experiment.Status.DRAFT).delete()
        if not gone:
            raise Conflict("not-a-draft", _("Only a draft can be deleted."), _("Stop it instead."))
        audit.record(
            merchant=experiment.merchant,
            actor=by,
            action="experiment-deleted",
            target=f"Experiment {experiment.pk}",
            before={"name": experiment.name},
        )


def begin(*, by: Any, **asked: Any) -> Experiment:
    """A new experiment that runs at once (``asked`` as for ``create_experiment``); where it cannot, nothing is left."""
    with transaction.atomic():
        return start(experiment=create_experiment(by=by, **asked), by=by)


def start(*, experiment: Experiment, by: Any) -> Experiment:
    """Shoppers are divided from the next page on. One experiment per layer and shop runs at a time."""
    with _turn(experiment, by, "running") as shop:
        _require_free_layer(experiment, shop)
        if experiment.subject == "version":
            for variant in experiment.variants.all():
                version_of(shop, variant.value)
        _move(experiment, "running", started_at=timezone.now(), **money_of_now(experiment, shop))
        _write_plan(shop)
        _record(experiment, by, "experiment-started")
    return experiment


def stop(*, experiment: Experiment, by: Any) -> Experiment:
    """Everybody gets the usual pages again; the counts are kept, who was in it is forgotten."""
    with _turn(experiment, by, "stopped") as shop:
        now = timezone.now()
        result = outcomes_of(experiment, until=now)
        _move(experiment, "stopped", stopped_at=now, result=result)
        Exposure.objects.filter(experiment=experiment).delete()
        _write_plan(shop)
        _record(experiment, by, "experiment-stopped")
    return experiment


def roll_out(*, experiment: Experiment, variant: Variant, by: Any) -> Experiment:
    """Everybody gets this variant from the next page on; ``undo`` takes it back.

    An experiment that still runs is stopped in the same transaction: either both happen, or it goes on running.
    """
    if variant.experiment_id != experiment.pk:
        raise UserError("variant-unknown", _("The variant belongs to another experiment."))
    require_role(by, experiment.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        _locked(experiment)
        if experiment.status == Experiment.Status.RUNNING:
            stop(experiment=experiment, by=by)
        with _turn(experiment, by, "decided") as shop:
            _require_free_layer(experiment, shop)
            before = _serve(shop, experiment.subject, variant.value, by)
            _move(experiment, "decided", decided_at=timezone.now(), before={"value": before})
            Variant.objects.filter(pk=variant.pk).update(is_rolled_out=True)
            _record(experiment, by, "experiment-rolled-out", {"variant": variant.name, "value": variant.value})
    return experiment


def undo(*, experiment: Experiment, by: Any) -> Experiment:
    """Serve again what was served before the roll-out."""
    with _turn(experiment, by, "stopped") as shop:
        winner = Variant.objects.filter(experiment=experiment, is_rolled_out=True).first()
        if winner is None:
            raise Conflict("not-rolled-out", _("Nothing was rolled out."))
        _require_free_layer(experiment, shop)
        if _served(shop, experiment.subject) != winner.value:
            raise Conflict(
                "changed-since",
                _("What is served was changed again since then."),
                _("Take the later change back first, or leave it."),
            )
        _serve(shop, experiment.subject, experiment.before.get("value"), by)
        _move(experiment, "stopped", decided_at=None, before={})
        Variant.objects.filter(pk=winner.pk).update(is_rolled_out=False)
        _record(experiment, by, "experiment-taken-back")
    return experiment


def forget_exposures(*, days: int | None = None) -> int:
    """Delete what is left of experiments that do not run, and what is older than the retention time; how many rows."""
    limit = timezone.now() - timedelta(days=days or settings.INTERACTION_RETENTION_DAYS)
    gone = Exposure.objects.exclude(experiment__status=Experiment.Status.RUNNING).delete()[0]
    return gone + Exposure.objects.filter(at__lt=limit).delete()[0]


@contextmanager
def _turn(experiment: Experiment, by: Any, target: str) -> Iterator[Merchant]:
    """One change of status under the shop's lock, by somebody who may, from a status that allows it."""
    require_role(by, experiment.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        shop = _locked(experiment)
        if target not in Experiment.TRANSITIONS[experiment.status]:
            raise Conflict(
                "wrong-status",
                _("The experiment is “%(status)s”; this does not follow from it.")
                % {"status": experiment.get_status_display()},
            )
        yield shop


def _locked(experiment: Experiment) -> Merchant:
    """The shop's row, locked until the transaction ends, and the experiment as it is under that lock."""
    shop = Merchant.objects.select_for_update().get(pk=experiment.merchant_id)
    experiment.refresh_from_db()
    return shop


def _move(experiment: Experiment, status: str, **fields: Any) -> None:
    for name, value in {"status": status, **fields}.items():
        setattr(experiment, name, value)
    experiment.save(update_fields=["status", *fields])


def _record(experiment: Experiment, by: Any, action: str, after: dict[str, Any] | None = None) -> None:
    audit.record(
        merchant=experiment.merchant,
        actor=by,
        action=action,
        target=experiment,
        after={"name": experiment.name, **(after or {})},
    )


def _require_free_layer(experiment: Experiment, shop: Merchant) -> None:
    if Experiment.objects.filter(merchant=shop, layer=experiment.layer, status=Experiment.Status.RUNNING).exists():
        raise Conflict(
            "layer-busy",
            _("Another experiment is running on the same part of the page."),
            _("Stop it first: two changes at once would spoil each other."),
        )


def _write_plan(shop: Merchant) -> None:
    """Write what runs into the shop's row, for pages to read."""
    running = Experiment.objects.filter(merchant=shop, status=Experiment.Status.RUNNING).order_by("pk")
    usual = shop.serving.get("usual")
    plans = [
        {
            "id": experiment.pk,
            "key": f"experiment-{experiment.pk}",
            "subject": experiment.subject,
            "variants": [_planned(shop, experiment, variant) for variant in experiment.variants.all()],
        }
        for experiment in running.prefetch_related("variants")
    ]
    _save_serving(shop, {**({"usual": usual} if usual else {}), **({"running": plans} if plans else {})})


def _planned(shop: Merchant, experiment: Experiment, variant: Variant) -> dict[str, Any]:
    planned = {"id": variant.pk, "share": variant.share, "value": variant.value}
    if experiment.subject == "version":
        planned["directory"] = version_of(shop, variant.value).directory
    return planned


def _served(shop: Merchant, subject: str) -> str | None:
    """What everybody gets now: the value that was rolled out, or None for what the shop does by itself."""
    if subject == "version":
        in_use = Recommender.objects.filter(merchant=shop, status=Recommender.Status.DEPLOYED).first()
        return str(in_use.pk) if in_use else None
    return shop.serving.get("usual", {}).get(subject)  # type: ignore[no-any-return]


def _serve(shop: Merchant, subject: str, value: str | None, by: Any) -> str | None:
    """Give everybody this value; what they had before."""
    before = _served(shop, subject)
    if subject == "version":
        if value is not None and value != before:
            fitting.deploy(recommender=version_of(shop, value), by=by)
        return before
    usual = {name: kept for name, kept in shop.serving.get("usual", {}).items() if name != subject}
    if value is not None:
        usual[subject] = value
    rest = {name: kept for name, kept in shop.serving.items() if name != "usual"}
    _save_serving(shop, {**({"usual": usual} if usual else {}), **rest})
    return before


def _save_serving(shop: Merchant, serving: dict[str, Any]) -> None:
    shop.serving = serving
    shop.save(update_fields=["serving"])
