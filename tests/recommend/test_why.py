"""The why panel: the page that a shopper would get, and what it was chosen by."""

from __future__ import annotations

import pytest
from django.urls import reverse

from recommend.admin_views.codes import code_of
from recommend.models import Interaction, MerchandisingRule, Shopper, Slate
from recommend.services import what_if
from recommend.services.what_if import Click
from tests.recommend import shops
from tests.styling.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return shops.open_fitted_shop()


@pytest.fixture
def log_in(client, shop):
    client.force_login(person(shop.merchant, "editor"))
    return client


def looked_at(shop, shelf, style=None):
    """Somebody who clicked four products of a shelf."""
    return [Click(product.pk, style) for product in shop.products(shelf)[:4]]


def on_shelf(page, shop, shelf):
    """How many of the first eight products come from this shelf."""
    return sum(item.product.category_id == shop.shelves[shelf].pk for item in page.slates["home"].items)


def test_an_invented_taste_changes_the_page(shop):
    first = what_if.invented_page(merchant=shop.merchant, clicks=looked_at(shop, 0))
    second = what_if.invented_page(merchant=shop.merchant, clicks=looked_at(shop, 1))
    assert [item.product.pk for item in first.slates["home"].items] != [
        item.product.pk for item in second.slates["home"].items
    ]
    assert first.is_personal
    assert [product.category_id for product in first.recent] == [shop.shelves[0].pk] * 4


def test_a_score_is_the_sum_of_its_parts(shop):
    page = what_if.invented_page(merchant=shop.merchant, clicks=looked_at(shop, 0))
    explained = [item for slot in ("home", "style") for item in page.slates[slot].items if item.parts]
    assert {len(item.parts) for item in explained} == {1, 6}
    for item in explained:
        assert sum(item.parts.values()) == pytest.approx(item.score, abs=1e-3)
        assert item.reason


def test_an_invented_liking_for_a_style_shows_in_the_shares_and_the_renderings(shop):
    style = shop.styles[1]
    clicks = [Click(product.pk, style.pk) for product in shop.products()[:10]]
    page = what_if.invented_page(merchant=shop.merchant, clicks=clicks)
    assert [(share.style, round(share.share, 6)) for share in page.styles] == [(style, 1.0)]
    shown = [item.rendering.style_id if item.rendering else None for item in page.slates["home"].items]
    assert shown.count(style.pk) > len(shown) / 2


def test_a_stranger_sees_photos_and_the_page_says_so(log_in, shop):
    page = log_in.get(reverse("recommending:why"))
    assert not page.context["shown"].is_personal
    assert "nothing is known of this visitor, so they see photos" in page.content.decode()


def test_a_shopper_is_found_by_the_short_code_and_gets_the_page_of_the_storefront(log_in, shop):
    browser = shops.visitor(shop)
    shops.walk(browser, shop, shelf=0, style=1)
    storefront = shops.shown(browser, shop)
    shopper = Shopper.objects.order_by("-pk").first()
    before = (Slate.objects.count(), Interaction.objects.count())
    page = log_in.get(reverse("recommending:why"), {"shopper": code_of(shopper)})
    items = page.context["shown"].slates["home"].items
    assert [(item.product.pk, item.rendering.style_id if item.rendering else 0) for item in items] == storefront
    assert shopper.pseudonym not in page.content.decode()
    assert (Slate.objects.count(), Interaction.objects.count()) == before  # looking leaves no trace


def test_whoever_switched_personalisation_off_gets_a_strangers_page(log_in, shop):
    shopper = Shopper.objects.filter(merchant=shop.merchant).first()
    Shopper.objects.filter(pk=shopper.pk).update(personalisation_enabled=False)
    page = log_in.get(reverse("recommending:why"), {"shopper": code_of(shopper)})
    assert "They have switched personalisation off" in page.content.decode()
    assert not page.context["shown"].is_personal


def test_a_rules_mark_is_told(log_in, shop):
    product = shop.products()[5]
    MerchandisingRule.objects.create(merchant=shop.merchant, effect="pin", product=product)
    page = log_in.get(reverse("recommending:why"), {"clicks": str(shop.products()[0].pk)}).content.decode()
    assert "pinned by a rule" in page
    assert "Chosen by the shop" in page


@pytest.mark.parametrize("clicks", ["x", "1s", "9" * 40, ",,,", "12s3s4", "'; drop", "7,7,7"])
def test_odd_addresses_are_passed_over(log_in, clicks):
    assert log_in.get(reverse("recommending:why"), {"clicks": clicks, "q": "\0", "shopper": "' or"}).status_code == 200


def test_another_shops_shoppers_cannot_be_looked_at(log_in, shop):
    other = shops.open_shop(products=4)
    (foreign,) = shops.add_crowd(other, people=1)
    page = log_in.get(reverse("recommending:why"), {"shopper": code_of(foreign), "shop": other.merchant.slug})
    assert page.context["shopper"] is None
    assert page.context["shop"] == shop.merchant
    assert "No shopper of yours has this code" in page.content.decode()


def test_products_are_found_in_chinese_too(log_in, shop):
    page = log_in.get(reverse("recommending:why"), {"q": "花瓶"})
    assert page.context["choices"]
    assert not log_in.get(reverse("recommending:why"), {"q": "桌子"}).context["choices"]


def test_the_panel_costs_the_same_whatever_there_is(log_in, shop, django_assert_max_num_queries):
    shopper = Shopper.objects.filter(merchant=shop.merchant).first()
    log_in.get(reverse("recommending:why"))
    with django_assert_max_num_queries(24):
        log_in.get(reverse("recommending:why"), {"shopper": code_of(shopper)})
