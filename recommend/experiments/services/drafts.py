"""Drafts: what is asked for is checked here, before anything of it exists; nothing that shoppers see changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from catalog import audit
from catalog.access import require_role
from catalog.models import Membership, Merchant
from jobs.errors import UserError
from recommend.experiments.metrics import GOALS, METRICS
from recommend.experiments.models import Experiment, Variant
from recommend.experiments.services.planning import plan, usual_of
from recommend.experiments.services.spending import spending_of
from recommend.experiments.subjects import SUBJECTS, layer_of, option_name
from recommend.models import Recommender

MOST_VARIANTS = 4
#: The relative harm that a guard-rail tolerates where nothing else is said.
USUAL_MARGIN = 0.1
LEAST_UPLIFT, MOST_UPLIFT = 0.01, 5.0
MOST_REVENUE = 1e9
#: People on earth, about.
EVERYBODY = 8_000_000_000


@dataclass(frozen=True)
class Asked:
    """One variant as it is asked for."""

    value: str
    share: float
    name: str = ""


def create_experiment(
    *,
    merchant: Merchant,
    by: Any,
    name: str,
    subject: str,
    variants: Sequence[Asked],
    metric: str = "clicked",
    uplift: float = 0.1,
    guardrails: Mapping[str, float] | None = None,
    hypothesis: str = "",
    base_rate: float | None = None,
) -> Experiment:
    """A draft; nothing that shoppers see changes. The first variant is the control. Needs an editor."""
    require_role(by, merchant, Membership.Role.EDITOR)
    guardrails = dict(guardrails or {})
    _check(merchant, name, subject, variants, metric, uplift, guardrails)
    rate = base_rate if base_rate is not None else usual_of(merchant, metric).rate
    if METRICS[metric].in_money:
        if not 0.0001 <= rate <= MOST_REVENUE:
            raise UserError("rate-impossible", _("The revenue per shopper so far is an amount above 0."))
    elif not 0.0001 <= rate <= 0.99:
        raise UserError("rate-impossible", _("The rate so far lies between 0.01 % and 99 %."))
    needed = _needed(merchant, metric, uplift, len(variants), rate)
    with transaction.atomic():
        made = Experiment.objects.create(
            merchant=merchant,
            name=name.strip(),
            hypothesis=hypothesis.strip(),
            subject=subject,
            layer=layer_of(subject),
            metric=metric,
            uplift=uplift,
            base_rate=rate,
            spend=spending_of(merchant).as_fixed(merchant.currency),
            needed=needed,
            guardrails=guardrails,
            created_by=by,
        )
        Variant.objects.bulk_create(
            Variant(
                experiment=made,
                position=position,
                name=asked.name.strip() or setting_name(merchant, subject, asked.value),
                value=asked.value,
                share=asked.share,
            )
            for position, asked in enumerate(variants)
        )
        audit.record(merchant=merchant, actor=by, action="experiment-created", target=made, after={"name": made.name})
    return made


def money_of_now(experiment: Experiment, shop: Merchant) -> dict[str, Any]:
    """The fields of a draft that are amounts, as its start fixes them: a draft may be old, and the currency another one."""
    fields: dict[str, Any] = {"spend": spending_of(shop).as_fixed(shop.currency)}
    if METRICS[experiment.metric].in_money and experiment.spend.get("currency") != shop.currency:
        rate = usual_of(shop, experiment.metric).rate
        count = experiment.variants.count()
        fields |= {"base_rate": rate, "needed": _needed(shop, experiment.metric, experiment.uplift, count, rate)}
    return fields


def _needed(merchant: Merchant, metric: str, uplift: float, variants: int, rate: float) -> int:
    """Shoppers per variant. Raises ``UserError`` (``uplift-impossible``) where there are not so many people."""
    found = plan(merchant, metric=metric, uplift=uplift, variants=variants, base_rate=rate)
    if found.total > EVERYBODY:
        raise UserError(
            "uplift-impossible",
            _("That would take more shoppers than there are people."),
            _("Choose a larger uplift, or a goal that more shoppers reach."),
        )
    return found.per_variant


def setting_name(merchant: Merchant, subject: str, value: str) -> str:
    """A setting in words; of a version its number."""
    if subject == "version":
        row = Recommender.objects.filter(merchant=merchant, pk=value).first() if value.isdecimal() else None
        return _("Version %(version)d") % {"version": row.version} if row else value
    return str(option_name(subject, value))


def _check(
    merchant: Merchant,
    name: str,
    subject: str,
    variants: Sequence[Asked],
    metric: str,
    uplift: float,
    guardrails: Mapping[str, float],
) -> None:
    if not name.strip() or len(name) > 120:
        raise UserError("name-missing", _("An experiment needs a name of at most 120 characters."))
    if subject not in SUBJECTS:
        raise UserError("subject-unknown", _("There is nothing of this name to vary."))
    if metric not in GOALS:
        raise UserError("metric-unknown", _("There is no such goal."))
    if not LEAST_UPLIFT <= uplift <= MOST_UPLIFT:
        raise UserError("uplift-impossible", _("The smallest uplift worth knowing lies between 1 % and 500 %."))
    if not 2 <= len(variants) <= MOST_VARIANTS:
        raise UserError("variants-missing", _("An experiment compares two to four variants."))
    if len({asked.value for asked in variants}) < len(variants):
        raise UserError("variants-alike", _("Two variants are the same."), _("Choose different settings."))
    shares = [asked.share for asked in variants]
    if not all(0.01 <= share <= 1 for share in shares) or sum(shares) > 1 + 1e-9:
        raise UserError("shares-impossible", _("Each variant gets at least 1 %, and all together at most 100 %."))
    if any(len(asked.name) > 80 for asked in variants):
        raise UserError("name-missing", _("A variant's name has at most 80 characters."))
    for code, margin in guardrails.items():
        if code not in METRICS or code == metric or not 0 < margin <= 1:
            raise UserError("guardrail-unknown", _("A guard-rail is another metric with a margin of up to 100 %."))
    if subject == "version":
        for asked in variants:
            version_of(merchant, asked.value)
    elif not {asked.value for asked in variants} <= {option.value for option in SUBJECTS[subject].options}:
        raise UserError("setting-unknown", _("There is no such setting."))


def version_of(merchant: Merchant, value: str) -> Recommender:
    """The fitted version behind a variant, its files there. Raises ``UserError`` (``version-gone``)."""
    row = Recommender.objects.filter(merchant=merchant, pk=value).first() if value.isdecimal() else None
    if row is None or not (settings.ARTIFACTS_ROOT / row.directory).is_dir():
        raise UserError(
            "version-gone", _("This version does not exist, or its files are gone."), _("Choose another one.")
        )
    return row
