"""What an experiment's shoppers did: counts by variant and day, cumulated, without anybody in them.

``{"days": ["2026-11-20", …], "variants": {"7": {"shoppers": [12, 31, …], "clicked": [2, 5, …], …}}}``: at the end of
each day, how many shoppers had seen the variant, and how many of them had reached each metric since they first saw it.
Of money ``revenue`` and ``revenue_squares``: the sums over shoppers of what they spent, each up to the experiment's cap,
and of its square; ``purchases`` and ``unpriced``: how many there were, and how many came without an amount. ``"mixed":
true`` beside the variants where the shop's currency was changed meanwhile.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import F, Min, QuerySet
from django.utils import timezone

from recommend.engine.spend import CappedSpend
from recommend.experiments.metrics import METRICS, REVENUE, Metric
from recommend.experiments.models import Experiment, Exposure
from recommend.experiments.services.currency import currency_changed_at
from recommend.models import Interaction

#: A running experiment is counted again after so many seconds.
CACHED_SECONDS = 60
#: A chart needs no more points than this; a longer experiment is drawn every few days.
MOST_DAYS = 400
_OF_MONEY = ("purchases", "unpriced", REVENUE, f"{REVENUE}_squares")


def outcomes_of(experiment: Experiment, *, until: datetime | None = None) -> dict[str, Any]:
    """The counts up to ``until`` (now), or those that were kept when the experiment stopped."""
    if experiment.result:
        return dict(experiment.result)
    if experiment.started_at is None:
        return {"days": [], "variants": {}}
    now = until or timezone.now()
    exposures = Exposure.objects.filter(experiment=experiment, at__lte=now)
    days = _calendar(experiment.started_at, now)
    variants: dict[str, dict[str, list[Any]]] = {str(pk): {} for pk in experiment.variants.values_list("pk", flat=True)}
    belongs: dict[int, str] = {}
    moments: dict[str, list[date]] = {name: [] for name in variants}
    for shopper, variant, at in exposures.values_list("shopper_id", "variant_id", "at"):
        belongs[shopper] = str(variant)
        moments[str(variant)].append(timezone.localdate(at))
    for name, seen in moments.items():
        variants[name]["shoppers"] = _cumulated(seen, days)
    for metric in METRICS.values():
        if metric.in_money:
            continue
        reached: dict[str, list[date]] = {name: [] for name in variants}
        for shopper, first in _first_reached(experiment, metric, now):
            if shopper in belongs:
                reached[belongs[shopper]].append(timezone.localdate(first))
        for name, hits in reached.items():
            variants[name][metric.code] = _cumulated(hits, days)
    if experiment.spend:
        for name, sums in _spend(experiment, belongs, days, now).items():
            variants[name] |= sums
    found = {"days": [day.isoformat() for day in days], "variants": variants}
    return {**found, "mixed": True} if _changed_currency(experiment) else found


def is_mixed(experiment: Experiment, outcomes: Mapping[str, Any]) -> bool:
    """Whether its amounts are of two currencies: while it runs as of now, afterwards as of its end."""
    is_running = experiment.status == Experiment.Status.RUNNING
    return bool(outcomes.get("mixed")) or (is_running and _is_other_currency(experiment))


def _is_other_currency(experiment: Experiment) -> bool:
    return bool(experiment.spend) and experiment.spend["currency"] != experiment.merchant.currency


def _changed_currency(experiment: Experiment) -> bool:
    """Whether it is another one than at the start, or was in between."""
    if not experiment.spend or experiment.started_at is None:
        return False
    changed_at = currency_changed_at(experiment.merchant)
    return _is_other_currency(experiment) or (changed_at is not None and changed_at >= experiment.started_at)


def current_outcomes(experiment: Experiment) -> dict[str, Any]:
    """The same for a page: of a running experiment a minute old at most."""
    if experiment.status != Experiment.Status.RUNNING:
        return outcomes_of(experiment)
    key = f"experiments:outcomes:{experiment.pk}:{experiment.started_at:%s}"
    known: dict[str, Any] | None = cache.get(key)
    if known is None:
        known = outcomes_of(experiment)
        cache.set(key, known, CACHED_SECONDS)
    return known


def _first_reached(experiment: Experiment, metric: Metric, until: datetime) -> Iterable[tuple[int, datetime]]:
    """(shopper, when they first did it after their exposure) of everybody who did."""
    rows = _events_of(experiment, metric, until).order_by().values("shopper_id")
    return rows.annotate(first=Min("occurred_at")).values_list("shopper_id", "first")


def _events_of(experiment: Experiment, metric: Metric, until: datetime) -> QuerySet[Interaction]:
    """What counts for the metric: events of shoppers who take part, since each first saw their variant."""
    since: Any = F("shopper__exposures__at")
    return Interaction.objects.filter(
        merchant_id=experiment.merchant_id,
        kind__in=metric.kinds,
        occurred_at__lte=until,
        shopper__exposures__experiment=experiment,
        occurred_at__gte=since + metric.after if metric.after else since,
    )


def _spend(
    experiment: Experiment, belongs: Mapping[int, str], days: list[date], until: datetime
) -> dict[str, dict[str, list[Any]]]:
    """By variant, the cumulated sums of money: see the module's head."""
    events = _events_of(experiment, METRICS[REVENUE], until).order_by("occurred_at", "pk")
    spent = CappedSpend(experiment.spend["cap"])
    added: dict[str, dict[str, list[tuple[date, float]]]] = {
        variant: {name: [] for name in _OF_MONEY} for variant in set(belongs.values())
    }
    for shopper, at, value in events.values_list("shopper_id", "occurred_at", "value"):
        if shopper not in belongs:
            continue
        more, more_squared = spent.add(shopper, max(value or 0.0, 0.0))
        for name, amount in zip(_OF_MONEY, (1, value is None, more, more_squared), strict=True):
            added[belongs[shopper]][name].append((timezone.localdate(at), amount))
    return {
        variant: {name: _summed(amounts, days) for name, amounts in by_name.items()}
        for variant, by_name in added.items()
    }


def _calendar(first: datetime, last: datetime) -> list[date]:
    start, end = timezone.localdate(first), timezone.localdate(last)
    count = (end - start).days + 1
    step = -(-count // MOST_DAYS)
    days = [start + timedelta(days=number) for number in range(0, count, step)]
    return days if days[-1] == end else [*days, end]


def _summed(amounts: list[tuple[date, float]], days: list[date]) -> list[float]:
    """What the amounts dated at or before each of ``days`` sum to."""
    sums, place, total = [], 0, 0.0
    ordered = sorted(amounts)
    for day in days:
        while place < len(ordered) and ordered[place][0] <= day:
            total += ordered[place][1]
            place += 1
        sums.append(round(total, 2))
    return sums


def _cumulated(moments: list[date], days: list[date]) -> list[int]:
    """How many of the days in ``moments`` lie at or before each of ``days``."""
    ordered = sorted(moments)
    return [bisect_left(ordered, day + timedelta(days=1)) for day in days]
