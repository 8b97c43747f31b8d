"""Guessing and flooding from one address is slowed down; the others at that address go on."""

from __future__ import annotations

import itertools

import pytest
import redis
from django.test import Client, RequestFactory
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from catalog.developers.models import PublishableKey
from catalog.models import ApiToken
from catalog.tokens import create_token
from stylerec_site import brakes
from tests.catalog.factories import MerchantFactory, ProductFactory, UserFactory
from tests.styling.factories import person

pytestmark = pytest.mark.django_db
_addresses = (f"203.0.113.{number}" for number in itertools.count(1))
MOST = 5


@pytest.fixture
def address(settings) -> str:
    """An address that nobody has used, and limits that a test can reach."""
    settings.LIMITS_BY_ADDRESS = {
        "credentials": (MOST, 60), "login": (MOST, 900), "order": (MOST, 60), "storefront": (2 * MOST, 60),
    }  # fmt: skip
    address = next(_addresses)
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    return address


def ask(address: str, path: str, token: str = "", **headers: str):
    if token:
        headers["HTTP_AUTHORIZATION"] = f"Token {token}"
    return Client(raise_request_exception=False).get(path, REMOTE_ADDR=address, **headers)


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("/api/v1/products/", "sr_wrong"),
        ("/api/v1/products/", ""),
        ("/api/v1/shelf/?key=pk_wrong&slot=home", ""),
        ("/api/v1/shelf/?key=pk_%00&slot=home", ""),  # PostgreSQL takes no NUL
        ("/api/v1/jobs/", "not even one"),
    ],
)
def test_wrong_and_missing_tokens_are_slowed_down(address, path, token):
    answers = [ask(address, path, token) for _ in range(MOST + 2)]
    assert [answer.status_code for answer in answers] == [401] * MOST + [429] * 2
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1].json()["error"]["code"] == "too-many-requests"
    assert ask("198.51.100.1", path, token).status_code == 401, "somebody else, somewhere else"


def test_good_tokens_and_keys_behind_the_same_address_go_on(address):
    shop = MerchantFactory()
    member = person(shop, "owner")
    secret = create_token(merchant=shop, user=member, name="till", scope=ApiToken.Scope.READ)[1]
    for _ in range(MOST + 1):
        ask(address, "/api/v1/products/", "sr_wrong")
    assert ask(address, "/api/v1/products/", "sr_wrong").status_code == 429
    assert ask(address, "/api/v1/products/", secret).status_code == 200
    key = PublishableKey.objects.create(merchant=shop, name="page", origins=["https://a.example"])
    good = f"/api/v1/shelf/?key={key.key}&slot=home"
    assert ask(address, good, HTTP_ORIGIN="https://a.example").status_code == 200
    assert ask(address, good, HTTP_ORIGIN="https://b.example").status_code == 429


def test_nobody_gets_a_new_address_by_saying_so(address, settings):
    for number in range(MOST + 1):
        answer = ask(address, "/api/v1/products/", "sr_wrong", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
    assert answer.status_code == 429


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "192.0.2.1", "10.0.0.9"),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        (2, "6.6.6.6, 192.0.2.1, 10.0.0.8", "192.0.2.1"),
        (2, "192.0.2.1", "192.0.2.1"),
        (1, "", "10.0.0.9"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "not an address", "not an address"),
    ],
)
def test_an_address_is_the_last_one_that_no_proxy_of_ours_wrote(settings, proxies, forwarded, expected):
    settings.PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.9", HTTP_X_FORWARDED_FOR=forwarded)
    assert brakes.address_of(request) == expected


def log_in(client: Client, address: str, username: str, password: str = "wrong", code: str = ""):
    form = {"username": username, "password": password, "code": code}
    return client.post("/admin/login/?next=/admin/", form, REMOTE_ADDR=address)


def colleague(username: str):
    user = UserFactory(username=username, is_staff=True)
    user.set_password("right-horse")
    user.save()
    return user


def test_many_names_tried_from_one_address_end_soon(address):
    colleague("mei")
    guesses = [log_in(Client(), address, f"name-{number}").status_code for number in range(MOST + 1)]
    assert guesses == [200] * MOST + [429]
    refused = log_in(Client(), address, "mei", "right-horse")
    assert refused.status_code == 429, "whether a password is right is no longer said"
    assert 1 <= int(refused["Retry-After"]) <= 900
    assert log_in(Client(), "198.51.100.2", "mei", "right-horse").status_code == 302


def test_whoever_has_logged_in_here_before_is_not_shut_out_by_a_neighbour(address):
    colleague("mei")
    colleague("tom")
    browser = Client()
    assert log_in(browser, address, "mei", "right-horse").status_code == 302
    browser.post("/admin/logout/", REMOTE_ADDR=address)
    for number in range(MOST):
        log_in(Client(), address, f"name-{number}")
    assert log_in(browser, address, "tom", "right-horse").status_code == 429, "the browser is known for mei alone"
    assert log_in(browser, address, "mei", "right-horse").status_code == 302
    forged = Client()
    forged.cookies[brakes.KNOWN_BROWSER] = "tom:1abcde:forged"
    assert log_in(forged, address, "tom", "right-horse").status_code == 429


def test_codes_of_the_second_factor_cannot_be_tried_out(address):
    """After a wrong code the device waits, longer each time; meanwhile not even the right one is taken."""
    user = colleague("mei")
    device = TOTPDevice.objects.create(user=user, confirmed=True, name="phone")
    right = f"{totp(device.bin_key):06d}"
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert log_in(Client(), address, "mei", "right-horse", wrong).status_code == 200
    assert log_in(Client(), address, "mei", "right-horse", right).status_code == 200, "too soon after a wrong one"
    device.refresh_from_db()
    device.throttle_reset()
    assert log_in(Client(), address, "mei", "right-horse", f"{totp(device.bin_key):06d}").status_code == 302


def test_bags_and_orders_of_one_address_have_a_limit(address):
    product = ProductFactory(status="published", stock=5)
    shop = f"/s/{product.merchant.slug}"
    orders = [Client().post(f"{shop}/order/", REMOTE_ADDR=address).status_code for _ in range(MOST + 1)]
    assert 429 not in orders[:MOST]
    assert orders[MOST] == 429
    bags = [Client().post(f"{shop}/bag/{product.pk}/", REMOTE_ADDR=address) for _ in range(2 * MOST + 1)]
    assert {bag.status_code for bag in bags[:-1]} == {302}
    assert bags[-1].status_code == 429
    assert bags[-1]["Retry-After"]
    assert Client().get(f"{shop}/bag/", REMOTE_ADDR=address).status_code == 200, "looking goes on"
    assert Client().post(f"{shop}/bag/{product.pk}/", REMOTE_ADDR="198.51.100.3").status_code == 302


def test_guessing_the_operators_token_is_slowed_down(address, settings):
    settings.METRICS_TOKEN = "a-long-token"
    tries = [ask(address, "/metrics", HTTP_AUTHORIZATION="Bearer no").status_code for _ in range(MOST + 1)]
    assert tries == [404] * MOST + [429]
    assert ask(address, "/metrics", HTTP_AUTHORIZATION="Bearer a-long-token").status_code == 200


def test_without_valkey_nobody_is_refused(address, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    brakes._client.cache_clear()
    try:
        request = RequestFactory().get("/", REMOTE_ADDR=address)
        assert [brakes.count("credentials", request) for _ in range(MOST + 2)] == [0] * (MOST + 2)
        assert brakes.is_used_up("login", request) == 0
    finally:
        brakes._client.cache_clear()


def test_a_name_in_chinese_logs_in_and_is_known_again(address):
    colleague("陈美")
    browser = Client()
    answer = log_in(browser, address, "陈美", "right-horse")
    assert answer.status_code == 302
    assert answer.cookies[brakes.KNOWN_BROWSER].OutputString().isascii(), "a server sends headers of ASCII alone"
    browser.post("/admin/logout/", REMOTE_ADDR=address)
    for number in range(MOST):
        log_in(Client(), address, f"name-{number}")
    assert log_in(Client(), address, "陈美", "right-horse").status_code == 429
    assert log_in(browser, address, "陈美", "right-horse").status_code == 302
