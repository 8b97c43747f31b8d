"""Many products at once, each with its own outcome."""

from __future__ import annotations

import pytest

from catalog.bulk import MOST_PRODUCTS
from catalog.models import Product
from tests.api.clients import API, client_of
from tests.catalog.factories import CategoryFactory, ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return client_of()


def test_the_good_ones_are_saved_and_the_bad_ones_answered_for(client):
    known = ProductFactory(merchant=client.merchant, sku="OLD", price="10.00")
    foreign = CategoryFactory(slug="theirs")
    items = [
        {"sku": "OLD", "name": known.name, "price": "11.00"},
        {"sku": "NEW", "name": "New", "price": "5"},
        {"sku": "BAD", "name": "Bad", "price": "minus one"},
        {"sku": "FOREIGN", "name": "Foreign", "price": "5", "category": foreign.slug},
        "no product at all",
        {"sku": "NEW", "name": "New again", "price": "6"},
    ]
    answer = client.post(f"{API}/products/bulk/", {"products": items}, format="json")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["created"], found["changed"], found["refused"]) == (1, 2, 3)
    outcomes = [(row["index"], row["sku"], row["outcome"], row["code"]) for row in found["results"]]
    assert outcomes == [
        (0, "OLD", "changed", ""),
        (1, "NEW", "created", ""),
        (2, "BAD", "refused", "invalid"),
        (3, "FOREIGN", "refused", "invalid"),
        (4, "", "refused", "invalid"),
        (5, "NEW", "changed", ""),
    ]
    assert list(found["results"][2]["details"]) == ["price"]
    assert list(found["results"][3]["details"]) == ["category"]
    shown = Product.objects.filter(merchant=client.merchant).order_by("sku").values_list("sku", "name", "price")
    assert [(sku, name, float(price)) for sku, name, price in shown] == [
        ("NEW", "New again", 6.0),
        ("OLD", known.name, 11.0),
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "products-missing"),
        ([], "products-missing"),
        ({"products": []}, "products-missing"),
        ({"products": {"sku": "A"}}, "products-missing"),
        ({"products": [{}] * (MOST_PRODUCTS + 1)}, "too-many-products"),
    ],
)
def test_a_body_without_a_list_or_with_too_long_a_one_is_refused_whole(client, body, code):
    answer = client.post(f"{API}/products/bulk/", body, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert not Product.objects.exists()
