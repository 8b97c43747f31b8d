"""Reads that are not sent twice, and writes that overwrite nobody."""

from __future__ import annotations

import pytest

from catalog.models import Product
from tests.api.clients import API, client_of
from tests.catalog.factories import ProductFactory
from tests.styling.factories import StyleFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return client_of()


@pytest.fixture
def product(client):
    return ProductFactory(merchant=client.merchant)


def test_what_is_known_already_is_not_sent_again(client, product):
    address = f"{API}/products/{product.pk}/"
    first = client.get(address)
    assert "private" in first["Cache-Control"]
    assert {"Authorization", "Accept-Language"} <= set(first["Vary"].split(", "))
    again = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Product.objects.update(stock=99)
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).json()["stock"] == 99


def test_a_shoppers_recommendations_are_kept_by_nobody(client):
    answer = client.get(f"{API}/recommendations/")
    assert "no-store" in answer["Cache-Control"]
    assert not answer.has_header("ETag")


@pytest.mark.parametrize("kind", ["products", "styles"])
def test_a_change_of_what_changed_meanwhile_is_refused(client, product, kind):
    row = product if kind == "products" else StyleFactory(merchant=client.merchant)
    address = f"{API}/{kind}/{row.pk}/"
    seen = client.get(address)["ETag"]
    first = client.patch(address, {"name": "First"}, format="json", headers={"If-Match": seen})
    assert first.status_code == 200
    late = client.patch(address, {"name": "Late"}, format="json", headers={"If-Match": seen})
    assert (late.status_code, late.json()["error"]["code"]) == (412, "changed-meanwhile")
    assert first["ETag"] == client.get(address)["ETag"]
    follow = client.patch(address, {"name": "Second"}, format="json", headers={"If-Match": first["ETag"]})
    assert (follow.status_code, client.get(address).json()["name"]) == (200, "Second")


@pytest.mark.parametrize("tag", ['W/"weak"', '"other"', "nonsense", '"a", "b"'])
def test_a_tag_that_is_not_the_present_one_never_matches(client, tag):
    style = StyleFactory(merchant=client.merchant)
    answer = client.delete(f"{API}/styles/{style.pk}/", headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "changed-meanwhile")


def test_any_version_will_do_where_the_client_says_so(client, product):
    answer = client.patch(f"{API}/products/{product.pk}/", {"stock": 3}, format="json", headers={"If-Match": "*"})
    assert answer.json()["stock"] == 3
