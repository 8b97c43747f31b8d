"""Fits as jobs: from rows to a version in use, on demand and on a schedule, held where they are worse."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils import timezone, translation
from structlog.testing import capture_logs

from catalog.models import Membership
from jobs import lifecycle
from jobs.errors import NotAllowed, UserError
from jobs.tasks import work
from recommend import serving
from recommend.experiments.models import Experiment
from recommend.experiments.services import lifecycle as experiments
from recommend.experiments.services.drafts import Asked
from recommend.models import Interaction, Recommender, RecommenderFit
from recommend.services import fitting, health, shoppers
from recommend.tasks import fit_due_shops
from tests.catalog.factories import MerchantFactory
from tests.recommend.experiments import draft, editor
from tests.recommend.shops import TINY, add_crowd, deploy_fit, open_shop
from tests.styling.factories import person, product_picture

pytestmark = pytest.mark.django_db(transaction=True)


def do(job: RecommenderFit) -> RecommenderFit:
    """The job as a worker does it."""
    RecommenderFit.objects.filter(pk=job.pk).update(settings=TINY.as_dict())
    fence = lifecycle.claim(job.pk, worker="test")
    assert fence is not None
    work(job.pk, fence)
    job.refresh_from_db()
    return job


@pytest.fixture
def shop():
    """Real pictures: a fit looks at them."""
    shop = open_shop(products=0)
    for seed in range(6):
        product_picture(shop.merchant, seed=seed, category=shop.shelves[seed % 2], size=40)
    add_crowd(shop, people=8)
    return shop


def test_a_fit_becomes_the_version_in_use_and_the_next_one_takes_over(shop):
    job = do(fitting.start_fit(merchant=shop.merchant))
    assert (job.status, job.error_message) == ("succeeded", "")
    assert job.result == {"version": 1, "deployed": True, "held": {}}
    assert serving.deployed(shop.merchant).fitted.item_ids.tolist() == [str(p.pk) for p in shop.products()]
    do(fitting.start_fit(merchant=shop.merchant))

    versions = Recommender.objects.filter(merchant=shop.merchant).order_by("version")
    assert [row.status for row in versions] == ["retired", "deployed"]


@pytest.mark.parametrize("events", ["none", "one person", "one product", "the future alone", "the same rating"])
def test_odd_histories_still_give_a_recommender(events):
    shop = open_shop(products=0)
    first = product_picture(shop.merchant, seed=1, category=shop.shelves[0], size=40).product
    second = product_picture(shop.merchant, seed=2, category=shop.shelves[0], size=40).product
    people = [shoppers.grant_consent(merchant=shop.merchant, visitor_id=str(n)) for n in range(3)]
    now = timezone.now()
    rows = {
        "none": [],
        "one person": [(people[0], first, "view", None, now)],
        "one product": [(person_, first, "view", None, now) for person_ in people],
        "the future alone": [(people[0], first, "view", None, now + timedelta(days=9))],
        "the same rating": [(person_, p, "rating", 3.0, now) for person_ in people for p in (first, second)],
    }[events]
    for who, product, kind, value, moment in rows:
        Interaction.objects.create(
            merchant=shop.merchant, shopper=who, product=product, kind=kind, value=value, occurred_at=moment
        )
    assert do(fitting.start_fit(merchant=shop.merchant)).status == "succeeded"


def test_a_shop_without_products_is_told_so():
    with pytest.raises(UserError) as refusal:
        fitting.start_fit(merchant=MerchantFactory())
    assert refusal.value.code == "no-products"


def test_asking_takes_an_editor(shop):
    with pytest.raises(NotAllowed):
        fitting.start_fit(merchant=shop.merchant, by=person(shop.merchant, Membership.Role.VIEWER))


def scored(shop, version: int, ndcg: float, ci: tuple[float, float], status: str = "candidate") -> Recommender:
    return Recommender.objects.create(
        merchant=shop.merchant,
        version=version,
        directory=f"recommenders/{version}",
        status=status,
        metrics={"scores": {"ndcg@10": ndcg, "ci": list(ci)}},
    )


@pytest.mark.parametrize(("ndcg", "ci", "is_held"), [(0.10, (0.08, 0.12), True), (0.16, (0.13, 0.19), False)])
def test_a_version_is_held_only_when_it_is_worse_beyond_its_interval(ndcg, ci, is_held):
    shop = open_shop(products=1)
    scored(shop, 1, 0.17, (0.15, 0.19), "deployed")
    new = scored(shop, 2, ndcg, ci)
    new.held = fitting.reason_to_hold(new)

    assert bool(new.held) is is_held
    if is_held:
        assert new.held_reason == "NDCG@10 0.100 is below 0.170 of version 1 by more than its interval."
        with translation.override("zh-hans"):
            assert "0.100" in new.held_reason


def test_nothing_in_use_or_no_score_holds_nothing_back():
    shop = open_shop(products=1)
    new = scored(shop, 1, 0.01, (0.0, 0.02))
    assert fitting.reason_to_hold(new) == {}
    scored(shop, 2, 0.9, (0.8, 1.0), "deployed")
    new.metrics = {"scores": None}
    assert fitting.reason_to_hold(new) == {}


def test_the_schedule_fits_again_when_enough_has_happened(monkeypatch):
    shop = open_shop(products=4)
    (shopper,) = add_crowd(shop, people=1)
    fit_due_shops()
    assert not RecommenderFit.objects.exists(), "the first fit is a person's decision"
    version = deploy_fit(shop)
    assert not fitting.start_due_fit(merchant=shop.merchant), "nothing new has happened"

    def view() -> None:
        product = shop.products()[0]
        Interaction.objects.create(merchant=shop.merchant, shopper=shopper, product=product, kind="view")

    view()
    assert fitting.freshness(merchant=shop.merchant).new_events == 1
    assert not fitting.start_due_fit(merchant=shop.merchant), "one event can wait"
    monkeypatch.setattr(fitting, "ENOUGH_NEW_EVENTS", 1)
    assert fitting.start_due_fit(merchant=shop.merchant)
    assert not fitting.start_due_fit(merchant=shop.merchant), "one is on its way already"
    RecommenderFit.objects.update(status="succeeded")
    monkeypatch.setattr(fitting, "ENOUGH_NEW_EVENTS", 10)
    Recommender.objects.filter(pk=version.pk).update(created_at=timezone.now() - timedelta(days=2))
    assert fitting.start_due_fit(merchant=shop.merchant), "a day is long enough for one event"


def test_one_shops_error_does_not_end_the_round(monkeypatch):
    shops = [open_shop(products=2) for _ in range(3)]
    for shop in shops:
        deploy_fit(shop)
    asked, looked_over = [], []

    def ask(*, merchant):
        asked.append(merchant.pk)
        if merchant == shops[0].merchant:
            raise RuntimeError("broken rows")
        return True

    def look_over(merchant):
        looked_over.append(merchant.pk)
        if merchant == shops[1].merchant:
            raise RuntimeError("broken counts")

    monkeypatch.setattr(fitting, "start_due_fit", ask)
    monkeypatch.setattr(health, "health_of", look_over)
    with capture_logs() as logs:
        fit_due_shops()

    assert sorted(asked) == [shop.merchant.pk for shop in shops]
    assert sorted(looked_over) == [shop.merchant.pk for shop in shops[1:]]
    failed = {line["merchant"] for line in logs if line["event"] == "recommend.shop_failed"}
    assert failed == {shops[0].merchant.pk, shops[1].merchant.pk}
    assert logs[-1] == {"event": "recommend.fits_asked_for", "count": 2, "log_level": "info"}


def test_everything_that_the_beat_rings_exists():
    names = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"recommend.fit_due", "recommend.learn", "recommend.purge"} <= names <= set(current_app.tasks)


def test_files_of_old_versions_go_and_the_one_in_use_stays(monkeypatch):
    shop = open_shop(products=3)
    versions = [deploy_fit(shop) for _ in range(4)]
    fitting.deploy(recommender=versions[0])
    monkeypatch.setattr(fitting, "KEPT_VERSIONS", 1)

    assert fitting.prune(merchant=shop.merchant) == 2
    there = [(settings.ARTIFACTS_ROOT / row.directory).is_dir() for row in versions]
    assert there == [True, False, False, True]


def test_files_of_versions_on_trial_stay_while_they_run_and_until_there_was_time_to_decide(monkeypatch):
    shop = open_shop(products=3)
    boss = editor(shop.merchant)
    old, other, newest = [deploy_fit(shop) for _ in range(3)]
    experiment = draft(shop, "version", by=boss, variants=[Asked(str(newest.pk), 0.5), Asked(str(old.pk), 0.5)])
    experiments.start(experiment=experiment, by=boss)
    monkeypatch.setattr(fitting, "KEPT_VERSIONS", 1)

    assert fitting.prune(merchant=shop.merchant) == 1
    assert not (settings.ARTIFACTS_ROOT / other.directory).is_dir()
    experiments.stop(experiment=experiment, by=boss)
    assert fitting.prune(merchant=shop.merchant) == 0
    experiments.roll_out(experiment=experiment, variant=experiment.variants.last(), by=boss)
    assert (fitting.prune(merchant=shop.merchant), serving.deployed(shop.merchant).recommender_id) == (0, old.pk)
    Experiment.objects.update(stopped_at=timezone.now() - timedelta(days=31))
    deploy_fit(shop)
    assert fitting.prune(merchant=shop.merchant) == 2


def test_no_version_is_pruned_between_the_check_of_its_files_and_its_first_page(monkeypatch):
    """Both take the shop's lock first: the prune that comes in between sees the experiment running, or runs before it."""
    shop = open_shop(products=3)
    boss = editor(shop.merchant)
    old, newest = [deploy_fit(shop) for _ in range(2)]
    experiment = draft(shop, "version", by=boss, variants=[Asked(str(newest.pk), 0.5), Asked(str(old.pk), 0.5)])
    monkeypatch.setattr(fitting, "KEPT_VERSIONS", 1)
    check, pruned = experiments.version_of, []

    def checked_then_pruned(merchant, value):
        found = check(merchant, value)
        if not pruned:
            pruner = Thread(target=prune_elsewhere)
            pruned.append(pruner)
            pruner.start()
            pruner.join(timeout=0.3)  # it must still be waiting for the lock
            assert pruner.is_alive()
        return found

    def prune_elsewhere():
        try:
            fitting.prune(merchant=shop.merchant)
        finally:
            connection.close()

    monkeypatch.setattr(experiments, "version_of", checked_then_pruned)
    experiments.start(experiment=experiment, by=boss)
    pruned[0].join(timeout=20)

    assert not pruned[0].is_alive()
    assert (settings.ARTIFACTS_ROOT / old.directory).is_dir()


def test_what_an_erased_shopper_did_is_gone_with_the_next_fit(shop):
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id="leaving")
    product = shop.products()[0]
    Interaction.objects.create(merchant=shop.merchant, shopper=shopper, product=product, kind="purchase")
    assert str(shopper.pk) in set(fitting.read_interactions(shop.merchant).users.tolist())
    shoppers.erase(shopper=shopper)

    assert str(shopper.pk) not in set(fitting.read_interactions(shop.merchant).users.tolist())
