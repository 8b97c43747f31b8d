"""What shoppers are served while an experiment runs, what it costs, and what is kept about them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommend.experiments import treatment
from recommend.experiments.models import Experiment, Exposure
from recommend.experiments.services import lifecycle
from recommend.experiments.services.drafts import Asked
from recommend.experiments.treatment import treatment_of
from recommend.models import Interaction, Shopper
from recommend.services import shoppers
from recommend.services.shelves import Shelves
from recommend.services.slates import Presenter
from tests.recommend.experiments import draft, editor, shopper_in
from tests.recommend.shops import add_crowd, deploy_fit, open_fitted_shop, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return open_fitted_shop()


@pytest.fixture
def boss(shop):
    return editor(shop.merchant)


def look_around(shopper: Shopper, shop, *, shelf: int) -> None:
    """Some views on one shelf of the shop."""
    for product in shop.products(shelf)[:5]:
        Interaction.objects.create(
            merchant=shop.merchant, shopper=shopper, product=product, kind="view", style=shop.styles[shelf]
        )


def page_of(shop, shopper: Shopper | None):
    """The front shelf as the storefront makes it."""
    shop.merchant.refresh_from_db()
    shelves = Shelves(shop.merchant, shopper)
    return Presenter(shelves).slates({"home": shelves.shelf("home", 8)})["home"].items


def queries_of(shop, shopper: Shopper) -> int:
    shop.merchant.refresh_from_db()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        shelves = Shelves(shop.merchant, shopper)
        Presenter(shelves).slates({"home": shelves.shelf("home", 8)})
    return len(captured)


def test_shoppers_are_divided_as_planned_and_stay_where_they_are(shop, boss):
    experiment = lifecycle.start(experiment=draft(shop, by=boss, shares=(0.3, 0.2)), by=boss)
    shop.merchant.refresh_from_db()
    people = [Shopper(pk=number, merchant=shop.merchant) for number in range(1, 4001)]
    first = [treatment_of(shop.merchant, shopper).exposures for shopper in people]

    assert first == [treatment_of(shop.merchant, shopper).exposures for shopper in people]
    control, challenger = experiment.variants.all()
    counts = Counter(first)
    assert counts[((experiment.pk, control.pk),)] / 4000 == pytest.approx(0.3, abs=0.03)
    assert counts[((experiment.pk, challenger.pk),)] / 4000 == pytest.approx(0.2, abs=0.03)
    assert counts[()] / 4000 == pytest.approx(0.5, abs=0.03)


def test_a_shopper_keeps_the_variant_when_the_quarter_and_with_it_the_pseudonym_changes(shop, boss):
    lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    shop.merchant.refresh_from_db()
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id="anna")
    before = treatment_of(shop.merchant, shopper)
    Shopper.objects.filter(pk=shopper.pk).update(pseudonym="2027q1:" + "0" * 64)

    assert treatment_of(shop.merchant, Shopper.objects.get(pk=shopper.pk)) == before


def test_the_popular_variant_gives_everybody_the_strangers_shelf_and_the_personal_one_does_not(shop, boss):
    experiment = lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    control, challenger = experiment.variants.all()
    _name, popular = shopper_in(shop, challenger)
    _name, personal = shopper_in(shop, control)
    for shopper in (popular, personal):
        look_around(shopper, shop, shelf=1)
    stranger = [item.product.pk for item in page_of(shop, None)]

    assert [item.product.pk for item in page_of(shop, popular)] == stranger
    assert [item.product.pk for item in page_of(shop, personal)] != stranger


def beside(shop, shopper: Shopper | None, product) -> list[int]:
    """The shelf of a product's page as the storefront makes it."""
    shop.merchant.refresh_from_db()
    shelves = Shelves(shop.merchant, shopper)
    picks = shelves.shelf("product", 4, product_id=product.pk)
    return [item.product.pk for item in Presenter(shelves).slates({"product": picks})["product"].items]


def test_beside_a_product_stands_what_is_like_it_or_what_the_shopper_likes_and_only_who_was_there_counts(shop, boss):
    experiment = lifecycle.start(experiment=draft(shop, "beside", by=boss), by=boss)
    lifecycle.start(experiment=draft(shop, by=boss, subject="rendering"), by=boss)  # on another layer
    control, challenger = experiment.variants.all()
    _name, like_it = shopper_in(shop, control)
    _name, own = shopper_in(shop, challenger)
    for shopper in (like_it, own):
        look_around(shopper, shop, shelf=1)
        page_of(shop, shopper)
    assert not Exposure.objects.filter(experiment=experiment).exists()
    on_first_shelf = shop.products(0)[6]
    stranger = beside(shop, None, on_first_shelf)
    second = {product.pk for product in shop.products(1)}

    assert beside(shop, like_it, on_first_shelf) == stranger
    found = beside(shop, own, on_first_shelf)
    assert on_first_shelf.pk not in found
    assert len(second & set(found)) > len(second & set(stranger))
    assert set(Exposure.objects.filter(experiment=experiment).values_list("shopper", "variant")) == {
        (like_it.pk, control.pk),
        (own.pk, challenger.pk),
    }


def test_settings_of_two_layers_meet_on_a_page_so_that_an_effect_is_an_average_over_the_other(shop):
    """As docs/experiments.md says: under popular shelves the shopper's own order beside a product is popular, too."""
    shopper, product = shoppers.grant_consent(merchant=shop.merchant, visitor_id="both"), shop.products(0)[6]
    look_around(shopper, shop, shelf=1)

    def shown(who: Shopper | None, strategy: str) -> list[int]:
        treated = replace(treatment.USUAL, strategy=strategy, beside="personal")
        picks = Shelves(shop.merchant, who, treatment=treated).shelf("product", 4, product_id=product.pk)
        return [pick.product_id for pick in picks]

    assert shown(shopper, "popular") == shown(None, "personal")
    assert shown(shopper, "personal") != shown(None, "personal")


def test_the_original_variant_shows_photos_alone(shop, boss):
    experiment = lifecycle.start(experiment=draft(shop, "rendering", by=boss), by=boss)
    control, challenger = experiment.variants.all()
    _name, photos = shopper_in(shop, challenger)
    _name, styled = shopper_in(shop, control)
    for shopper in (photos, styled):
        look_around(shopper, shop, shelf=0)

    assert all(item.rendering is None for item in page_of(shop, photos))
    assert any(item.rendering is not None for item in page_of(shop, styled))


def test_a_version_is_tried_out_beside_the_one_in_use_and_its_files_stay(shop, boss):
    old = shop.merchant.recommenders.get()
    new = deploy_fit(shop)
    asked = [Asked(str(new.pk), 0.5), Asked(str(old.pk), 0.5)]
    experiment = lifecycle.start(experiment=draft(shop, "version", by=boss, variants=asked), by=boss)
    _control, challenger = experiment.variants.all()
    _name, shopper = shopper_in(shop, challenger)

    assert challenger.name == "Version 1"
    assert Shelves(shop.merchant, shopper).recommender_id == old.pk
    assert Shelves(shop.merchant, None).recommender_id == new.pk


def test_a_version_whose_files_are_gone_is_passed_over(shop, boss, settings):
    old = shop.merchant.recommenders.get()
    new = deploy_fit(shop)
    asked = [Asked(str(new.pk), 0.5), Asked(str(old.pk), 0.5)]
    experiment = lifecycle.start(experiment=draft(shop, "version", by=boss, variants=asked), by=boss)
    _name, shopper = shopper_in(shop, experiment.variants.last())
    for file in (settings.ARTIFACTS_ROOT / old.directory).iterdir():
        file.write_bytes(b"torn")

    assert Shelves(shop.merchant, shopper).recommender_id == new.pk


def test_it_costs_no_query_while_nothing_runs_one_at_the_first_sight_and_none_after(shop, boss):
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id="anna")
    queries_of(shop, shopper)  # fills what a process keeps
    without = queries_of(shop, shopper)
    for subject in ("strategy", "rendering"):
        lifecycle.start(experiment=draft(shop, subject, by=boss), by=boss)

    assert queries_of(shop, shopper) == without + 1
    assert queries_of(shop, shopper) == without
    assert Exposure.objects.filter(shopper=shopper).count() == 2


def test_an_exposure_is_kept_once_whichever_process_sees_it(shop, boss):
    experiment = lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    _name, shopper = shopper_in(shop, experiment.variants.first())
    page_of(shop, shopper)
    first = Exposure.objects.get()
    treatment._stored.clear()  # as another process would have it
    page_of(shop, shopper)

    assert Exposure.objects.get() == first
    assert Exposure.objects.get().at == first.at


def test_a_shopper_whose_exposure_was_purged_keeps_the_variant_and_counts_again_the_next_day(shop, boss, monkeypatch):
    experiment = lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    _name, shopper = shopper_in(shop, experiment.variants.last())
    page_of(shop, shopper)
    before = treatment_of(shop.merchant, shopper)
    Exposure.objects.update(at=timezone.now() - timedelta(days=10_000))
    assert lifecycle.forget_exposures() == 1
    page_of(shop, shopper)
    assert not Exposure.objects.exists()  # this process believes that it is kept, until the day is over
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(treatment.timezone, "now", lambda: tomorrow)
    page_of(shop, shopper)

    assert treatment_of(shop.merchant, shopper) == before
    kept = Exposure.objects.get()
    assert (kept.shopper, kept.variant, kept.at) == (shopper, experiment.variants.last(), tomorrow)


def test_strangers_and_shoppers_without_personalisation_take_no_part(shop, boss):
    lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    page_of(shop, None)

    assert not Exposure.objects.exists()


def test_exposures_go_with_the_shopper_and_with_the_experiment(shop, boss):
    experiment = lifecycle.start(experiment=draft(shop, by=boss), by=boss)
    control, challenger = experiment.variants.all()
    _name, one = shopper_in(shop, control)
    _name, other = shopper_in(shop, challenger)
    page_of(shop, one)
    page_of(shop, other)

    assert shoppers.export(shopper=one)["experiments"] == [
        {"experiment__name": "Try strategy", "variant__name": "Personal", "at": Exposure.objects.get(shopper=one).at}
    ]
    shoppers.erase(shopper=one)
    assert list(Exposure.objects.values_list("shopper", flat=True)) == [other.pk]
    lifecycle.stop(experiment=experiment, by=boss)
    assert not Exposure.objects.exists()


def test_what_an_ended_experiment_left_and_what_is_too_old_is_purged(settings):
    shop = open_shop(products=4)
    boss = editor(shop.merchant)
    running, ended = draft(shop, by=boss), draft(shop, "rendering", by=boss)
    lifecycle.start(experiment=running, by=boss)
    people = add_crowd(shop, people=3, visits=1)
    for experiment, shopper in ((running, people[0]), (running, people[1]), (ended, people[2])):
        Exposure.objects.create(
            experiment=experiment, variant=experiment.variants.first(), shopper=shopper, at=running.started_at
        )
    Exposure.objects.filter(shopper=people[1]).update(
        at=running.started_at - timedelta(days=settings.INTERACTION_RETENTION_DAYS + 1)
    )

    assert lifecycle.forget_exposures() == 2
    assert Exposure.objects.get().shopper == people[0]
    assert Experiment.objects.count() == 2
