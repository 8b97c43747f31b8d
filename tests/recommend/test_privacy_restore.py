"""Erasures reach backups: what is in an archive opens only with keys that are not in it, and are gone after an erasure."""

from __future__ import annotations

import tarfile
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from jobs.errors import UserError
from recommend import pseudonyms
from recommend.models import Interaction, Shopper
from recommend.privacy import archives, key_store
from recommend.services import erasures, shoppers
from stylerec_site.backup import backup, restore
from stylerec_site.key_backup import backup_keys, restore_keys
from tests.recommend.shops import Shop, add_crowd, open_shop

EMAIL = "canary.anna@example.test"
#: A text as a sealed field might hold it.
SECRET = "canary-of-the-sealed-profile"


@pytest.fixture
def shop(transactional_db) -> Shop:
    return open_shop(products=4)


def known(shop: Shop, visitor_id: str) -> Shopper | None:
    return shoppers.find(merchant=shop.merchant, visitor_id=visitor_id)


def arrive(shop: Shop, visitor_id: str = EMAIL) -> Shopper:
    """A shopper with an event and something sealed."""
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id=visitor_id)
    Interaction.objects.create(merchant=shop.merchant, shopper=shopper, product=shop.products()[0], kind="view")
    shoppers.hide_tag(shopper=shopper, style_id=7)
    content = {"hidden_styles": [7], "note": SECRET}
    sealed = pseudonyms.seal(content, wrapped_key=key_store.find(shopper.key_id))
    Shopper.objects.filter(pk=shopper.pk).update(sealed_profile=sealed)
    shopper.refresh_from_db()
    return shopper


def archived(archive: Path) -> bytes:
    """Every byte of every file of an archive."""
    with tarfile.open(archive) as tar:
        return b"".join(file.read() for entry in tar if (file := tar.extractfile(entry)))


def test_an_archive_leads_to_nobody_and_not_even_every_secret_of_the_site_opens_it_after_an_erasure(shop, tmp_path):
    goes, stays = arrive(shop), arrive(shop, "stays")
    client = Client()
    client.get(shop.home)
    client.post(f"{shop.home}bag/{shop.products()[0].pk}/", {"verb": "add"})
    session = Session.objects.get().session_key
    backup(tmp_path / "site.tar")

    content = archived(tmp_path / "site.tar")
    assert shop.products()[0].sku.encode() in content  # the search can find
    wrapped = key_store.find(goes.key_id)
    for canary in (EMAIL.encode(), SECRET.encode(), goes.pseudonym.encode(), session.encode(), wrapped):
        assert canary not in content

    shoppers.erase(shopper=goes)
    restore(tmp_path / "site.tar", overwrite=True)

    assert known(shop, EMAIL) is None
    assert set(Interaction.objects.values_list("shopper", flat=True)) == {stays.pk}
    back = known(shop, "stays")
    assert (back.pk, back.pseudonym, shoppers.hidden_tags(back)) == (stays.pk, stays.pseudonym, {7})
    # What lay in the archive of the erased shopper, tried with every key that is left:
    for key in key_store.every().values():
        assert pseudonyms.unseal(goes.sealed_profile, wrapped_key=key) is None
    assert SECRET in pseudonyms.unseal(back.sealed_profile, wrapped_key=key_store.find(back.key_id))["note"]


def test_without_the_sealing_the_search_finds_the_pseudonym(shop, tmp_path, monkeypatch):
    shopper = arrive(shop)
    monkeypatch.setattr(archives, "concealer", lambda: lambda key_id, pseudonym: pseudonym)
    backup(tmp_path / "site.tar")
    assert shopper.pseudonym.encode() in archived(tmp_path / "site.tar")


@pytest.mark.sqlite
def test_what_was_deleted_before_the_backup_is_not_left_in_free_pages(shop, tmp_path):
    crowd = add_crowd(shop, people=30, visits=2)
    gone = crowd[3]
    shoppers.erase(shopper=gone)
    backup(tmp_path / "site.tar")
    assert gone.pseudonym.encode() not in archived(tmp_path / "site.tar")


def test_a_shopper_who_came_during_the_backup_is_sealed_too(shop, tmp_path, monkeypatch):
    seal = archives.concealer()
    late = shoppers.grant_consent(merchant=shop.merchant, visitor_id="late")
    monkeypatch.setattr(archives, "concealer", lambda: seal)
    backup(tmp_path / "site.tar")
    assert late.pseudonym.encode() not in archived(tmp_path / "site.tar")
    restore(tmp_path / "site.tar", overwrite=True)
    assert known(shop, "late") == late


def test_on_a_new_machine_without_the_keys_a_restore_says_what_is_lost_and_changes_nothing(shop, tmp_path, settings):
    arrive(shop)
    backup(tmp_path / "site.tar")
    backup_keys(tmp_path / "keys.json")
    settings.DATA_ROOT = tmp_path / "new"
    arrive(shop, "somebody else's key is here, and of no use")

    with pytest.raises(CommandError, match=r"no key to any shopper .* without its shoppers"):
        call_command("restore", tmp_path / "site.tar", overwrite=True)
    assert Shopper.objects.count() == 2

    done = restore(tmp_path / "site.tar", overwrite=True, without_keys=True)
    assert done["revealed"] == archives.Revealed(shoppers=0, forgotten=1, events_forgotten=1)
    assert Shopper.objects.count() == 0
    assert Interaction.objects.count() == 0
    assert len(shop.products()) == 4
    page = Client()
    assert page.get(shop.home).status_code == 200
    page.post(f"{shop.home}consent/", {"answer": "yes"})
    assert Shopper.objects.count() == 1

    restore_keys(tmp_path / "keys.json")
    assert restore(tmp_path / "site.tar", overwrite=True)["revealed"].shoppers == 1
    assert shoppers.hidden_tags(known(shop, EMAIL)) == {7}


def test_a_key_that_comes_back_from_a_backup_of_the_keys_is_not_that_of_an_erased_shopper(shop, tmp_path):
    goes, stays = arrive(shop), arrive(shop, "stays")
    backup(tmp_path / "site.tar")
    assert backup_keys(tmp_path / "keys.json") == 2
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0
    shoppers.erase(shopper=goes)
    key_store.forget([stays.key_id])

    assert restore_keys(tmp_path / "keys.json") == {"added": 1, "erased": 1, "here": 1}
    restore(tmp_path / "site.tar", overwrite=True)
    assert known(shop, EMAIL) is None
    assert shoppers.hidden_tags(known(shop, "stays")) == {7}


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', '{"format": 99, "shopper_keys": []}'])
def test_a_file_that_is_no_backup_of_keys_is_refused(tmp_path, content):
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(UserError) as refused:
        restore_keys(tmp_path / "keys.json")
    assert refused.value.code in {"keys-broken", "keys-foreign"}


def test_the_commands_say_what_was_done(shop, tmp_path, capsys):
    goes, _stays = arrive(shop), arrive(shop, "stays")
    call_command("backup", tmp_path / "site.tar")
    call_command("backup", tmp_path / "keys.json", keys=True)
    shoppers.erase(shopper=goes)
    call_command("restore", tmp_path / "site.tar", overwrite=True)
    call_command("restore", tmp_path / "keys.json", keys=True)
    said = capsys.readouterr().out
    assert "2 keys. Keep it apart" in said
    assert "Shoppers: 1 are back." in said
    assert "1 had no key here" in said
    assert "with their 1 events" in said
    assert "Added 0 keys, left out 1 of erased shoppers; 1 are here." in said


def test_erasures_are_done_again_where_the_key_store_was_rolled_back_too(shop, tmp_path):
    """An operator who restores a whole disk brings the key back as well: the list of erasures knows."""
    goes = arrive(shop)
    backup(tmp_path / "site.tar")
    rows = key_store.rows()
    shoppers.erase(shopper=goes)
    key_store.add(rows)
    assert restore(tmp_path / "site.tar", overwrite=True)["erased_again"] == 1
    assert known(shop, EMAIL) is None
    assert key_store.count() == 0


def test_an_archive_of_before_keys_had_names_brings_nobody_back_who_was_erased_since(shop, tmp_path, monkeypatch):
    """Its rows get names anew when they are brought up to date, other ones than those that the list of erasures knows."""
    goes, stays = arrive(shop), arrive(shop, "stays")
    with monkeypatch.context() as of_then:
        of_then.setattr("stylerec_site.backup.FORMAT", 1)
        of_then.setattr(archives, "concealer", lambda: lambda key_id, pseudonym: pseudonym)
        of_then.setattr(archives, "sample", list)
        Shopper.objects.filter(pk=goes.pk).update(key_id=uuid.uuid4())
        backup(tmp_path / "site.tar")
    Shopper.objects.filter(pk=goes.pk).update(key_id=goes.key_id)
    shoppers.erase(shopper=goes)

    assert restore(tmp_path / "site.tar", overwrite=True)["erased_again"] == 1
    assert (known(shop, EMAIL), known(shop, "stays")) == (None, stays)


@pytest.mark.django_db
def test_an_erasure_of_before_keys_had_names_and_a_later_shopper_of_the_same_number_are_no_concern():
    shop = open_shop(products=4)
    first, second = add_crowd(shop, people=2, visits=2)
    erasures.ledger().parent.mkdir(parents=True, exist_ok=True)
    at = timezone.now().isoformat()
    erasures.ledger().write_text(f'{{"at": "{at}", "merchant": {shop.merchant.pk}, "shopper": {first.pk}}}')
    assert shoppers.erase_again(since=timezone.now()) == 0
    Shopper.objects.filter(pk=first.pk).update(created_at=timezone.now() + timedelta(minutes=1))
    assert shoppers.erase_again(since=timezone.now() - timedelta(hours=1)) == 0
    assert set(Shopper.objects.all()) == {first, second}
    Shopper.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=1))
    assert shoppers.erase_again(since=timezone.now() - timedelta(hours=1)) == 1
    assert set(Shopper.objects.all()) == {second}


@pytest.mark.django_db
def test_the_list_of_erasures_names_nobody():
    shop = open_shop(products=4)
    person = shoppers.grant_consent(merchant=shop.merchant, visitor_id=EMAIL)
    shoppers.erase(shopper=person)
    text = erasures.ledger().read_text()
    assert EMAIL not in text
    assert person.pseudonym not in text
    assert len([line for line in text.splitlines() if line]) == 1


@pytest.mark.django_db
def test_a_torn_line_hides_no_other():
    shop = open_shop(products=4)
    person = shoppers.grant_consent(merchant=shop.merchant, visitor_id=EMAIL)
    erasures.write_down(person)
    with erasures.ledger().open("a") as file:
        file.write('\n{"at": "2026-')
    other = shoppers.grant_consent(merchant=shop.merchant, visitor_id="anna")
    erasures.write_down(other)
    assert shoppers.erase_again(since=timezone.now() - timedelta(hours=1)) == 2
