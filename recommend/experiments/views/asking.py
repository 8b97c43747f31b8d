"""A new experiment: one form, and what an answer would take, told while it is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from catalog.access import has_role
from catalog.models import Membership, Merchant
from catalog.views.doors import found, page, staff_json, staff_page
from jobs.errors import UserError
from recommend.admin_views.doors import shops_of
from recommend.experiments.amounts import level_text
from recommend.experiments.forms import ExperimentForm
from recommend.experiments.metrics import GOALS, METRICS, Metric
from recommend.experiments.services import drafts, lifecycle, planning
from recommend.experiments.services.spending import spending_of
from recommend.experiments.subjects import LAYERS, SUBJECTS

#: Days that are drawn one by one; what takes longer is told in words.
DRAWN_DAYS = 84
#: From here on an experiment takes longer than a season, and the shop will have changed meanwhile.
LONG_DAYS = 60
ENDLESS_DAYS = 365


@staff_page
def new(request: HttpRequest) -> HttpResponse:
    """The form; POST makes a draft, and starts it at once where that was asked for."""
    shops, shop = shops_of(request)
    if shop is None:
        return page(request, "recommend/no_shop.html", {}, title=_("New experiment"))
    form = ExperimentForm(request.POST or None, merchant=shop)
    if request.method == "POST" and form.is_valid():
        create = lifecycle.begin if "start" in request.POST else drafts.create_experiment
        try:
            made = create(
                merchant=shop,
                by=request.user,
                name=form.cleaned_data["name"],
                hypothesis=form.cleaned_data["hypothesis"],
                subject=form.cleaned_data["subject"],
                variants=form.asked(),
                metric=form.cleaned_data["metric"],
                uplift=form.cleaned_data["uplift"] / 100,
                guardrails=form.guarded(),
            )
            return redirect("experiments:show", experiment_id=made.pk)
        except UserError as error:
            form.add_error(None, str(error))
    context = {
        "shops": shops,
        "shop": shop,
        "form": form,
        "subjects": [_subject(form, code) for code in SUBJECTS if code in form.choices],
        "no_versions": "version" not in form.choices,
        "goals": [(METRICS[code], form["metric"].value() == code) for code in GOALS],
        "rails": [(metric, code in (form["guardrails"].value() or [])) for code, metric in METRICS.items()],
        "can_create": has_role(request.user, shop, Membership.Role.EDITOR),
    }
    return page(request, "experiments/new.html", context, title=_("New experiment"))


def _subject(form: ExperimentForm, code: str) -> dict[str, Any]:
    subject = SUBJECTS[code]
    sides = [
        (label, f"{code}_{side}", [(*option, option[0] == form[f"{code}_{side}"].value()) for option in options])
        for label, side in ((_("A: as now"), "a"), (_("B: instead"), "b"))
        for options in [form.choices[code]]
    ]
    return {
        "subject": subject,
        "layer": LAYERS[subject.layer],
        "chosen": form["subject"].value() == code,
        "sides": sides,
    }


@staff_json
@require_GET
def plan(request: HttpRequest, merchant_id: int) -> HttpResponse:
    """What the form's live part asks for: shoppers and days until the uplift would show."""
    shop = found(Merchant.objects.all(), request, pk=merchant_id)
    metric = request.GET.get("metric", "")
    uplift, taking_part = _percent(request.GET.get("uplift", "")), _percent(request.GET.get("taking_part", ""))
    if metric not in GOALS or uplift is None or taking_part is None:
        raise UserError("plan-unreadable", _("Choose a goal and an uplift."))
    found_plan = planning.plan(shop, metric=metric, uplift=uplift, taking_part=min(taking_part, 1.0))
    return JsonResponse(told(shop, METRICS[metric], found_plan, taking_part=min(taking_part, 1.0)))


def told(shop: Merchant, goal: Metric, found_plan: planning.Plan, **asked: Any) -> dict[str, Any]:
    """A plan in words, what would be sooner where it is long, and the days to draw.

    ``asked``: what the plan was asked with beside the goal and the uplift (see ``planning.plan``).
    """
    days = found_plan.days
    if days is None:
        when = _("Nobody has agreed to be personal yet, so there is no telling how long that takes.")
    elif days > ENDLESS_DAYS:
        when = _("That is more than a year at your traffic.")
    else:
        when = ngettext("That is about %(n)d day at your traffic.", "That is about %(n)d days at your traffic.", days)
        when = when % {"n": days}
    return {
        "shoppers": _("about %(n)s shoppers") % {"n": f"{found_plan.total:,}"},
        "when": when,
        "basis": _basis(shop, goal, found_plan.usual),
        "advice": _sooner(shop, goal, asked) if days is not None and days > LONG_DAYS else "",
        "days": days,
        "drawn": min(days or 0, DRAWN_DAYS),
    }


def _sooner(shop: Merchant, goal: Metric, asked: Mapping[str, Any]) -> str:
    """What to ask instead of a question that takes too long."""
    reachable = planning.reachable_uplift(shop, metric=goal.code, **asked)
    if reachable is None:
        return _("That is long: the shop will have changed. A goal that more shoppers reach is sooner.")
    return _(
        "That is long: the shop will have changed. In eight weeks your traffic can show a rise of %(uplift)s or more; "
        "smaller ones need a goal that more shoppers reach."
    ) % {"uplift": f"{100 * reachable:.0f}%"}


def _basis(shop: Merchant, goal: Metric, usual: planning.Usual) -> str:
    """What the plan counts with; where that is no measurement, what makes it one."""
    level = {"rate": level_text(goal, usual.rate, shop.currency)}
    if not goal.in_money:
        if usual.is_measured:
            return _("Of your shoppers of the last four weeks, %(rate)s reached the goal.") % level
        return (
            _("Too few shoppers reached this goal of late to measure it; a usual rate of %(rate)s is assumed.") % level
        )
    spending = spending_of(shop)
    if usual.is_measured and spending.is_since_change:
        return _("Since the shop's currency was changed, your shoppers spent %(rate)s each on average.") % level
    if usual.is_measured:
        return _("Your shoppers of the last four weeks spent %(rate)s each on average.") % level
    assumed = _("Too few buyers to measure what shoppers spend; %(rate)s each is assumed.") % level
    if not spending.unpriced:
        return assumed
    return " ".join([assumed, _("Purchases came without an amount: send “value” with each over the API.")])


def _percent(text: str) -> float | None:
    """A share written in percent; None for what is none."""
    try:
        value = float(text[:8]) / 100
    except ValueError:
        return None
    return value if 0 < value <= drafts.MOST_UPLIFT else None
