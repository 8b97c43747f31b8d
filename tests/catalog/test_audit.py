"""The audit trail shows whoever changes it afterwards."""

from __future__ import annotations

import pytest

from catalog import audit
from catalog.audit_texts import changes_text, names_of, target_text
from catalog.models import AuditEntry
from tests.catalog.factories import MerchantFactory, ProductFactory, UserFactory

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


def test_the_list_tells_names_and_what_changed(django_assert_num_queries):
    merchant = MerchantFactory(name="Kiln", name_zh="")
    products = ProductFactory.create_batch(3, merchant=merchant)
    targets = [f"Product:{product.pk}" for product in products]
    with django_assert_num_queries(2):
        names = names_of([*targets, f"Merchant:{merchant.pk}", "Product:999999", "Shopper:1", "Style:x", "my-shop"])
    assert names[targets[0]] == products[0].display_name
    assert names[f"Merchant:{merchant.pk}"] == "Kiln"
    assert not names.keys() & {"Product:999999", "Shopper:1", "Style:x", "my-shop"}
    assert (
        changes_text("Product:1", {"price": "18.00", "stock": 3}, {"price": "19.50", "stock": 3})
        == "price: 18.00 → 19.50"
    )
    assert changes_text("Merchant:1", {}, {"renderings": [4, 5], "batch": "x"}) == "2 renderings"
    assert changes_text("Membership:1", {}, {"role": "editor"}) == "role: editor"
