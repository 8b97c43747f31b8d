"""A prepared read gives what the plain queryset gives, for any values; a prepared insert what ``create`` would."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.models import Product
from catalog.prepared import PreparedRead, PreparedRows, insert, update
from recommend.models import Slate
from recommend.services import shoppers
from tests.recommend.shops import open_shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 9])
def test_the_same_rows_as_the_plain_queryset_for_lists_of_any_length(count):
    shop, other = open_shop(products=12), open_shop(products=12)
    read = PreparedRead(
        lambda merchant_id, ids: (
            Product.objects.filter(merchant_id=merchant_id, pk__in=ids)
            .order_by("pk")
            .values_list("sku", "price", "created_at", "stock")
        )
    )
    for asked in (shop, other):
        ids = [product.pk for product in asked.products()][:count]
        plain = Product.objects.filter(pk__in=ids).order_by("pk").values_list("sku", "price", "created_at", "stock")
        assert read.rows(asked.merchant.pk, ids) == list(plain)
    assert read.rows(shop.merchant.pk, [product.pk for product in other.products()]) == []
    assert read.rows(shop.merchant.pk, []) == []


@pytest.mark.parametrize("sku", ["P0001", "nothing", "' OR 1=1 --", "%s", "%", ""])
def test_values_stay_values(sku):
    shop = open_shop(products=3)
    read = PreparedRows(Product, lambda merchant_id, sku: Product.objects.filter(merchant_id=merchant_id, sku=sku))
    for _ in range(2):
        found = read.first(shop.merchant.pk, sku)
        assert found == Product.objects.filter(merchant=shop.merchant, sku=sku).first()
    if sku == "P0001":
        assert (found.price, found.get_deferred_fields()) == (Decimal("11.00"), set())


def test_inserted_rows_are_whole():
    shop = open_shop(products=1)
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id="somebody")
    rows = [
        Slate(merchant=shop.merchant, shopper=shopper, slot=slot, items=[{"product": 1, "名": "%s"}])
        for slot in ("home", "new")
    ]
    insert(rows)
    insert([])

    stored = {slate.slot: slate for slate in Slate.objects.all()}
    assert stored["home"].pk == rows[0].pk
    assert stored["new"].items == rows[1].items
    assert stored["new"].created_at is not None


def test_related_rows_come_along(django_assert_num_queries):
    shop = open_shop(products=1)
    read = PreparedRows(Product, lambda sku: Product.objects.filter(sku=sku), related=["merchant", "category"])
    with django_assert_num_queries(1):
        found = read.first("P0000")
        assert (found.merchant, found.category) == (shop.merchant, shop.shelves[0])
        assert found.merchant.name == shop.merchant.name


def test_a_foreign_key_that_leads_nowhere_is_none():
    product = open_shop(products=1).products()[0]
    Product.objects.filter(pk=product.pk).update(category=None)
    read = PreparedRows(Product, lambda pk: Product.objects.filter(pk=pk), related=["category"])
    assert read.first(product.pk).category is None


def test_updated_rows_have_the_named_fields_and_no_others():
    shop = open_shop(products=3)
    rows = shop.products()
    for number, product in enumerate(rows):
        product.price, product.category, product.stock, product.name = Decimal(f"{number}.50"), None, None, "unnamed"
    update(rows[:2], {"price", "category", "stock"})
    update([], {"price"})

    first, second, third = shop.products()
    assert (first.price, first.category, first.stock) == (Decimal("0.50"), None, None)
    assert (second.price, second.category, second.stock) == (Decimal("1.50"), None, None)
    assert third.category is not None
    assert "unnamed" not in {first.name, second.name}
