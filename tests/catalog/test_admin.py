"""The admin shows each user's own shops, finds Chinese, and leads on to stylising."""

from __future__ import annotations

import pytest

from catalog.models import Membership
from catalog.search import searchable
from catalog.services.pictures import add_picture
from tests.catalog.factories import MembershipFactory, ProductFactory, picture_bytes

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client):
    member = MembershipFactory(role=Membership.Role.EDITOR)
    client.force_login(member.user)
    return member


def test_own_products_are_listed_and_foreign_ones_do_not_exist(client, member):
    own = ProductFactory(merchant=member.merchant, name="Own vase")
    foreign = ProductFactory(name="Foreign vase")
    page = client.get("/admin/catalog/product/").content.decode()
    assert "Own vase" in page
    assert "Foreign vase" not in page
    assert client.get(f"/admin/catalog/product/{own.pk}/change/").status_code == 200
    assert client.get(f"/admin/catalog/product/{foreign.pk}/change/").status_code == 302


def test_search_knows_chinese(client, member):
    ProductFactory(merchant=member.merchant, name="Celadon", search_text=searchable("青瓷花瓶"))
    ProductFactory(merchant=member.merchant, name="Tenmoku", search_text=searchable("天目碗"))
    page = client.get("/admin/catalog/product/", {"q": "花瓶"}).content.decode()
    assert "Celadon" in page
    assert "Tenmoku" not in page


def test_chosen_products_go_on_to_stylising(client, member):
    product = ProductFactory(merchant=member.merchant)
    body = {"action": "stylise", "_selected_action": [product.pk]}
    response = client.post("/admin/catalog/product/", body)
    assert response.url == f"/admin/styling/stylise/?list=&products={product.pk}"


def test_a_picture_that_leads_to_its_product_says_to_which(client, member):
    product = ProductFactory(merchant=member.merchant, name="Own vase")
    add_picture(product=product, upload=picture_bytes(size=(64, 64)))
    assert 'alt="Own vase"' in client.get("/admin/catalog/product/").content.decode()
