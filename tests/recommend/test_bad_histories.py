"""Odd histories all the way: what clients send, what is kept, what a fit makes of it, and what a shopper then sees.

The engine's own cases are in ``engine/test_recommender.py``, corrupt artifacts in ``test_serving.py``.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.test import Client
from django.utils import timezone

from jobs import lifecycle
from jobs.tasks import work
from recommend import serving
from recommend.models import Interaction, Recommender, RecommenderFit
from recommend.services import catalogue, events, fitting, shoppers
from tests.recommend.shops import TINY, Api, Shop, event, open_shop, shown, visitor
from tests.styling.factories import product_picture

pytestmark = pytest.mark.django_db(transaction=True)
PRODUCTS = 6


@pytest.fixture
def shop():
    shop = open_shop(products=0)
    for seed in range(PRODUCTS):
        product_picture(shop.merchant, seed=seed, category=shop.shelves[seed % 2], size=40)
    return shop


@pytest.fixture(autouse=True)
def _stored_at_once(monkeypatch):
    """Events go straight into the database."""
    monkeypatch.setattr("recommend.services.event_stream.connection", _no_broker)


def _no_broker():
    raise redis.ConnectionError("none")


def agree(shop: Shop, *names: str) -> None:
    for name in names:
        shoppers.grant_consent(merchant=shop.merchant, visitor_id=name)


def send(shop: Shop, *told: dict) -> dict:
    """Send events as the shop's server would; what it is answered."""
    answer = Api(shop).send("POST", "events/", {"events": list(told)})
    assert answer.status_code == 202
    return answer.json()


def fit(shop: Shop) -> Recommender:
    """A fit as a worker does it; the version that serves then."""
    job = fitting.start_fit(merchant=shop.merchant)
    RecommenderFit.objects.filter(pk=job.pk).update(settings={**TINY.as_dict(), "learn_weights": True})
    fence = lifecycle.claim(job.pk, worker="test")
    assert fence is not None
    work(job.pk, fence)
    job.refresh_from_db()
    assert (job.status, job.error_message) == ("succeeded", "")
    catalogue.forget()
    return Recommender.objects.get(merchant=shop.merchant, status="deployed")


def assert_shelves_are_full(shop: Shop) -> None:
    """A stranger and a shopper both find every product that is on sale."""
    for client in (Client(), visitor(shop)):
        products = [product for product, _style in shown(client, shop)]
        assert sorted(products) == [product.pk for product in shop.products()]


@pytest.mark.parametrize("history", ["nothing", "one person", "one product", "one rating", "dislikes alone"])
def test_a_history_too_thin_to_learn_from_fits_says_so_and_fills_the_shelves(shop, history):
    agree(shop, "anna", "ben", "cleo")
    first, second, *_others = shop.products()
    told = {
        "nothing": [],
        "one person": [event(product, shopper="anna") for product in (first, second)],
        "one product": [event(first, shopper=name, kind="purchase") for name in ("anna", "ben", "cleo")],
        "one rating": [
            event(product, shopper=name, kind="rating", value=3)
            for name in ("anna", "ben", "cleo")
            for product in (first, second)
        ],
        "dislikes alone": [event(first, shopper=name, kind="dislike") for name in ("anna", "ben")],
    }[history]
    assert send(shop, *told)["accepted"] == len(told)
    version = fit(shop)

    assert Interaction.objects.count() == len(told)
    assert version.metrics["scores"] is None
    assert "Too few people" in version.metrics["note"]
    assert_shelves_are_full(shop)


def test_the_future_is_refused_by_name_and_what_is_in_the_database_all_the_same_teaches_nothing(shop):
    agree(shop, "anna")
    product = shop.products()[0]
    later = timezone.now() + timedelta(days=9)
    answer = send(shop, event(product, shopper="anna", occurred_at=later.isoformat()))
    assert [refused["code"] for refused in answer["refused"]] == ["time-out-of-range"]
    shopper = shoppers.find(merchant=shop.merchant, visitor_id="anna")
    Interaction.objects.create(
        merchant=shop.merchant, shopper=shopper, product=product, kind="purchase", occurred_at=later
    )
    version = fit(shop)

    assert version.metrics["cleaning"]["future"] == 1
    assert version.metrics["events"] == 0
    assert_shelves_are_full(shop)


def test_an_event_sent_ten_times_is_one_event(shop):
    agree(shop, "anna")
    once = event(shop.products()[0], shopper="anna")
    for _number in range(5):
        send(shop, once, once)

    assert Interaction.objects.count() == 1
    assert fit(shop).metrics["events"] == 1


def test_a_deleted_product_leaves_the_shelves_at_once_and_its_late_events_are_passed_over(shop):
    agree(shop, "anna", "ben")
    gone, kept, *_others = shop.products()
    send(shop, *(event(product, shopper=name) for name in ("anna", "ben") for product in (gone, kept)))
    fit(shop)
    gone.delete()
    catalogue.forget()
    assert_shelves_are_full(shop)
    send(shop, event(gone, shopper="anna"))

    assert Interaction.objects.count() == 2
    assert fit(shop).metrics["items"] == PRODUCTS - 1
    assert_shelves_are_full(shop)


def test_a_robots_ten_thousand_events_are_capped_at_the_door_and_again_in_the_fit(shop):
    agree(shop, "robot", "anna")
    pushed, liked, *_others = shop.products()
    for _batch in range(10):
        send(shop, *(event(pushed, shopper="robot") for _number in range(events.MOST_EVENTS)))
    send(shop, event(liked, shopper="anna"))
    version = fit(shop)

    assert Interaction.objects.filter(product=pushed).count() == events.MOST_EVENTS_PER_SHOPPER_AND_DAY
    assert version.metrics["events"] <= TINY.max_events_per_user + 1
    fitted = serving.deployed(shop.merchant).fitted
    people = dict(zip(fitted.item_ids.tolist(), fitted.parts.people.tolist(), strict=True))
    assert people[str(pushed.pk)] == people[str(liked.pk)] == 1, "a robot is one person, however often it clicks"
