"""Limits that say how much is left, origins by list alone, and errors in the reader's language."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.utils import translation
from django.utils.translation import gettext
from redis.commands.core import Script
from redis.exceptions import ConnectionError as Unreachable
from rest_framework.test import APIClient

from stylerec_site.throttles import TokenThrottle
from tests.api.clients import API, client_of

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example"


@pytest.fixture
def client():
    cache.clear()
    return client_of()


def test_every_answer_says_how_much_of_the_limit_is_left(client, monkeypatch):
    monkeypatch.setattr(TokenThrottle, "rate", "2/min", raising=False)
    left = [client.get(f"{API}/products/")["RateLimit-Remaining"] for _ in range(2)]
    assert left == ["1", "0"]
    refused = client.get(f"{API}/products/")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too-many-requests")
    assert (refused["RateLimit-Limit"], refused["RateLimit-Remaining"]) == ("2", "0")
    assert 0 < int(refused["RateLimit-Reset"]) <= 60
    assert 0 < int(refused["Retry-After"]) <= 60


def test_a_counter_that_is_away_closes_nothing(client, monkeypatch):
    def away(*arguments, **keywords):
        raise Unreachable("no route to the counter")

    monkeypatch.setattr(Script, "__call__", away)
    assert client.get(f"{API}/products/").status_code == 200


def test_only_listed_origins_may_ask(client, settings):
    settings.CORS_ALLOWED_ORIGINS = [SHOP]
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key"}
    allowed = APIClient().options(f"{API}/products/", headers={"Origin": SHOP, **preflight})
    assert allowed["Access-Control-Allow-Origin"] == SHOP
    assert "idempotency-key" in allowed["Access-Control-Allow-Headers"]
    assert "ETag" in client.get(f"{API}/products/", headers={"Origin": SHOP})["Access-Control-Expose-Headers"]
    for stranger in ("https://evil.example", "null", f"{SHOP}.evil.example"):
        answer = APIClient().options(f"{API}/products/", headers={"Origin": stranger, **preflight})
        assert not answer.has_header("Access-Control-Allow-Origin")
    assert not client.get("/", headers={"Origin": SHOP}).has_header("Access-Control-Allow-Origin")


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("get", "/products/0/", None, "not-found"),
        ("post", "/products/", {}, "invalid"),
        ("post", "/events/", {}, "events-missing"),
        ("get", "/recommendations/?slot=nowhere", None, "slot-unknown"),
        ("post", "/recommender-fits/", None, "no-products"),
    ],
)
def test_an_error_has_one_id_and_the_readers_words(client, method, path, body, code):
    answers = {
        language: getattr(client, method)(
            f"{API}{path}", body, format="json", headers={"Accept-Language": language}
        ).json()["error"]
        for language in ("en", "zh-CN")
    }
    assert [answer["code"] for answer in answers.values()] == [code, code]
    assert set(answers["en"]) == {"code", "message", "hint", "details", "request_id"}
    with translation.override("zh-hans"):
        assert answers["zh-CN"]["message"] == gettext(answers["en"]["message"])


@pytest.mark.parametrize(
    ("method", "body", "content_type", "status", "code"),
    [
        ("put", b"{}", "application/json", 405, "method-not-allowed"),
        ("post", b"{", "application/json", 400, "parse-error"),
        ("post", b"<product/>", "text/xml", 415, "unsupported-media-type"),
    ],
)
def test_what_the_framework_refuses_has_an_id_of_the_same_kind(client, method, body, content_type, status, code):
    answer = getattr(client, method)(f"{API}/products/", body, content_type=content_type)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_stranger_is_told_in_the_same_way():
    answer = APIClient().get(f"{API}/products/", headers={"Accept-Language": "zh-hans"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not-authenticated")
    assert (answer["Content-Language"], answer["WWW-Authenticate"]) == ("zh-hans", "Token")


@pytest.mark.django_db
def test_a_description_is_as_long_as_an_import_takes_and_no_longer():
    client = client_of()
    product = {"sku": "A", "name": "Vase", "price": "1", "description": "x" * 20_001, "description_zh": "字" * 20_001}
    answer = client.post(f"{API}/products/", product, format="json")
    assert answer.status_code == 400
    assert set(answer.json()["error"]["details"]) == {"description", "description_zh"}
    product |= {"description": "x" * 20_000, "description_zh": ""}
    assert client.post(f"{API}/products/", product, format="json").status_code == 201
