"""The audit trail shows whoever changes it afterwards."""

from __future__ import annotations

import pytest

from catalog import audit
from catalog.audit_texts import target_text
from catalog.models import AuditEntry
from tests.catalog.factories import MerchantFactory, UserFactory

pytestmark = pytest.mark.django_db


def trail_of(merchant, length: int) -> list[AuditEntry]:
    user = UserFactory(username="mei")
    return [
        audit.record(merchant=merchant, actor=user, action="price-changed", target=merchant, after={"price": n})
        for n in range(length)
    ]


def test_an_untouched_trail_is_whole():
    merchant = MerchantFactory()
    trail_of(merchant, 3)
    assert audit.first_broken(merchant=merchant) is None


def test_a_changed_entry_is_found():
    merchant = MerchantFactory()
    entries = trail_of(merchant, 3)
    AuditEntry.objects.filter(pk=entries[1].pk).update(after={"price": 1_000_000})
    assert audit.first_broken(merchant=merchant) == entries[1]


def test_a_removed_entry_is_found_at_its_successor():
    merchant = MerchantFactory()
    entries = trail_of(merchant, 3)
    entries[1].delete()
    assert audit.first_broken(merchant=merchant) == entries[2]


def test_chains_of_two_shops_do_not_mix():
    one, other = MerchantFactory(), MerchantFactory()
    trail_of(one, 2)
    audit.record(merchant=other, actor=None, action="shop-opened", target=other)
    assert audit.first_broken(merchant=one) is None
    assert audit.first_broken(merchant=other) is None


@pytest.mark.parametrize(
    ("target", "shown"), [("ApiToken:3", "API token #3"), ("Style:4", "Style #4"), ("my-shop", "my-shop")]
)
def test_a_target_is_told_in_words_as_they_are_written(target, shown):
    assert target_text(target) == shown
