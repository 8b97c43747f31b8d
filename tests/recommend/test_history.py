"""What is worked out from a shopper's history is kept while nothing that it rests on changes, and not a page longer."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Product
from recommend.models import Interaction, MerchandisingRule
from recommend.services import catalogue, erasures, history, shoppers
from recommend.services.history import history_of
from recommend.services.shelves import Shelves
from recommend.services.slates import Presenter
from styling.models import StyledImage
from tests.recommend.shops import add_crowd, deploy_fit, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = open_shop()
    add_crowd(shop)
    deploy_fit(shop)
    return shop


@pytest.fixture
def shopper(shop):
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id="somebody")
    for minute, product in enumerate(shop.products(0)[:4]):
        note(shop, shopper, product, minutes=60 - minute, style=shop.styles[0])
    return shopper


def note(shop, shopper, product, *, minutes=1, **fields):
    return Interaction.objects.create(
        merchant=shop.merchant,
        shopper=shopper,
        product=product,
        occurred_at=timezone.now() - timedelta(minutes=minutes),
        **{"kind": Interaction.Kind.VIEW, **fields},
    )


def chosen(shop, shopper, k=8):
    return Shelves(shop.merchant, shopper).shelf("home", k)


def test_a_history_is_read_again_only_where_it_changed(shop, shopper, django_assert_num_queries):
    first = history_of(shopper)
    with django_assert_num_queries(1):
        assert history_of(shopper) is first
    note(shop, shopper, shop.products()[0], kind=Interaction.Kind.IMPRESSION)
    assert history_of(shopper) is first, "an impression says nothing of the shopper"


def test_an_event_that_comes_late_is_seen_and_one_that_goes_is_gone(shop, shopper):
    first = history_of(shopper)
    late = note(shop, shopper, shop.products()[7], minutes=45)
    second = history_of(shopper)
    assert [event.item_id for event in second.events].count(str(late.product_id)) == 1
    assert set(first.events) < set(second.events)
    late.delete()
    assert history_of(shopper).events == first.events
    shoppers.remove_interactions(shopper=shopper, product_id=shop.products(0)[0].pk)
    assert len(history_of(shopper).events) == 3


def test_of_a_known_history_only_what_came_is_read(shop, shopper):
    history_of(shopper)
    newest = Interaction.objects.filter(shopper=shopper).latest("pk").pk
    for minutes, product in zip((58, 0), shop.products(1), strict=False):
        note(shop, shopper, product, minutes=minutes)
    with CaptureQueriesContext(connection) as seen:
        known = history_of(shopper)
    assert [f'"id" > {newest}' in query["sql"] for query in seen] == [False, True]
    history.forget()
    assert known.events == history_of(shopper).events


def test_an_event_that_goes_while_another_comes_is_not_remembered(shop, shopper):
    first = history_of(shopper)
    gone = Interaction.objects.filter(shopper=shopper).earliest("pk")
    gone.delete()
    note(shop, shopper, shop.products(1)[0], minutes=0)
    note(shop, shopper, shop.products(1)[1], minutes=0)
    now = history_of(shopper)
    assert len(now.events) == len(first.events) + 1
    assert str(gone.product_id) not in {event.item_id for event in now.events}


def test_a_long_history_stays_the_newest(shop, shopper, monkeypatch):
    monkeypatch.setattr(history, "NEWEST", 4)
    history_of(shopper)
    for minutes in (50, 5, 3):
        note(shop, shopper, shop.products(1)[0], minutes=minutes)
    known = history_of(shopper).events
    assert len(known) == 4
    history.forget()
    assert {event.timestamp for event in known} <= {event.timestamp for event in history_of(shopper).events}


def test_an_erased_shopper_is_not_kept(shop, shopper):
    history_of(shopper)
    shoppers.erase(shopper=shopper)
    assert not history._kept


def test_a_page_that_is_under_way_during_an_erasure_keeps_nothing(shop, shopper, monkeypatch):
    """It has read the rows; the shopper is erased; only then would it put them into the memory."""
    event_of = history._event

    def erased_meanwhile(*row):
        monkeypatch.setattr(history, "_event", event_of)
        shoppers.erase(shopper=shopper)
        return event_of(*row)

    monkeypatch.setattr(history, "_event", erased_meanwhile)
    assert history_of(shopper).events, "the page itself goes on with what it has read"
    assert not history._kept


def test_what_another_process_erased_goes_with_the_next_page(shop, shopper, django_assert_num_queries):
    other = shoppers.grant_consent(merchant=shop.merchant, visitor_id="somebody else")
    history_of(shopper)
    history_of(other)
    assert set(history._kept) == {shopper.pk, other.pk}
    erasures.write_down(shopper)  # all that this process learns of it
    with django_assert_num_queries(1):  # none for finding out; the other one's history, which is empty
        history_of(other)
    assert set(history._kept) == {other.pk}
    assert history_of(other) is history_of(other), "once"


def test_a_row_number_that_comes_again_is_somebody_else(shop, shopper):
    """After a restore; by chance with as many events and the same newest one."""
    first = history_of(shopper)
    shopper.key_id = uuid4()
    assert history_of(shopper) is not first


def test_only_so_many_shoppers_are_kept(shop, monkeypatch):
    monkeypatch.setattr(history, "MOST_KEPT", 2)
    crowd = [shoppers.grant_consent(merchant=shop.merchant, visitor_id=f"visitor-{n}") for n in range(3)]
    for one in crowd:
        history_of(one)
    assert list(history._kept) == [one.pk for one in crowd[1:]]


def test_what_was_chosen_before_is_what_would_be_chosen_now(shop, shopper):
    before = chosen(shop, shopper)
    assert chosen(shop, shopper) == before
    history.forget()
    catalogue.forget()
    assert chosen(shop, shopper) == before


def test_a_view_changes_the_next_shelf(shop, shopper):
    before = chosen(shop, shopper)
    for product in shop.products(1)[:6]:
        note(shop, shopper, product, minutes=0)
    assert chosen(shop, shopper) != before


@pytest.mark.parametrize("slot", ["home", "product"])
def test_a_rule_changes_a_shelf_that_was_chosen_before(shop, shopper, slot):
    about = shop.products(0)[9].pk if slot == "product" else None

    def products():
        return [pick.product_id for pick in Shelves(shop.merchant, shopper).shelf(slot, 4, product_id=about)]

    first = products()
    rule = MerchandisingRule.objects.create(
        merchant=shop.merchant, effect=MerchandisingRule.Effect.HIDE, product_id=first[0]
    )
    catalogue.forget()
    assert first[0] not in products()
    rule.delete()
    catalogue.forget()
    assert products() == first


def test_what_was_bought_does_not_stand_beside_what_is_like_it(shop, shopper):
    about = shop.products(0)[9]
    first = Shelves(shop.merchant, shopper).shelf("product", 4, product_id=about.pk)
    Interaction.objects.create(
        merchant=shop.merchant, shopper=shopper, product_id=first[0].product_id, kind=Interaction.Kind.PURCHASE
    )
    again = Shelves(shop.merchant, shopper).shelf("product", 4, product_id=about.pk)
    assert first[0].product_id not in [pick.product_id for pick in again]


def test_price_stock_and_renderings_are_never_older_than_the_page(shop, shopper):
    def shown():
        shelves = Shelves(shop.merchant, shopper)
        return {
            item.product.pk: item.product
            for item in Presenter(shelves).slates({"home": chosen(shop, shopper)})["home"].items
        }

    first, second, *_others = shown()
    Product.objects.filter(pk=first).update(price="12345.50", stock=0)
    StyledImage.objects.filter(product_image__product=first).update(status=StyledImage.Status.APPROVED)
    Product.objects.filter(pk=second).update(status=Product.Status.DRAFT)
    after = shown()
    assert str(after[first].price) == "12345.50"
    assert after[first].is_sold_out
    assert after[first].published == ()
    assert second not in after


@pytest.mark.sqlite
def test_the_histories_index_answers_without_the_table(shop, shopper):
    history_of(shopper)
    compiled = next(iter(history._STATE._compiled.values()))
    parameters = [
        shopper.pk if place in dict(compiled.slots) else value for place, value in enumerate(compiled.constants)
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {compiled.sql}", parameters)
        assert "COVERING INDEX interaction_told_history" in str(cursor.fetchall())


def test_a_page_between_the_note_of_an_erasure_and_its_deletion_keeps_nothing_for_long(shopper):
    erasures.write_down(shopper)
    assert history_of(shopper).events  # as another process reads, in whose eyes the shopper is still there
    assert shopper.pk in history._kept

    erasures.say_done()
    history_of(None)  # anybody's page

    assert shopper.pk not in history._kept


def test_an_erasure_says_when_it_is_done(shopper):
    erasures.write_down(shopper)
    noted = erasures.size()

    shoppers.erase(shopper=shopper)

    assert erasures.size() > 2 * noted  # noted again, and done
    assert [entry["key"] for entry in erasures.erased_since(timezone.now() - timedelta(hours=1))] == [
        shopper.key_id.hex
    ] * 2


def test_strangers_pages_let_go_of_what_nobody_asked_for_of_late(shopper, monkeypatch):
    history_of(shopper)
    later = time.monotonic() + history.KEPT_SECONDS + 1
    monkeypatch.setattr(history.time, "monotonic", lambda: later)

    history_of(None)

    assert shopper.pk not in history._kept
