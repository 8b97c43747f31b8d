"""What is read from the interactions, against counts that are known; and what a start is planned with."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from catalog.services.merchants import change_shop
from jobs.errors import UserError
from recommend.engine.sequential import read, sequential_sample_size, sequential_sample_size_of_means
from recommend.experiments.models import Experiment, Exposure
from recommend.experiments.services import lifecycle, planning
from recommend.experiments.services.drafts import Asked
from recommend.experiments.services.outcomes import outcomes_of
from recommend.experiments.services.reading import report_of
from recommend.experiments.services.spending import spending_of
from recommend.models import Interaction, Shopper
from tests.recommend.experiments import draft, editor, take_part
from tests.recommend.shops import open_shop
from tests.styling.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def shop():
    return open_shop(products=4)


@pytest.fixture
def boss(shop):
    return editor(shop.merchant)


def running(shop, boss, **fields) -> Experiment:
    """An experiment that began ten days ago."""
    experiment = lifecycle.start(experiment=draft(shop, by=boss, **fields), by=boss)
    Experiment.objects.filter(pk=experiment.pk).update(started_at=timezone.now() - timedelta(days=10))
    experiment.refresh_from_db()
    return experiment


def test_counts_are_of_shoppers_after_they_first_saw_their_variant_by_day(shop, boss):
    experiment = running(shop, boss)
    control, challenger = experiment.variants.all()
    take_part(shop, experiment, control, count=6, clicking=4, days_ago=5, mark="early")
    take_part(shop, experiment, control, count=2, clicking=1, days_ago=1, mark="late")
    (one, two, *_others) = take_part(shop, experiment, challenger, count=3, clicking=1, days_ago=5)
    at = Exposure.objects.get(shopper=one).at
    product = shop.products()[1]
    for shopper, kind, moment in (
        (one, "click", at + timedelta(hours=2)),  # a second click of the same shopper
        (two, "click", at - timedelta(minutes=1)),  # before they saw it
        (two, "view", at + timedelta(days=2)),  # came back
        (two, "purchase", at + timedelta(days=2)),
    ):
        Interaction.objects.create(
            merchant=shop.merchant, shopper=shopper, product=product, kind=kind, occurred_at=moment
        )

    found = outcomes_of(experiment)
    assert len(found["days"]) == 11
    of_control, of_challenger = found["variants"][str(control.pk)], found["variants"][str(challenger.pk)]
    assert of_control["shoppers"][:5] == [0] * 5
    assert (of_control["shoppers"][5], of_control["shoppers"][-1]) == (6, 8)
    assert (of_control["clicked"][6], of_control["clicked"][-1]) == (4, 5)
    assert of_challenger["clicked"][-1] == 1
    assert of_challenger["bought"][-1] == 1
    assert of_challenger["returned"][-1] == 1


def buy(shop, shopper, amount: float | None, *, hours: float = 1) -> None:
    """So long after their exposure."""
    at = Exposure.objects.get(shopper=shopper).at + timedelta(hours=hours)
    Interaction.objects.create(
        merchant=shop.merchant,
        shopper=shopper,
        product=shop.products()[0],
        kind="purchase",
        value=amount,
        occurred_at=at,
    )


def test_revenue_is_what_shoppers_spent_after_their_exposure_each_up_to_the_cap_fixed_before(shop, boss):
    experiment = running(shop, boss)  # prices 10 to 13: ten usual ones are 115, rounded up
    assert experiment.spend == {"cap": 120.0, "mean": 0.05 * 11.5, "currency": shop.merchant.currency}
    control, challenger = experiment.variants.all()
    ours = take_part(shop, experiment, control, count=4, clicking=0, days_ago=5)
    (whale, *_others) = take_part(shop, experiment, challenger, count=2, clicking=0, days_ago=5)
    buy(shop, ours[0], 30.0)
    buy(shop, ours[0], 20.0, hours=50)
    buy(shop, ours[1], 10.5)
    buy(shop, ours[2], 99.0, hours=-1)  # before they saw it
    buy(shop, ours[3], None)
    buy(shop, whale, 90.0)
    buy(shop, whale, 5_000.0, hours=50)
    found = outcomes_of(experiment)["variants"]

    of_control, of_challenger = found[str(control.pk)], found[str(challenger.pk)]
    assert (of_control["revenue"][5:8], of_control["revenue"][-1]) == ([40.5, 40.5, 60.5], 60.5)
    assert (of_control["revenue_squares"][5], of_control["revenue_squares"][-1]) == (1010.25, 50**2 + 10.5**2)
    assert (of_control["purchases"][-1], of_control["unpriced"][-1], of_control["bought"][-1]) == (4, 1, 3)
    assert (of_challenger["revenue"][-1], of_challenger["revenue_squares"][-1]) == (120.0, 120.0**2)
    report = report_of(experiment)
    assert (report.purchases, report.unpriced) == (6, 1)
    assert (report.control.revenue.mean, report.comparisons[0].challenger.revenue.mean) == (60.5 / 4, 60.0)
    assert report.comparisons[0].revenue.verdict == "too early"


def test_more_revenue_is_shipped_as_a_goal_and_less_is_harm_as_a_guardrail(shop, boss):
    by_revenue = running(shop, boss, metric="revenue", uplift=0.5, base_rate=5.0)
    by_clicks = running(shop, boss, subject="rendering", uplift=0.5, base_rate=0.2, guardrails={"revenue": 0.1})
    assert by_revenue.base_rate == 5.0
    by_clicks.spend["mean"] = 20.0  # as of a shop that has measured it
    by_clicks.save()
    for experiment, amounts in ((by_revenue, (20.0, 50.0)), (by_clicks, (100.0, 5.0))):
        for variant, amount, clicking in zip(experiment.variants.all(), amounts, (80, 200), strict=True):
            people = take_part(shop, experiment, variant, count=400, clicking=clicking, mark=experiment.subject)
            Interaction.objects.bulk_create(
                Interaction(
                    merchant=shop.merchant, shopper=one, product=shop.products()[0], kind="purchase", value=amount
                )
                for one in people[:100]
            )
    report = report_of(by_revenue)
    assert (report.control.rate, report.comparisons[0].challenger.rate) == (5.0, 12.5)
    assert (report.control.hits, report.conclusion) == (100, "ship")
    report = report_of(by_clicks)
    assert report.comparisons[0].goal.verdict == "better"
    assert (report.comparisons[0].guardrails[0].state, report.comparisons[0].revenue.verdict) == ("harmed", "worse")
    assert report.conclusion == "stop"


def test_revenue_is_planned_with_what_the_shops_buyers_spent(shop):
    people = Shopper.objects.bulk_create(
        Shopper(merchant=shop.merchant, pseudonym=f"2026q4:{n}", last_seen_at=timezone.now()) for n in range(400)
    )
    product = shop.products()[0]
    Interaction.objects.bulk_create(
        Interaction(merchant=shop.merchant, shopper=person, product=product, kind="purchase", value=40.0)
        for person in people[:100]
    )
    found = planning.plan(shop.merchant, metric="revenue", uplift=0.25)

    assert (found.usual.rate, found.usual.variance, found.usual.is_measured) == (10.0, 300.0, True)
    assert found.per_variant == sequential_sample_size_of_means(mean=10, variance=300, relative_uplift=0.25)


def test_two_experiments_of_one_shopper_are_counted_apart(shop, boss):
    first, second = running(shop, boss), running(shop, boss, subject="rendering")
    (shopper,) = take_part(shop, first, first.variants.first(), count=1, clicking=1, days_ago=3)
    Exposure.objects.create(
        experiment=second, variant=second.variants.first(), shopper=shopper, at=timezone.now() - timedelta(days=1)
    )

    assert outcomes_of(first)["variants"][str(first.variants.first().pk)]["clicked"][-1] == 1
    assert outcomes_of(second)["variants"][str(second.variants.first().pk)]["clicked"][-1] == 0


def test_a_clear_winner_that_harms_nothing_is_to_be_shipped(shop, boss):
    experiment = running(shop, boss, uplift=0.5, base_rate=0.2, guardrails={"bagged": 0.9})
    control, challenger = experiment.variants.all()
    for variant, clicking in ((control, 80), (challenger, 200)):
        take_part(shop, experiment, variant, count=400, clicking=clicking)
        product = shop.products()[0]
        people = Shopper.objects.filter(exposures__variant=variant).order_by("-pk")[:200]
        Interaction.objects.bulk_create(
            Interaction(merchant=shop.merchant, shopper=person, product=product, kind="add_to_cart")
            for person in people
        )
    report = report_of(experiment)

    (comparison,) = report.comparisons
    assert (report.control.rate, comparison.challenger.rate) == (0.2, 0.5)
    assert comparison.goal.verdict == "better"
    assert comparison.guardrails[0].state == "safe"
    assert report.conclusion == "ship"
    assert report.best == comparison
    middle, low, high = comparison.relative(report.control)
    assert middle == pytest.approx(1.5)
    assert 0 < low < 1.5 < high


def test_a_split_that_is_not_as_planned_outweighs_the_result(shop, boss):
    experiment = running(shop, boss, uplift=0.5, base_rate=0.2)
    control, challenger = experiment.variants.all()
    take_part(shop, experiment, control, count=400, clicking=80)
    take_part(shop, experiment, challenger, count=300, clicking=200)
    report = report_of(experiment)

    assert report.ratio.mismatch
    assert report.conclusion == "distrust"


def test_few_shoppers_give_no_verdict_and_none_at_all_no_error(shop, boss):
    experiment = running(shop, boss)
    assert report_of(experiment).conclusion == "continue"
    assert report_of(draft(shop, by=boss)).comparisons[0].goal.verdict == "too early"
    take_part(shop, experiment, experiment.variants.last(), count=5, clicking=5)
    cache.clear()

    assert report_of(experiment).comparisons[0].goal.verdict == "too early"


def test_a_plan_counts_with_the_shops_own_rate_and_traffic(shop):
    people = Shopper.objects.bulk_create(
        Shopper(merchant=shop.merchant, pseudonym=f"2026q4:{n}", last_seen_at=timezone.now()) for n in range(280)
    )
    product = shop.products()[0]
    Interaction.objects.bulk_create(
        Interaction(merchant=shop.merchant, shopper=person, product=product, kind="click") for person in people[:56]
    )
    found = planning.plan(shop.merchant, metric="clicked", uplift=0.25, taking_part=0.5)

    assert (found.usual.rate, found.usual.per_day, found.usual.is_measured) == (0.2, 10.0, True)
    assert found.per_variant == sequential_sample_size(base_rate=0.2, relative_uplift=0.25)
    assert found.total == 2 * found.per_variant
    assert found.days == -(-found.total // 5)


def test_a_shop_without_shoppers_is_planned_with_a_usual_rate_and_no_days(shop):
    found = planning.plan(shop.merchant, metric="clicked", uplift=0.2)

    assert (found.usual.rate, found.usual.is_measured, found.days) == (planning.ASSUMED_RATE, False, None)
    with pytest.raises(UserError) as refused:
        planning.plan(shop.merchant, metric="clicked", uplift=4.0, base_rate=0.5)
    assert refused.value.code == "uplift-impossible"


def buyers(shop, count: int, amount: float | None, *, others: int = 0, at=None, mark: str = "") -> None:
    """So many shoppers of late who spent this, and others who bought nothing."""
    at = at or timezone.now()
    people = Shopper.objects.bulk_create(
        Shopper(merchant=shop.merchant, pseudonym=f"2026q4:{mark}{n}", last_seen_at=at) for n in range(count + others)
    )
    Interaction.objects.bulk_create(
        Interaction(
            merchant=shop.merchant,
            shopper=one,
            product=shop.products()[0],
            kind="purchase",
            value=amount,
            occurred_at=at,
        )
        for one in people[:count]
    )


@pytest.mark.parametrize(("amount", "cap"), [(20.0, 20.0), (0.0, 120.0), (-5.0, 120.0)])
def test_buyers_who_all_spent_the_same_or_nothing_are_planned_with_what_is_usual(shop, amount, cap):
    usual = planning.plan(shop.merchant, metric="revenue", uplift=0.1)
    cache.clear()
    buyers(shop, 120, amount)
    found = planning.plan(shop.merchant, metric="revenue", uplift=0.1)

    assert (found.usual.is_measured, found.usual.rate, found.per_variant) == (
        False,
        usual.usual.rate,
        usual.per_variant,
    )
    assert spending_of(shop.merchant).cap == cap


def test_an_amount_below_nothing_takes_nothing_from_the_others(shop):
    buyers(shop, 100, 40.0, others=300)
    Interaction.objects.create(
        merchant=shop.merchant,
        shopper=Shopper.objects.first(),
        product=shop.products()[0],
        kind="purchase",
        value=-30.0,
    )

    assert spending_of(shop.merchant).mean == 10.0


def test_amounts_of_before_the_currency_was_changed_are_not_added_up(shop):
    owner = person(shop.merchant, "owner")
    buyers(shop, 150, 4_000.0, others=50, at=timezone.now() - timedelta(days=3), mark="before")
    change_shop(merchant=shop.merchant, by=owner, currency="JPY")
    found = spending_of(shop.merchant)
    assert (found.is_measured, found.purchases, found.cap) == (False, 0, 120.0)
    cache.clear()
    buyers(shop, 100, 30.0, others=200, mark="since")
    found = spending_of(shop.merchant)

    assert (found.is_measured, found.mean, found.cap, found.is_since_change) == (True, 10.0, 30.0, True)


@pytest.mark.parametrize("metric", ["revenue", "clicked"])
def test_a_draft_of_another_currency_starts_with_the_amounts_of_this_one(shop, boss, metric):
    experiment = draft(shop, by=boss, metric=metric, base_rate=0.9)
    needed = experiment.needed
    change_shop(merchant=shop.merchant, by=person(shop.merchant, "owner"), currency="JPY")
    buyers(shop, 100, 30.0, others=200)
    lifecycle.start(experiment=experiment, by=boss)
    experiment = Experiment.objects.get()

    assert experiment.spend == {"cap": 30.0, "mean": 10.0, "currency": "JPY"}
    assert experiment.base_rate == (10.0 if metric == "revenue" else 0.9)
    assert (experiment.needed == needed) == (metric == "clicked")
    assert not report_of(experiment).is_mixed


@pytest.mark.parametrize(
    ("fields", "conclusion"),
    [
        ({"metric": "revenue", "base_rate": 5.0}, "distrust"),
        ({"base_rate": 0.2, "guardrails": {"revenue": 0.9}}, "distrust"),
        ({"base_rate": 0.2}, "ship"),
    ],
)
def test_nothing_is_shipped_for_money_of_two_currencies_even_where_it_was_changed_back(shop, boss, fields, conclusion):
    experiment = running(shop, boss, uplift=0.5, **fields)
    for variant, amount, clicking in zip(experiment.variants.all(), (20.0, 50.0), (80, 200), strict=True):
        people = take_part(shop, experiment, variant, count=400, clicking=clicking)
        for one in people[:100]:
            buy(shop, one, amount)
    assert report_of(experiment).conclusion == "ship"
    owner, before = person(shop.merchant, "owner"), shop.merchant.currency
    change_shop(merchant=shop.merchant, by=owner, currency="JPY")
    change_shop(merchant=shop.merchant, by=owner, currency=before)
    cache.clear()
    experiment.refresh_from_db()
    report = report_of(experiment)
    assert (report.is_mixed, report.conclusion) == (True, conclusion)
    lifecycle.stop(experiment=experiment, by=boss)
    report = report_of(Experiment.objects.get())

    assert (report.is_mixed, report.conclusion) == (True, conclusion)


def test_a_change_of_currency_after_the_end_spoils_nothing(shop, boss):
    experiment = lifecycle.stop(experiment=running(shop, boss), by=boss)
    change_shop(merchant=shop.merchant, by=person(shop.merchant, "owner"), currency="JPY")

    assert not report_of(Experiment.objects.get(pk=experiment.pk)).is_mixed


@pytest.mark.parametrize("metric", ["revenue", "clicked"])
def test_the_same_money_is_read_once_and_as_strictly_as_the_goal(shop, boss, metric):
    variants = [Asked(value, 0.3) for value in ("learned", "own-share", "original")]
    experiment = draft(shop, "rendering", by=boss, metric=metric, uplift=0.3, variants=variants)
    spent = {"shoppers": [10_000], "bought": [500], "clicked": [500], "purchases": [500], "unpriced": [0]}
    totals = (10_000.0, 12_750.0, 10_000.0)
    experiment.result = {
        "days": ["2026-11-20"],
        "variants": {
            str(variant.pk): {**spent, "revenue": [total], "revenue_squares": [total**2 / 500 * 1.5]}
            for variant, total in zip(experiment.variants.all(), totals, strict=True)
        },
    }
    experiment.spend["mean"] = experiment.base_rate = 1.0
    report = report_of(experiment)
    one = report.comparisons[0]
    read_at = {
        alpha: read(report.control.revenue, one.challenger.revenue, smallest_effect=0.3, alpha=alpha)
        for alpha in (0.05, 0.025)
    }

    assert [read_at[alpha].verdict for alpha in (0.05, 0.025)] == ["better", "undecided"]
    assert one.revenue == read_at[0.025]
    assert (one.revenue is one.goal) == (metric == "revenue")


def test_a_purchase_late_in_the_evening_counts_on_the_day_that_it_is_where_the_shop_is(shop, boss):
    experiment = running(shop, boss)
    (shopper,) = take_part(shop, experiment, experiment.variants.first(), count=1, clicking=0, days_ago=5)
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    Interaction.objects.create(
        merchant=shop.merchant,
        shopper=shopper,
        product=shop.products()[0],
        kind="purchase",
        value=30.0,
        occurred_at=midnight - timedelta(days=2, hours=1),  # 23:00 UTC, 07:00 on the next day in Shanghai
    )
    days = {}
    for zone in ("UTC", "Asia/Shanghai"):
        with timezone.override(zone):
            found = outcomes_of(experiment)
            by_day = found["variants"][str(experiment.variants.first().pk)]
            days[zone] = {
                name: found["days"][by_day[name].index(30.0 if name == "revenue" else 1)]
                for name in by_day
                if name in {"revenue", "purchases", "bought"}
            }

    utc, shanghai = ((midnight - timedelta(days=ago)).date().isoformat() for ago in (3, 2))
    assert set(days["UTC"].values()) == {utc}
    assert set(days["Asia/Shanghai"].values()) == {shanghai}


def test_more_shoppers_than_a_small_integer_holds_are_kept_and_more_than_there_are_people_refused(shop, boss):
    made = draft(shop, by=boss, base_rate=0.0001, uplift=0.01)
    made.refresh_from_db()
    assert made.needed == sequential_sample_size(base_rate=0.0001, relative_uplift=0.01) > 2**31
    with pytest.raises(UserError) as refused:
        draft(shop, "rendering", by=boss, base_rate=0.0001, uplift=0.01, variants=[
            Asked(value, 0.3) for value in ("learned", "own-share", "original")
        ])  # fmt: skip

    assert refused.value.code == "uplift-impossible"
