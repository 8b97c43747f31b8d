"""Pages for what went wrong: with the request's id, in both languages, as JSON to API clients."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from stylerec_site.throttles import TokenThrottle
from tests.api.clients import client_of
from tests.catalog.factories import MembershipFactory, MerchantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


def broken(*_args, **_keywords):
    raise RuntimeError("a secret of ours")


@pytest.mark.parametrize(("language", "words"), [("en", "This page does not exist."), ("zh-hans", "页")])
def test_a_missing_page_says_so_with_its_id(visitor, language, words):
    response = visitor.get("/s/nowhere/", headers={"accept-language": language, "x-request-id": "proxy-id-0001"})
    page = response.content.decode()
    assert response.status_code == 404
    assert words in page
    assert f'lang="{language}"' in page
    assert "proxy-id-0001" in page
    assert response["X-Request-ID"] == "proxy-id-0001"


@pytest.mark.parametrize(("language", "words"), [("en", "Something went wrong on our side."), ("zh-hans", "我们")])
def test_an_error_of_ours_gives_its_id_and_nothing_else(visitor, monkeypatch, language, words):
    shop = MerchantFactory()
    monkeypatch.setattr("recommend.storefront.pages.Shelves", broken)
    response = visitor.get(f"/s/{shop.slug}/", headers={"accept-language": language, "x-request-id": "proxy-id-0002"})
    page = response.content.decode()
    assert response.status_code == 500
    assert words in page
    assert "proxy-id-0002" in page
    assert "secret of ours" not in page
    assert "no-store" in response["Cache-Control"]


def test_an_error_of_ours_is_json_to_a_program(visitor, monkeypatch):
    monkeypatch.setattr("catalog.authentication.ApiTokenAuthentication.authenticate", broken)
    response = visitor.get("/api/v1/products/", headers={"x-request-id": "proxy-id-0003"})
    assert response.status_code == 500
    error = response.json()["error"]
    assert error["code"] == "our-error"
    assert error["request_id"] == "proxy-id-0003"
    assert "secret" not in str(error)


def test_an_upload_beyond_the_limit_is_too_large(visitor, settings):
    member = MembershipFactory()
    visitor.force_login(member.user)
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = visitor.post("/admin/catalog/product/", {"q": "x" * 2000})
    assert response.status_code == 413
    assert "too large" in response.content.decode()


def test_a_form_of_another_site_is_refused():
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/admin/login/", {"username": "a", "password": "b"})
    assert response.status_code == 403
    assert "You may not do this." in response.content.decode()


def test_too_many_wrong_passwords_lock_the_pair_out_for_a_while(visitor, settings):
    user = MembershipFactory().user
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = visitor.post("/admin/login/", {"username": user.username, "password": "wrong"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Too many attempts." in response.content.decode()
    right = visitor.post("/admin/login/", {"username": user.username, "password": "a-long-test-password"})
    assert right.status_code == 429


def test_a_throttled_program_is_told_when_to_come_back(monkeypatch):
    cache.clear()
    monkeypatch.setattr(TokenThrottle, "rate", "2/min", raising=False)
    program = client_of()
    answers = [program.get("/api/v1/products/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1].json()["error"]["code"] == "too-many-requests"


def test_a_host_that_is_not_ours_is_refused(visitor):
    response = visitor.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "evil.example" not in response.content.decode()
