"""The shelf for other shops' pages: what a publishable key opens, and what it does not."""

from __future__ import annotations

import uuid

import pytest
from rest_framework.test import APIClient

from catalog.developers import keys
from catalog.models import Membership
from catalog.services.pictures import add_picture
from jobs.errors import UserError
from recommend.models import Interaction, Shopper
from recommend.services import event_stream, shoppers
from tests.api.clients import API, client_of
from tests.catalog.factories import MembershipFactory, ProductFactory, picture_bytes

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example"
VISITOR = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def member():
    return MembershipFactory()


@pytest.fixture
def key(member):
    return keys.create_key(merchant=member.merchant, by=member.user, name="Web", origins=[SHOP])


@pytest.fixture
def product(member):
    product = ProductFactory(merchant=member.merchant, sku="V-1")
    add_picture(product=product, upload=picture_bytes(size=(400, 300)))
    return product


@pytest.fixture
def direct(monkeypatch):
    """Events go straight into the database."""
    monkeypatch.setattr(event_stream, "append", event_stream.store)


def page(origin: str = SHOP) -> APIClient:
    client = APIClient()
    client.defaults["HTTP_ORIGIN"] = origin
    return client


def test_a_page_of_a_listed_origin_gets_a_shelf_that_is_the_same_for_everybody(key, product):
    answer = page().get(f"{API}/shelf/?key={key.key}&n=4")
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, SHOP)
    assert "Access-Control-Allow-Credentials" not in answer
    shelf = answer.json()
    assert (shelf["known"], shelf["personal"], shelf["slate"], shelf["currency"]) == (False, False, None, "EUR")
    (item,) = shelf["items"]
    assert (item["sku"], item["price"]) == ("V-1", "19.50")
    assert item["url"].startswith("http://testserver/s/")
    picture = item["picture"]
    assert picture["url"].startswith("http://testserver/media/")
    assert (picture["width"], picture["height"]) == (400, 300)
    assert all(part.startswith("http://testserver/") for part in picture["srcset"].split(", ") if part)
    assert not Shopper.objects.exists()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{SHOP}:8443", "http://shop.example"])
def test_a_page_of_another_origin_gets_nothing(key, product, origin):
    answer = page(origin).get(f"{API}/shelf/?key={key.key}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not-authenticated")
    assert not answer.has_header("Access-Control-Allow-Origin")
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    asked = page(origin).options(f"{API}/shelf/events/?key={key.key}", headers=preflight)
    assert not asked.has_header("Access-Control-Allow-Origin")
    allowed = page().options(f"{API}/shelf/events/?key={key.key}", headers=preflight)
    assert allowed["Access-Control-Allow-Origin"] == SHOP


def test_a_key_opens_the_shelf_alone_and_a_token_does_not_open_it(key, member, product):
    for path in ("products/", "interactions/", "recommendations/", "shoppers/customer-81/"):
        assert page().get(f"{API}/{path}?key={key.key}").status_code == 401
    assert client_of(member.merchant).get(f"{API}/shelf/").status_code == 401


def test_a_revoked_key_and_a_closed_shop_answer_nothing(key, member, product):
    assert client_of(member.merchant).delete(f"{API}/publishable-keys/{key.pk}/").status_code == 204
    assert page().get(f"{API}/shelf/?key={key.key}").status_code == 401


def test_events_are_kept_after_consent_only_and_gone_with_it(key, product, direct):
    body = {"visitor": VISITOR, "events": [{"id": str(uuid.uuid4()), "kind": "click", "product": "V-1"}]}

    def tell():
        return page().post(f"{API}/shelf/events/?key={key.key}", body, format="json")

    def answer(granted):
        consent = {"visitor": VISITOR, "granted": granted}
        return page().put(f"{API}/shelf/consent/?key={key.key}", consent, format="json").json()

    assert tell().json() == {"accepted": 1}
    assert not Interaction.objects.exists()
    assert answer(True) == {"known": True}
    tell()
    assert Interaction.objects.get().kind == "click"
    shelf = page().get(f"{API}/shelf/?key={key.key}", headers={"X-Visitor": VISITOR}).json()
    assert (shelf["known"], shelf["personal"]) == (True, True)
    assert shelf["slate"]
    assert answer(False) == {"known": False}
    assert not Shopper.objects.exists()
    assert not Interaction.objects.exists()


def test_nobody_can_ask_about_the_shops_own_customers(key, member, product):
    shoppers.grant_consent(merchant=member.merchant, visitor_id=VISITOR)
    shelf = page().get(f"{API}/shelf/?key={key.key}", headers={"X-Visitor": VISITOR}).json()
    assert not shelf["known"]


def test_a_page_cannot_claim_a_purchase(key, product, direct):
    page().put(f"{API}/shelf/consent/?key={key.key}", {"visitor": VISITOR, "granted": True}, format="json")
    events = [{"id": str(uuid.uuid4()), "kind": kind, "product": "V-1"} for kind in ("purchase", "rating", "view")]
    body = {"visitor": VISITOR, "events": [*events, "no event", {"kind": "click"}]}
    answer = page().post(f"{API}/shelf/events/?key={key.key}", body, format="json")
    assert answer.json() == {"accepted": 1}
    assert Interaction.objects.get().kind == "view"


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("get", "shelf/", {"slot": "cellar"}, "slot-unknown"),
        ("get", "shelf/", {"slot": "product", "product": "NONE"}, "no-such-product"),
        ("put", "shelf/consent/", {"visitor": "customer-81", "granted": True}, "visitor-malformed"),
        ("put", "shelf/consent/", {"visitor": VISITOR, "granted": "yes"}, "invalid"),
        ("put", "shelf/consent/", [], "visitor-malformed"),
        ("post", "shelf/events/", {"visitor": VISITOR}, "events-missing"),
        ("post", "shelf/events/", {"visitor": ["x"], "events": []}, "visitor-malformed"),
    ],
)
def test_nonsense_is_a_clear_error(key, method, path, body, code):
    client = page()
    if method == "get":
        answer = client.get(f"{API}/{path}", {"key": key.key, **body})
    else:
        answer = getattr(client, method)(f"{API}/{path}?key={key.key}", body, format="json")
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"] == code


def test_keys_are_an_owners_to_make_for_real_origins(member):
    made = client_of(member.merchant).post(
        f"{API}/publishable-keys/", {"name": "Web", "origins": ["HTTPS://Shop.Example/"]}, format="json"
    )
    assert (made.status_code, made.json()["origins"]) == (201, [SHOP])
    editor = client_of(member.merchant, role=Membership.Role.EDITOR)
    assert editor.post(f"{API}/publishable-keys/", {"name": "W", "origins": [SHOP]}, format="json").status_code == 403
    for origins in ([], ["*"], ["shop.example"], ["https://shop.example/page"], ["null"], [SHOP] * 2 + ["ftp://x"]):
        with pytest.raises(UserError) as refused:
            keys.create_key(merchant=member.merchant, by=member.user, name="Web", origins=origins)
        assert refused.value.code == "origins-malformed"
