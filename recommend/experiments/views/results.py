"""An experiment's page: what is compared, how far it is, who leads by how much, and the one thing to do now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from catalog.access import has_role
from catalog.models import Membership
from catalog.views.doors import found, page, staff_page
from jobs.errors import UserError
from recommend.admin_charts import interval_bar, stacked_bar
from recommend.engine.guardrails import GuardrailReading
from recommend.experiments.amounts import bounds_of, currency_of, level_text
from recommend.experiments.charts import course
from recommend.experiments.metrics import METRICS
from recommend.experiments.models import Experiment, Variant
from recommend.experiments.services import lifecycle, planning
from recommend.experiments.services.preview import previews_of
from recommend.experiments.services.reading import Comparison, Report, VariantOutcome, report_of
from recommend.experiments.services.standing import wanted_of
from recommend.experiments.subjects import SUBJECTS
from recommend.experiments.views.asking import told
from recommend.experiments.views.revenue import revenue_of
from recommend.experiments.views.verdicts import verdict_of

#: Icons and tones of the guard-rails' states.
RAIL_SIGNS = {"safe": ("verified_user", "good"), "harmed": ("dangerous", "bad"), "unclear": ("help", "warn")}


@staff_page
@require_GET
def show(request: HttpRequest, experiment_id: int) -> HttpResponse:
    """The page of one experiment in whatever state it is."""
    experiment = found_experiment(request, experiment_id)
    report = report_of(experiment)
    context = {
        "experiment": experiment,
        "subject": SUBJECTS[experiment.subject],
        "goal": METRICS[experiment.metric],
        "can_change": has_role(request.user, experiment.merchant, Membership.Role.EDITOR),
        "report": report,
        "verdict": verdict_of(experiment, report),
        "progress": _progress(experiment, report),
        "arms": _arms(experiment, report),
        "comparisons": [_comparison(experiment, report, one) for one in report.comparisons],
        "mismatch": _mismatch(report),
        "revenue": revenue_of(experiment, report),
        "uplift": round(100 * experiment.uplift),
    }
    if experiment.status == Experiment.Status.DRAFT:
        context["plan"] = _plan(experiment)
    if experiment.status in {Experiment.Status.DRAFT, Experiment.Status.RUNNING}:
        context |= _previews(experiment)
    return page(request, "experiments/experiment.html", context, title=experiment.name)


@staff_page
@require_POST
def start(request: HttpRequest, experiment_id: int) -> HttpResponse:
    """Divide shoppers from the next page on."""
    done = _("It runs: shoppers are divided from their next page on.")
    return _act(request, found_experiment(request, experiment_id), lifecycle.start, done)


@staff_page
@require_POST
def stop(request: HttpRequest, experiment_id: int) -> HttpResponse:
    """Give everybody the usual pages again."""
    done = _("It is stopped: everybody gets the usual pages again, and the result is kept.")
    return _act(request, found_experiment(request, experiment_id), lifecycle.stop, done)


@staff_page
@require_POST
def undo(request: HttpRequest, experiment_id: int) -> HttpResponse:
    """Take a roll-out back."""
    done = _("The roll-out was taken back.")
    return _act(request, found_experiment(request, experiment_id), lifecycle.undo, done)


@staff_page
@require_POST
def roll_out(request: HttpRequest, variant_id: int) -> HttpResponse:
    """Give everybody a variant; a running experiment is stopped first."""
    variant: Variant = found(Variant.objects.select_related("experiment__merchant"), request, pk=variant_id)
    experiment = variant.experiment

    verb = partial(lifecycle.roll_out, variant=variant)
    return _act(request, experiment, verb, _("Everybody gets “%(variant)s” now.") % {"variant": variant.display_name})


@staff_page
@require_POST
def delete(request: HttpRequest, experiment_id: int) -> HttpResponse:
    """Throw a draft away."""
    experiment = found_experiment(request, experiment_id)
    try:
        lifecycle.delete_draft(experiment=experiment, by=request.user)
    except UserError as error:
        messages.error(request, str(error))
        return redirect("experiments:show", experiment_id=experiment.pk)
    return redirect("admin:experiments_experiment_changelist")


def found_experiment(request: HttpRequest, experiment_id: int) -> Experiment:
    """The experiment that the user may see."""
    rows = Experiment.objects.select_related("merchant").prefetch_related("variants")
    experiment: Experiment = found(rows, request, pk=experiment_id)
    return experiment


def _act(request: HttpRequest, experiment: Experiment, verb: Callable[..., Any], done: str) -> HttpResponse:
    try:
        verb(experiment=experiment, by=request.user)
        messages.success(request, done)
    except UserError as error:
        messages.error(request, str(error))
    return redirect("experiments:show", experiment_id=experiment.pk)


def _progress(experiment: Experiment, report: Report) -> dict[str, Any]:
    """How many of the shoppers that it takes have been seen, and how many days are left."""
    wanted = wanted_of(experiment, report)
    days_left = None
    if experiment.status == Experiment.Status.RUNNING and experiment.started_at and report.shoppers:
        passed = max((timezone.now() - experiment.started_at).total_seconds() / 86_400, 0.5)
        days_left = max(round((wanted - report.shoppers) * passed / report.shoppers), 0)
    return {
        "seen": report.shoppers,
        "wanted": wanted,
        "is_full": report.shoppers >= wanted,
        "percent": min(round(100 * report.shoppers / wanted), 100) if wanted else 0,
        "days_left": days_left,
    }


def _arms(experiment: Experiment, report: Report) -> list[dict[str, Any]]:
    """Each variant's rate with its own interval, on one scale."""
    arms = report.outcomes
    goal = METRICS[experiment.metric]
    bounds = [bounds_of(goal, arm.goal, arm.hits) for arm in arms]
    most = max([high for _low, high in bounds] + [0.01])
    tones = ["blue", "accent", "warn", "good"]
    return [
        {
            "letter": "ABCD"[number],
            "variant": arm.variant,
            "shoppers": arm.shoppers,
            "hits": arm.hits,
            "rate": level_text(goal, arm.rate, currency_of(experiment)) if arm.shoppers else "–",
            "bar": interval_bar(arm.rate, low, high, most=most, tone=tones[number]) if arm.shoppers else "",
            "tone": tones[number],
        }
        for number, (arm, (low, high)) in enumerate(zip(arms, bounds, strict=True))
    ]


def _comparison(experiment: Experiment, report: Report, one: Comparison) -> dict[str, Any]:
    relative = one.relative(report.control)
    readings = [reading for _day, reading in one.course]
    return {
        "variant": one.challenger.variant,
        "uplift": f"{100 * relative[0]:+.0f}%" if relative else "",
        "span": _("between %(low)s and %(high)s")
        % {"low": f"{100 * relative[1]:+.0f}%", "high": f"{100 * relative[2]:+.0f}%"}
        if relative
        else "",
        "p_value": one.goal.p_value,
        "tone": {"better": "good", "worse": "bad"}.get(one.goal.verdict, ""),
        "chart": course(readings, rate=report.control.rate, hoped=experiment.uplift),
        "first": _day(one.course[0][0]) if one.course else None,
        "last": _day(one.course[-1][0]) if one.course else None,
        "waiting": _waiting(experiment, report.control, one),
        "rails": [_rail(rail) for rail in one.guardrails],
    }


def _waiting(experiment: Experiment, control: VariantOutcome, one: Comparison) -> str:
    """Why there is nothing to draw yet."""
    if not METRICS[experiment.metric].in_money:
        return _(
            "There is nothing to draw yet: each way needs at least 30 shoppers who reached the goal, and 30 who did not."
        )
    return _(
        "There is nothing to draw yet: each way needs purchases that weigh as much as 30 equal ones. So far they weigh as "
        "much as %(ours)d and %(theirs)d, since larger orders count for more of the money."
    ) % {"ours": control.goal.outcomes, "theirs": one.challenger.goal.outcomes}


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _rail(rail: GuardrailReading) -> dict[str, Any]:
    icon, tone = RAIL_SIGNS[rail.state]
    texts = {
        "safe": _("not harmed"),
        "harmed": _("harmed"),
        "unclear": _("not sure yet"),
    }
    return {
        "name": METRICS[rail.guardrail.name].name,
        "icon": icon,
        "tone": tone,
        "text": texts[rail.state],
        "accepted": (
            _("up to %(margin)s less is accepted")
            if rail.guardrail.more_is_better
            else _("up to %(margin)s more is accepted")
        )
        % {"margin": f"{100 * rail.guardrail.margin:.0f}%"},
    }


def _mismatch(report: Report) -> dict[str, Any]:
    """How the shoppers were divided, against the plan."""
    arms = report.outcomes
    total, planned = sum(arm.shoppers for arm in arms), sum(arm.variant.share for arm in arms)
    return {
        "alarm": report.ratio.mismatch,
        "bar": stacked_bar(
            [(tone, arm.shoppers) for tone, arm in zip(["blue", "accent", "warn", "good"], arms, strict=False)],
            total=max(total, 1),
        ),
        "shares": [
            (
                "ABCD"[number],
                f"{100 * arm.shoppers / total:.1f}%" if total else "–",
                f"{100 * arm.variant.share / planned:.1f}%",
            )
            for number, arm in enumerate(arms)
        ],
        "p_value": report.ratio.p_value,
    }


def _plan(experiment: Experiment) -> dict[str, Any]:
    """What the draft's answer takes, for the variants and the rate that it has."""
    shares = [variant.share for variant in experiment.variants.all()]
    asked = {
        "taking_part": min(sum(shares), 1.0),
        "variants": len(shares),
        "base_rate": experiment.base_rate,
    }
    found_plan = planning.plan(experiment.merchant, metric=experiment.metric, uplift=experiment.uplift, **asked)
    return told(experiment.merchant, METRICS[experiment.metric], found_plan, **asked)


def _previews(experiment: Experiment) -> dict[str, Any]:
    try:
        found = previews_of(experiment)
    except UserError:  # a version whose files are gone: starting says so
        return {}
    looks = [
        [(item.product.pk, item.rendering.pk if item.rendering else None) for item in one.items]
        for one in found.of_variants
    ]
    return {
        "previews": [("ABCD"[number], one) for number, one in enumerate(found.of_variants)],
        "example": found.shopper,
        "beside": found.beside,
        "alike": all(look == looks[0] for look in looks),
    }
