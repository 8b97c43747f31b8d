"""Canaries: a shopper with a name that would be recognised anywhere acts everywhere, is erased, and is looked for."""

from __future__ import annotations

import base64
import io
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as site
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from recommend import pseudonyms
from recommend.engine.recommender import fit
from recommend.models import Interaction, Shopper, Slate
from recommend.privacy import key_store
from recommend.services import event_stream, history, shoppers
from recommend.services.fitting import read_interactions
from stylerec_site import log_privacy
from stylerec_site.throttles import AnonymousThrottle
from tests.catalog.factories import picture_bytes
from tests.recommend.shops import TINY, Api, add_crowd, event, open_fitted_shop, open_shop

#: The shop's own server knows the person by e-mail; the browser comes from an address with a name of its own.
EMAIL = "canary.anna@example.test"
ADDRESS = "203.0.113.77"
BROWSER = "CanaryBrowser/9.2"
WORDS = "canaryteapot"
CANARIES = [EMAIL, EMAIL.replace("@", "%40"), ADDRESS, BROWSER, WORDS]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, formatted as the site formats it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(next(h for h in logging.getLogger().handlers if _is_ours(h)).formatter)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def _is_ours(handler: logging.Handler) -> bool:
    return type(handler.formatter).__name__ == "ProcessorFormatter"


def forms(text: str) -> list[bytes]:
    """The text as it is, and as base64 would carry it, wherever it begins."""
    plain = text.encode()
    encoded = [base64.b64encode(b"x" * shift + plain)[4 if shift else 0 : -4] for shift in range(3)]
    return [plain, *encoded]


def in_database() -> Iterator[tuple[str, bytes]]:
    """Every value of every table. An index of words has no rows of its own: it lies in tables beside it, which are read."""
    with connection.cursor() as cursor:
        indexes = set()
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
            indexes = {name for (name,) in cursor.fetchall()}
        for table in sorted({*connection.introspection.table_names(cursor)} - indexes):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # the names are the database's own
            for row in cursor.fetchall():
                for value in row:
                    yield table, bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    for session in Session.objects.all():
        yield "session", str(session.get_decoded()).encode()


def in_valkey(url: str) -> Iterator[tuple[str, bytes]]:
    """Every key and its value, read by its type: a serialised one would be compressed, and nothing be found in it."""
    valkey: Any = redis.Redis.from_url(url)
    readers = {
        b"string": valkey.get,
        b"stream": valkey.xrange,
        b"hash": valkey.hgetall,
        b"set": valkey.smembers,
        b"list": lambda key: valkey.lrange(key, 0, -1),
        b"zset": lambda key: valkey.zrange(key, 0, -1),
    }
    for key in valkey.scan_iter():
        yield "valkey", key
        yield from ((f"valkey {key!r}", part) for part in _parts(readers[valkey.type(key)](key)))


def _parts(value: Any) -> Iterator[bytes]:
    """Every byte string in a nested value."""
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        yield from _parts([*value.keys(), *value.values()])
    elif value is not None:
        for part in value:
            yield from _parts(part)


def in_files(*roots: Path) -> Iterator[tuple[str, bytes]]:
    """Every file's name and content."""
    for root in roots:
        for path in root.rglob("*"):
            yield "name", str(path).encode()
            if path.is_file():
                yield str(path), path.read_bytes()


def traces(texts: list[str], places: Iterator[tuple[str, bytes]]) -> list[str]:
    """Where any of the texts was found."""
    wanted = [form for text in texts for form in forms(text)]
    return [where for where, content in places if any(form in content for form in wanted)]


@pytest.fixture
def erased(log, stream, valkey_url, settings) -> Callable[[], list[str]]:
    """Acts as one person everywhere, erases the person, and tells where anything of them was found."""

    def act_and_search() -> list[str]:
        cache.clear()
        shop = open_fitted_shop()
        api = Api(shop)
        api._client.defaults["REMOTE_ADDR"] = ADDRESS
        browser = Client(REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=BROWSER)
        products = shop.products()

        # The shop's own server, which calls the person by their e-mail address …
        assert api.send("PUT", f"shoppers/{EMAIL}/", {"personalisation": True}).status_code == 200
        batch = {"events": [event(p, shopper=EMAIL) for p in products[:4]]}
        assert api.send("POST", "events/", batch).status_code == 202
        found = traces(CANARIES, in_valkey(valkey_url))  # what waits is encrypted
        consumer = event_stream.Consumer()
        consumer.prepare()
        consumer.consume(wait_ms=50)
        assert api.get("recommendations/", shopper=EMAIL).json()["personal"]
        assert api.get("recommendations/", shopper=EMAIL, slot="nowhere").status_code == 400
        assert api.send("PUT", f"shoppers/{EMAIL}/", b"{").status_code == 400
        assert api.get(f"shoppers/{EMAIL}.unknown/").status_code == 404
        # … and the same person in the storefront.
        browser.post(f"{shop.home}consent/", {"answer": "yes"})
        for product in products[:3]:
            browser.get(f"{shop.home}p/{product.pk}/")
        browser.get(f"{shop.home}search/", {"q": WORDS})
        browser.post(f"{shop.home}bag/{products[0].pk}/", {"verb": "add"})
        browser.post(f"{shop.home}your-data/change/", {"verb": "hide-tag", "id": shop.styles[0].pk})
        assert browser.get("/api/v1/docs/").status_code == 200  # counted by address
        crowd = set(add_crowd_names(shop))
        people = list(Shopper.objects.filter(merchant=shop.merchant).exclude(pseudonym__in=crowd))
        assert len(people) == 2
        assert Interaction.objects.filter(shopper__in=people).count() >= 7
        assert Slate.objects.filter(shopper__in=people).exists()
        keys = [key.decode() for person in people if (key := key_store.find(person.key_id))]
        assert len(keys) == 1  # of who had something sealed

        for places in (in_database(), in_valkey(valkey_url), in_files(Path(settings.DATA_ROOT))):
            found += traces(CANARIES, places)  # not even while the person is known

        assert api.send("DELETE", f"shoppers/{EMAIL}/").status_code == 204
        browser.post(f"{shop.home}your-data/change/", {"verb": "erase"})

        numbers = {person.pk for person in people}
        for model in (Shopper, Interaction, Slate):
            column = "pk" if model is Shopper else "shopper"
            found += [model.__name__] * model.objects.filter(**{f"{column}__in": numbers}).count()
        found += [f"memory: {number}" for number in numbers & set(history._kept)]
        wanted = [*CANARIES, *keys, *(person.pseudonym for person in people)]
        found += traces(wanted, in_database())
        found += traces(wanted, in_valkey(valkey_url))
        found += traces(wanted, in_files(Path(settings.MEDIA_ROOT), Path(settings.DATA_ROOT), Path(site.DATA_ROOT)))
        found += traces(wanted, iter([("log", log.getvalue().encode())]))
        assert "/api/v1/shoppers/" in log.getvalue()  # something was logged
        return found

    return act_and_search


@pytest.mark.django_db
def test_erasure_leaves_nothing_anywhere(erased):
    assert erased() == []


def _nothing(*_args: object, **_kwargs: object) -> int:
    return 0


def _as_it_is(content: bytes) -> bytes:
    return content


#: What to break, and where the search must then find something.
SABOTAGE: dict[str, tuple[list[tuple[object, str, object]], str]] = {
    "events that wait as they are": (
        [(event_stream, "cover", _as_it_is), (event_stream, "uncover", _as_it_is)],
        "valkey",
    ),
    "visitors by their own name": (
        [(pseudonyms, "pseudonym", lambda merchant_id, visitor_id, epoch: f"{epoch}:{visitor_id}")],
        "recommend_shopper",
    ),
    "addresses as they are": (
        [(AnonymousThrottle, "get_ident", lambda self, request: request.META["REMOTE_ADDR"])],
        "valkey",
    ),
    "rows that stay": ([(shoppers, "forget", key_store.forget)], "Interaction"),
    "a key that stays": ([(key_store, "forget", _nothing)], "shopper-keys.sqlite3"),
    "a history that stays in memory": ([(history, "forget", _nothing)], "memory"),
    "logs that name": ([(log_privacy, "_SHOPPER", re.compile("(nothing of this)"))], "log"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_the_search_finds_what_a_broken_control_leaves(erased, monkeypatch, sabotage):
    breakages, where = SABOTAGE[sabotage]
    for target, name, broken in breakages:
        monkeypatch.setattr(target, name, broken)
    assert any(where in place for place in erased())


def add_crowd_names(shop) -> list[str]:
    """The pseudonyms of everybody who was there before."""
    known = [shoppers.find(merchant=shop.merchant, visitor_id=f"crowd-{number}") for number in range(16)]
    return [person.pseudonym for person in known if person is not None]


@pytest.mark.django_db
def test_the_search_finds_what_is_there(tmp_path, valkey_url):
    """The searches above would have seen a canary: planted in each place, each is found."""
    (tmp_path / "a.json").write_text(f'{{"who": "{EMAIL}"}}')
    (tmp_path / "b.bin").write_bytes(base64.b64encode(f"who={EMAIL}!".encode()))
    assert len(traces([EMAIL], in_files(tmp_path))) == 2
    cache.set("canary", EMAIL, 5)
    assert traces([EMAIL], in_valkey(valkey_url))
    cache.delete("canary")
    client = Client()
    session = client.session
    session["who"] = EMAIL
    session.save()
    assert "session" in traces([EMAIL], in_database())


@pytest.mark.django_db
def test_a_fit_after_an_erasure_has_not_heard_of_the_shopper(tmp_path):
    """The artifact is the same, byte for byte, as of a shop in which the shopper never was."""
    shop = open_shop(products=12)
    add_crowd(shop, people=10, visits=5)
    now = timezone.now().timestamp()

    def files(name: str) -> dict[str, bytes]:
        fitted = fit(
            read_interactions(shop.merchant),
            items=[str(product.pk) for product in shop.products()],
            settings=TINY,
            now=now,
        )
        fitted.save(tmp_path / name)
        return {path.name: path.read_bytes() for path in sorted((tmp_path / name).iterdir())}

    never = files("never")
    person = shoppers.grant_consent(merchant=shop.merchant, visitor_id=EMAIL)
    for product in (shop.products(0)[0], shop.products(1)[0]) * 3:  # nobody else walks from shelf to shelf
        Interaction.objects.create(
            merchant=shop.merchant, event_id=uuid.uuid4(), shopper=person, product=product, kind="purchase"
        )
    assert files("with") != never
    shoppers.erase(shopper=person)
    assert files("after") == never


@pytest.mark.django_db
def test_without_consent_no_profile_exists_whatever_a_visitor_does():
    shop = open_fitted_shop()
    before = Shopper.objects.count(), Interaction.objects.count(), Slate.objects.count()
    for client in (Client(), Client()):
        client.get(shop.home)
        client.get(f"{shop.home}p/{shop.products()[0].pk}/")
        client.get(f"{shop.home}search/", {"q": "vase"})
        client.post(f"{shop.home}bag/{shop.products()[0].pk}/", {"verb": "add"})
    assert (Shopper.objects.count(), Interaction.objects.count(), Slate.objects.count()) == before


def test_a_picture_of_a_canary_would_be_found(tmp_path):
    """Media are searched as bytes: what a picture carries along is seen (the door strips it before it is stored)."""
    (tmp_path / "a.png").write_bytes(picture_bytes() + EMAIL.encode())
    assert len(traces([EMAIL], in_files(tmp_path))) == 1
