"""Create, start, stop, roll out, take back: who may, in which order, and what shoppers are served then."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from catalog.models import AuditEntry, Merchant
from jobs.errors import Conflict, NotAllowed, UserError
from recommend.experiments.models import Experiment
from recommend.experiments.services import lifecycle
from recommend.experiments.services.drafts import Asked
from recommend.experiments.treatment import treatment_of
from recommend.services import fitting
from tests.recommend.experiments import draft, editor, take_part
from tests.recommend.shops import deploy_fit, open_fitted_shop, open_shop
from tests.styling.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return open_shop(products=4)


@pytest.fixture
def boss(shop):
    return editor(shop.merchant)


def served(shop):
    """How everybody's pages are made."""
    shop.merchant.refresh_from_db()
    return treatment_of(shop.merchant, None)


def test_the_winner_is_rolled_out_in_one_step_and_taken_back_in_another(shop, boss):
    experiment = lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    lifecycle.stop(experiment=experiment, by=boss)
    challenger = experiment.variants.last()
    assert served(shop).strategy == "personal"

    lifecycle.roll_out(experiment=experiment, variant=challenger, by=boss)
    assert served(shop).strategy == "popular"
    assert Experiment.objects.get().status == "decided"
    assert Experiment.objects.get().winner == challenger

    lifecycle.undo(experiment=experiment, by=boss)
    assert shop.merchant.__class__.objects.get().serving == {}
    assert served(shop).strategy == "personal"
    assert Experiment.objects.get().status == "stopped"
    assert Experiment.objects.get().winner is None
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "experiment-created",
        "experiment-started",
        "experiment-stopped",
        "experiment-rolled-out",
        "experiment-taken-back",
    ]


def test_rolling_out_a_version_deploys_it_and_taking_it_back_the_one_before():
    shop = open_fitted_shop(products=8)
    boss = editor(shop.merchant)
    old = shop.merchant.recommenders.get()
    new = deploy_fit(shop)
    asked = [Asked(str(new.pk), 0.5), Asked(str(old.pk), 0.5)]
    experiment = draft(shop, "version", by=boss, variants=asked)
    lifecycle.start(experiment=experiment, by=boss)
    lifecycle.stop(experiment=experiment, by=boss)
    in_use = shop.merchant.recommenders.filter(status="deployed")

    lifecycle.roll_out(experiment=experiment, variant=experiment.variants.last(), by=boss)
    assert in_use.get() == old
    lifecycle.undo(experiment=experiment, by=boss)
    assert in_use.get() == new


def test_one_experiment_runs_per_layer_and_shop_and_the_database_says_so_too(shop, boss):
    first, second, other = draft(shop, by=boss), draft(shop, "diversity", by=boss), draft(shop, "rendering", by=boss)
    lifecycle.start(experiment=first, by=boss)
    lifecycle.start(experiment=other, by=boss)
    with pytest.raises(Conflict, match="same part of the page"):
        lifecycle.start(experiment=second, by=boss)
    with pytest.raises(IntegrityError), transaction.atomic():
        Experiment.objects.filter(pk=second.pk).update(status="running")
    neighbour = open_shop(products=2)
    lifecycle.start(experiment=draft(neighbour), by=editor(neighbour.merchant))

    assert Experiment.objects.filter(status="running").count() == 3


def test_nothing_is_rolled_out_or_taken_back_under_a_running_experiment_of_the_same_layer(shop, boss):
    first = lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    lifecycle.stop(experiment=first, by=boss)
    lifecycle.start(experiment=draft(shop, "diversity", by=boss), by=boss)

    with pytest.raises(Conflict, match="same part of the page"):
        lifecycle.roll_out(experiment=first, variant=first.variants.last(), by=boss)


def test_what_was_changed_again_since_is_not_taken_back(shop, boss):
    first, second = draft(shop, by=boss), draft(shop, by=boss)
    for experiment, place in ((first, 1), (second, 0)):
        lifecycle.start(experiment=experiment, by=boss)
        lifecycle.stop(experiment=experiment, by=boss)
        lifecycle.roll_out(experiment=experiment, variant=experiment.variants.all()[place], by=boss)

    with pytest.raises(Conflict, match="changed again"):
        lifecycle.undo(experiment=first, by=boss)
    lifecycle.undo(experiment=second, by=boss)
    assert served(shop).strategy == "popular"


def test_a_start_that_is_refused_leaves_nothing_behind(shop, boss):
    lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    shop.merchant.refresh_from_db()
    before = shop.merchant.serving
    with pytest.raises(Conflict, match="same part of the page"):
        lifecycle.begin(
            merchant=shop.merchant,
            by=boss,
            name="Second",
            subject="diversity",
            variants=[Asked("usual", 0.5), Asked("much", 0.5)],
        )

    assert [row.name for row in Experiment.objects.all()] == ["Try strategy"]
    assert list(AuditEntry.objects.values_list("action", flat=True)).count("experiment-created") == 1
    shop.merchant.refresh_from_db()
    assert shop.merchant.serving == before


def test_a_running_experiment_is_stopped_and_its_winner_rolled_out_together(shop, boss):
    experiment = lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    lifecycle.roll_out(experiment=experiment, variant=experiment.variants.last(), by=boss)

    assert (served(shop).strategy, experiment.status) == ("popular", "decided")
    assert "running" not in shop.merchant.serving
    assert experiment.result["variants"]


def test_a_roll_out_that_is_refused_leaves_the_experiment_running_and_its_shoppers_in_it():
    shop = open_fitted_shop(products=8)
    boss = editor(shop.merchant)
    old = shop.merchant.recommenders.get()
    new = deploy_fit(shop)
    asked = [Asked(str(new.pk), 0.5), Asked(str(old.pk), 0.5)]
    experiment = lifecycle.start(experiment=draft(shop, "version", by=boss, variants=asked), by=boss)
    take_part(shop, experiment, experiment.variants.last(), count=3, clicking=1)
    shop.merchant.refresh_from_db()
    before = shop.merchant.serving
    shutil.rmtree(settings.ARTIFACTS_ROOT / old.directory)
    with pytest.raises(UserError) as refused:
        lifecycle.roll_out(experiment=experiment, variant=experiment.variants.last(), by=boss)

    assert refused.value.code == "version-gone"
    experiment = Experiment.objects.get()
    assert (experiment.status, experiment.result, experiment.exposures.count()) == ("running", {}, 3)
    shop.merchant.refresh_from_db()
    assert shop.merchant.serving == before
    assert shop.merchant.recommenders.get(status="deployed") == new


@pytest.mark.parametrize("verb", ["start", "stop", "undo"])
def test_an_experiment_goes_through_its_states_in_order(shop, boss, verb):
    experiment = draft(shop, by=boss)
    lifecycle.start(experiment=experiment, by=boss)
    if verb != "start":
        lifecycle.stop(experiment=experiment, by=boss)

    with pytest.raises(Conflict):
        getattr(lifecycle, verb)(experiment=experiment, by=boss)


def test_a_draft_can_be_thrown_away_and_nothing_that_ran(shop, boss):
    ran, never = draft(shop, by=boss), draft(shop, by=boss)
    lifecycle.start(experiment=ran, by=boss)
    lifecycle.delete_draft(experiment=never, by=boss)

    with pytest.raises(Conflict, match="Only a draft"):
        lifecycle.delete_draft(experiment=ran, by=boss)
    assert list(Experiment.objects.all()) == [ran]


def test_a_reviewer_looks_and_an_editor_acts(shop, boss):
    reviewer = person(shop.merchant, "reviewer")
    experiment = draft(shop, by=boss)

    for verb in (lifecycle.start, lifecycle.stop, lifecycle.undo, lifecycle.delete_draft):
        with pytest.raises(NotAllowed):
            verb(experiment=experiment, by=reviewer)
    with pytest.raises(NotAllowed):
        draft(shop, by=reviewer)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "  "}, "name-missing"),
        ({"variants": [Asked("personal", 1.0)]}, "variants-missing"),
        ({"variants": [Asked("personal", 0.5), Asked("personal", 0.5)]}, "variants-alike"),
        ({"variants": [Asked("personal", 0.7), Asked("popular", 0.5)]}, "shares-impossible"),
        ({"variants": [Asked("personal", 0.5), Asked("upside-down", 0.5)]}, "setting-unknown"),
        ({"metric": "disliked"}, "metric-unknown"),
        ({"uplift": 0.0}, "uplift-impossible"),
        ({"uplift": 4.0, "base_rate": 0.5}, "uplift-impossible"),
        ({"base_rate": 0.0}, "rate-impossible"),
        ({"guardrails": {"clicked": 0.1}}, "guardrail-unknown"),
        ({"guardrails": {"bought": 0.0}}, "guardrail-unknown"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_words(shop, boss, change, code):
    with pytest.raises(UserError) as refused:
        draft(shop, by=boss, **change)

    assert refused.value.code == code
    assert not Experiment.objects.exists()


def test_another_shops_version_cannot_be_tried(shop, boss):
    foreign = open_fitted_shop(products=8)
    version = foreign.merchant.recommenders.get()
    asked = [Asked(str(version.pk), 0.5), Asked("999999", 0.5)]

    with pytest.raises(UserError) as refused:
        draft(shop, "version", by=boss, variants=asked)
    assert refused.value.code == "version-gone"


def test_stopping_keeps_the_counts_and_forgets_the_people(shop, boss):
    experiment = lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    control, challenger = experiment.variants.all()
    Experiment.objects.update(started_at=experiment.started_at - timedelta(days=2))
    take_part(shop, experiment, control, count=5, clicking=2)
    take_part(shop, experiment, challenger, count=4, clicking=3)
    lifecycle.stop(experiment=experiment, by=boss)
    shop.merchant.shoppers.all().delete()

    kept = Experiment.objects.get().result["variants"]
    assert kept[str(control.pk)]["shoppers"][-1] == 5
    assert kept[str(control.pk)]["clicked"][-1] == 2
    assert kept[str(challenger.pk)]["clicked"][-1] == 3
    assert kept[str(challenger.pk)]["bought"][-1] == 0


def test_old_versions_are_looked_over_under_the_shops_lock(shop):
    """Else a version could go between an experiment's check that it is there and its first page."""
    with CaptureQueriesContext(connection) as asked:
        fitting.prune(merchant=shop.merchant)
    locked, *later = [query["sql"] for query in asked if query["sql"].startswith("SELECT")]

    assert Merchant._meta.db_table in locked.split("WHERE")[0]
    assert ("FOR UPDATE" in locked) == connection.features.has_select_for_update
    assert len(later) == 2
