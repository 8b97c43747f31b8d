"""Events over the API: taken durably, stored once, refused one by one with stable codes, and never readable on the way."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from recommend.models import Interaction, Shopper
from recommend.services import event_stream, events, shoppers
from tests.recommend.shops import Api, event, open_fitted_shop, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = open_shop(products=6)
    shoppers.grant_consent(merchant=shop.merchant, visitor_id="customer-1")
    return shop


def consume() -> int:
    """What a consumer does until nothing waits."""
    consumer = event_stream.Consumer()
    consumer.prepare()
    done = 0
    while batches := consumer.consume(wait_ms=1):
        done += batches
    return done


def test_a_click_changes_the_next_answer(stream):
    shop = open_fitted_shop()
    api = Api(shop)
    api.send("PUT", "shoppers/customer-1/", {})
    before = api.get("recommendations/", shopper="customer-1").json()
    assert before["personal"] is False
    liked = shop.products(1)[:3]
    answer = api.send("POST", "events/", {"events": [event(product) for product in liked]})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 3, "state": "queued", "refused": []})
    consume()
    after = api.get("recommendations/", shopper="customer-1").json()

    assert after["personal"] is True
    assert [item["sku"] for item in after["items"]] != [item["sku"] for item in before["items"]]
    assert all(item["reason"] for item in after["items"])


def test_the_same_id_twice_is_stored_once(shop, stream):
    api, click = Api(shop), event(shop.products()[0])
    for _ in range(3):
        api.send("POST", "events/", {"events": [click, click]})
    assert consume() == 3

    assert Interaction.objects.get().event_id == uuid.UUID(click["id"])


def test_events_of_people_who_did_not_agree_are_passed_over(shop, stream):
    Api(shop).send("POST", "events/", {"events": [event(shop.products()[0], shopper="somebody")]})
    consume()

    assert not Interaction.objects.exists()
    assert Shopper.objects.count() == 1


def test_neither_the_stream_nor_the_database_holds_the_clients_id_of_a_person(shop, stream):
    Api(shop).send("POST", "events/", {"events": [event(shop.products()[0])]})
    waiting = stream.xrange(event_stream.STREAM)
    assert len(waiting) == 1
    assert b"customer-1" not in b"".join(part for _id, fields in waiting for part in fields.values())
    consume()

    row = Interaction.objects.select_related("shopper").get()
    assert "customer-1" not in json.dumps([row.shopper.pseudonym, row.slot])


def test_without_a_broker_the_events_go_straight_into_the_database(shop, monkeypatch):
    nobody = redis.Redis(port=1, socket_connect_timeout=0.2)
    monkeypatch.setattr(event_stream, "connection", lambda: nobody)
    answer = Api(shop).send("POST", "events/", {"events": [event(shop.products()[0])]})

    assert answer.json()["state"] == "stored"
    assert Interaction.objects.count() == 1


def test_a_full_stream_refuses_instead_of_losing(shop, stream, monkeypatch):
    monkeypatch.setattr(event_stream, "MOST_WAITING", 1)
    api = Api(shop)
    assert api.send("POST", "events/", {"events": [event(shop.products()[0])]}).status_code == 202
    answer = api.send("POST", "events/", {"events": [event(shop.products()[0])]})

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "events-backed-up"
    assert stream.xlen(event_stream.STREAM) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"events"',
        b'{"events": {}}',
        b'{"events": null}',
        b'{"events": [], "events": 5}',
        b'{"events": [' + b"1" * 5000 + b"]",
        b'{"events": NaN}',
        b'{"events": "\xff"}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_none_is_a_clear_400(shop, body):
    answer = Api(shop).send("POST", "events/", body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"]
    assert answer.json()["error"]["message"]


def test_too_many_events_are_refused_whole(shop):
    answer = Api(shop).send("POST", "events/", {"events": [0] * 1001})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "too-many-events")


BAD = [
    ({"id": "nonsense"}, "id-missing"),
    ({"id": 5}, "id-missing"),
    ({"id": None}, "id-missing"),
    ({"shopper": ""}, "shopper-missing"),
    ({"shopper": "x" * 201}, "shopper-missing"),
    ({"shopper": {"a": 1}}, "shopper-missing"),
    ({"shopper": "a\x00b"}, "shopper-missing"),
    ({"shopper": "\ud800"}, "shopper-missing"),
    ({"product": 10**30}, "product-missing"),
    ({"product": "\x00"}, "product-missing"),
    ({"kind": "stare"}, "kind-unknown"),
    ({"kind": ["click"]}, "kind-unknown"),
    ({"value": 10**400}, "value-unreadable"),
    ({"value": "5"}, "value-unreadable"),
    ({"value": True}, "value-unreadable"),
    ({"kind": "purchase", "value": -0.01}, "amount-negative"),
    ({"kind": "purchase", "value": 5, "currency": "XTS"}, "currency-other"),
    ({"currency": ["EUR"]}, "currency-other"),
    ({"rendering": -1}, "number-unreadable"),
    ({"rendering": 10**40}, "number-unreadable"),
    ({"rendering": 1.5}, "number-unreadable"),
    ({"position": 40_000}, "number-unreadable"),
    ({"slot": "s" * 21}, "slot-unreadable"),
    ({"slot": ["home"]}, "slot-unreadable"),
    ({"slate": "nonsense"}, "id-missing"),
    ({"occurred_at": "yesterday"}, "time-unreadable"),
    ({"occurred_at": 5}, "time-unreadable"),
    ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "time-unreadable"),
    ({"occurred_at": "2026-13-45T00:00:00Z"}, "time-unreadable"),
    ({"occurred_at": "1999-01-01T00:00:00Z"}, "time-out-of-range"),
    ({"occurred_at": "2999-01-01T00:00:00Z"}, "time-out-of-range"),
    ({"extra": 1}, "event-malformed"),
]


@pytest.mark.parametrize(("fault", "code"), BAD, ids=[f"{next(iter(f))}-{code}-{n}" for n, (f, code) in enumerate(BAD)])
def test_one_bad_event_is_named_and_the_others_are_taken(shop, stream, fault, code):
    product = shop.products()[0]
    answer = Api(shop).send(
        "POST", "events/", {"events": [event(product), {**event(product), **fault}, event(product)]}
    )

    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    assert [(row["index"], row["code"]) for row in answer.json()["refused"]] == [(1, code)]
    consume()
    assert Interaction.objects.count() == 2


@pytest.mark.parametrize("raw", [None, 5, "click", [], [[]], True])
def test_an_event_that_is_no_object_is_named(shop, raw):
    answer = Api(shop).send("POST", "events/", {"events": [raw]})

    assert [row["code"] for row in answer.json()["refused"]] == ["event-malformed"]


def test_refusals_speak_the_language_of_the_request(shop):
    _taken, refused = events.parse_batch({"events": [{}]})
    assert refused[0].message == "Unknown kind of event."


def test_a_batch_that_can_never_be_stored_is_put_aside_and_the_others_go_on(shop, stream):
    api = Api(shop)
    stream.xadd(event_stream.STREAM, {"merchant": str(shop.merchant.pk), "events": b"not ours"})
    stream.xadd(event_stream.STREAM, {"merchant": "x"})
    api.send("POST", "events/", {"events": [event(shop.products()[0])]})
    consume()

    assert Interaction.objects.count() == 1
    assert stream.xlen(event_stream.UNSTORABLE) == 2
    assert stream.xlen(event_stream.STREAM) == 0


def test_a_robot_is_capped(shop, monkeypatch):
    monkeypatch.setattr(events, "MOST_EVENTS_PER_SHOPPER_AND_DAY", 10)
    taken, _ = events.parse_batch({"events": [event(shop.products()[0]) for _ in range(8)]})
    for _ in range(2):
        event_stream.store(merchant=shop.merchant, events=taken)
    more, _ = events.parse_batch({"events": [event(shop.products()[1]) for _ in range(30)]})
    event_stream.store(merchant=shop.merchant, events=more)

    assert Interaction.objects.count() == 10


def test_an_old_event_keeps_its_time_and_its_rendering(shop, stream):
    product, moment = shop.products()[0], timezone.now() - timedelta(days=3)
    rendering = product.images.get().styled_images.first()
    fields = {"occurred_at": moment.isoformat(), "rendering": rendering.pk, "value": 4, "position": 2, "slot": "home"}
    Api(shop).send("POST", "events/", {"events": [event(product, kind="rating", **fields)]})
    consume()

    row = Interaction.objects.get()
    assert abs(row.occurred_at - moment) < timedelta(milliseconds=1)
    assert (row.styled_image, row.style, row.value, row.position) == (rendering, rendering.style, 4.0, 2)


def test_a_purchase_carries_what_was_paid_in_the_shops_currency(shop, stream):
    product, currency = shop.products()[0], shop.merchant.currency
    sent = [event(product, kind="purchase", value=59.8, currency=currency), event(product, kind="purchase", value=0)]
    Api(shop).send("POST", "events/", {"events": [*sent, event(product, kind="purchase")]})
    consume()

    assert set(Interaction.objects.values_list("kind", "value")) == {
        ("purchase", 59.8),
        ("purchase", 0.0),
        ("purchase", None),
    }


def test_a_rendering_of_another_shop_is_not_believed(shop, stream):
    foreign = open_shop(products=1).products()[0].images.get().styled_images.first()
    Api(shop).send("POST", "events/", {"events": [event(shop.products()[0], rendering=foreign.pk)]})
    consume()

    assert Interaction.objects.get().styled_image is None


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"slot": "moon"}, 400, "slot-unknown"),
        ({"product": "nothing"}, 404, "no-such-product"),
        ({"product": "\x00"}, 404, "no-such-product"),
        ({"n": "9" * 9000}, 200, None),
        ({"n": "-5"}, 200, None),
        ({"n": "²"}, 200, None),
        ({"shopper": "x" * 4000}, 200, None),
        ({"shopper": "\x00"}, 200, None),
    ],
)
def test_odd_requests_for_recommendations(shop, query, status, code):
    answer = Api(shop).get("recommendations/", **query)

    assert answer.status_code == status
    if code:
        assert answer.json()["error"]["code"] == code
    else:
        assert len(answer.json()["items"]) == 6


def test_a_token_of_one_shop_speaks_for_that_shop_alone(shop):
    other = open_shop(products=6)
    answer = Api(other).get("recommendations/", product=shop.products()[0].sku, slot="product")
    assert {item["sku"] for item in answer.json()["items"]} <= {product.sku for product in other.products()}
    assert Api(other).get("shoppers/customer-1/").status_code == 404
