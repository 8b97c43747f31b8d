"""The store of shoppers' data keys, and what crashes between it and the database may leave."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection, transaction
from django.utils import timezone

from recommend import pseudonyms
from recommend.models import Interaction, Shopper
from recommend.privacy import key_store
from recommend.services import erasures, shoppers
from tests.recommend.shops import add_crowd, open_shop

pytestmark = pytest.mark.django_db


def make(*key_ids: uuid.UUID) -> dict[uuid.UUID, bytes]:
    return key_store.ensure(key_ids, make=pseudonyms.new_wrapped_key)


@pytest.fixture
def server_store(settings, transactional_db):
    """A key store in a database of its own on the run's PostgreSQL."""
    name = f"keys_{uuid.uuid4().hex[:8]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    settings.SHOPPER_KEYS = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
    yield
    key_store._handler(settings.SHOPPER_KEYS).close_all()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def check_store() -> None:
    """What both kinds of store must do."""
    first, second, third = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    assert key_store.find(first) == b""
    keys = make(first, second)
    assert make(second, first) == keys
    assert key_store.find(first) == keys[first] != keys[second]
    assert key_store.every() == keys
    assert key_store.forget([first, third]) == 1
    assert key_store.find(first) == b""
    assert key_store.count() == 1

    rows = key_store.rows()
    make(third)
    key_store.forget([second])
    assert key_store.add(rows) == 1
    assert key_store.add(rows) == 0
    assert key_store.find(second) == keys[second]
    many = [uuid.uuid4() for _ in range(900)]  # more than one statement holds
    assert len(make(*many)) == 900
    assert key_store.forget(many) == 900


def test_a_file_keeps_makes_and_shreds_keys():
    check_store()


@pytest.mark.postgres
def test_a_server_keeps_makes_and_shreds_keys(server_store):
    check_store()


def test_two_who_make_the_same_key_at_once_get_the_same():
    key_id = uuid.uuid4()
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: make(key_id)[key_id], range(16)))
    assert len(made) == 1


def test_a_shredded_key_is_not_left_in_the_file():
    key_id = uuid.uuid4()
    wrapped = make(key_id)[key_id]
    assert key_store.file().stat().st_mode & 0o077 == 0
    assert wrapped in key_store.file().read_bytes()
    key_store.forget([key_id])
    assert wrapped not in key_store.file().read_bytes()


def test_a_key_without_a_shopper_is_swept_after_the_days_of_grace(settings):
    used, unused = uuid.uuid4(), uuid.uuid4()
    make(used, unused)
    assert key_store.sweep({used}) == 0
    assert key_store.sweep({used, unused}) == 0  # a newer backup was restored: it is in use again
    settings.SHOPPER_KEY_GRACE_DAYS = 0
    assert key_store.sweep({used, unused}) == 0
    assert key_store.sweep({used}) == 1
    assert set(key_store.every()) == {used}


@pytest.fixture
def person(db) -> Shopper:
    return shoppers.grant_consent(merchant=open_shop(products=4).merchant, visitor_id="anna")


def test_consent_alone_needs_no_key_and_a_page_without_sealed_fields_looks_for_none(person, monkeypatch):
    monkeypatch.setattr(key_store, "_connection_to", lambda url: pytest.fail("the key store was asked"))
    assert shoppers.hidden_tags(person) == set()


def test_a_key_whose_shopper_was_rolled_back_is_swept_and_one_that_was_lost_is_made_anew(person, settings):
    with transaction.atomic():
        shoppers.hide_tag(shopper=person, style_id=3)
        transaction.set_rollback(True)
    person.refresh_from_db()
    assert bytes(person.sealed_profile) == b""
    assert key_store.count() == 1
    shoppers.hide_tag(shopper=person, style_id=4)
    assert (shoppers.hidden_tags(person), key_store.count()) == ({4}, 1)

    key_store.forget([person.key_id])  # a key store restored from before
    assert shoppers.hidden_tags(person) == set()
    shoppers.hide_tag(shopper=person, style_id=5)
    assert shoppers.hidden_tags(person) == {5}

    settings.SHOPPER_KEY_GRACE_DAYS = 0
    Shopper.objects.filter(pk=person.pk).update(key_id=uuid.uuid4())
    assert shoppers.tidy_up() == {"finished_erasures": 0, "unused_keys": 1}


@pytest.mark.parametrize("crash_at", [(key_store, "forget"), (shoppers.transaction, "atomic")], ids=["key", "rows"])
def test_an_erasure_that_a_crash_cut_off_is_finished_by_the_purge(person, monkeypatch, crash_at):
    class Crash(Exception):
        pass

    def crash(*args, **kwargs):
        raise Crash

    shoppers.hide_tag(shopper=person, style_id=3)
    with monkeypatch.context() as broken:
        broken.setattr(*crash_at, crash)
        with pytest.raises(Crash):
            shoppers.erase(shopper=person)
    assert Shopper.objects.filter(pk=person.pk).exists()

    assert shoppers.tidy_up()["finished_erasures"] == 1

    assert not Shopper.objects.filter(pk=person.pk).exists()
    assert key_store.find(person.key_id) == b""
    assert shoppers.tidy_up()["finished_erasures"] == 0


def test_whoever_is_purged_or_belongs_to_a_deleted_shop_loses_the_key(settings, db):
    shop = open_shop(products=4)
    idle, active = add_crowd(shop, people=2, visits=1)
    for one in (idle, active):
        shoppers.hide_tag(shopper=one, style_id=1)
    Shopper.objects.filter(pk=idle.pk).update(last_seen_at=timezone.now() - timedelta(days=5000))
    assert shoppers.purge()["shoppers"] == 1
    assert set(key_store.every()) == {active.key_id}
    Interaction.objects.all().delete()
    shop.merchant.delete()
    settings.SHOPPER_KEY_GRACE_DAYS = 0
    assert shoppers.tidy_up()["unused_keys"] == 1


def test_the_list_of_erasures_knows_the_keys(person):
    shoppers.erase(shopper=person)
    assert erasures.erased_keys() == {person.key_id}
