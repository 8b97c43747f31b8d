"""Erasures outlive a restore."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommend.models import Interaction, Shopper
from recommend.services import erasures, shoppers
from stylerec_site.backup import backup, restore
from tests.recommend.shops import add_crowd, open_shop

EMAIL = "canary.anna@example.test"


@pytest.mark.django_db(transaction=True)
def test_a_restored_backup_forgets_who_was_erased_since(tmp_path):
    shop = open_shop(products=4)
    stays, goes = add_crowd(shop, people=2, visits=2)
    backup(tmp_path / "site.tar")
    shoppers.erase(shopper=goes)

    done = restore(tmp_path / "site.tar", overwrite=True)

    assert done["erased_again"] == 1
    assert list(Shopper.objects.all()) == [stays]
    assert set(Interaction.objects.values_list("shopper", flat=True)) == {stays.pk}


@pytest.mark.django_db
def test_an_erasure_before_the_backup_and_a_later_shopper_of_the_same_number_are_no_concern():
    shop = open_shop(products=4)
    first, second = add_crowd(shop, people=2, visits=2)
    erasures.write_down(first)
    assert shoppers.erase_again(since=timezone.now()) == 0
    Shopper.objects.filter(pk=first.pk).update(created_at=timezone.now() + timedelta(minutes=1))
    assert shoppers.erase_again(since=timezone.now() - timedelta(hours=1)) == 0
    assert set(Shopper.objects.all()) == {first, second}


@pytest.mark.django_db
def test_the_list_of_erasures_names_nobody(settings):
    shop = open_shop(products=4)
    person = shoppers.grant_consent(merchant=shop.merchant, visitor_id=EMAIL)
    shoppers.erase(shopper=person)
    text = erasures.ledger().read_text()
    assert EMAIL not in text
    assert person.pseudonym not in text
    assert text.count("\n") == 1


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
