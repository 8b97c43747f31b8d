"""Freshness and drift: what is found of a shop whose figures are known, and who is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from recommend.models import Interaction, Recommender, Slate
from recommend.services import shoppers
from recommend.services.health import health_of, known_warnings
from recommend.tasks import fit_due_shops
from tests.recommend.shops import open_shop
from tests.styling.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def shop():
    """A shop whose version in use was fitted five days ago."""
    shop = open_shop(products=8)
    version = Recommender.objects.create(
        merchant=shop.merchant, version=1, directory="x", status="deployed", metrics={"events": 400}
    )
    Recommender.objects.filter(pk=version.pk).update(created_at=timezone.now() - timedelta(days=5))
    return shop


@pytest.fixture
def anna(shop):
    return shoppers.grant_consent(merchant=shop.merchant, visitor_id="anna")


def happened(shop, shopper, *, days_ago: float, shelf: int = 0, style: int = 0, **kinds: int) -> None:
    product = shop.products(shelf)[0]
    at = timezone.now() - timedelta(days=days_ago)
    rows = [
        Interaction(
            merchant=shop.merchant,
            shopper=shopper,
            product=product,
            kind=kind,
            style=shop.styles[style],
            occurred_at=at,
        )
        for kind, count in kinds.items()
        for _number in range(count)
    ]
    Interaction.objects.bulk_create(rows)
    Interaction.objects.filter(occurred_at=at).update(received_at=at)


def shelves(shop, shopper, *, count: int, fallback: int) -> None:
    """Shelves of four places each, of which so many are filled by the fallback."""
    products = shop.products()[:4]
    items = [
        {"product": product.pk, "reason": "new-arrival" if place < fallback else "popular-now"}
        for place, product in enumerate(products)
    ]
    Slate.objects.bulk_create(
        Slate(merchant=shop.merchant, shopper=shopper, slot="home", items=items) for _number in range(count)
    )


def test_a_quiet_shop_is_healthy(shop, anna):
    happened(shop, anna, days_ago=10, impression=900, click=90)
    happened(shop, anna, days_ago=1, impression=900, click=90)
    shelves(shop, anna, count=30, fallback=0)
    found = health_of(shop.merchant)

    assert found.warnings == []
    assert (found.new_events, found.age.days) == (90, 5)
    assert (found.before.clicks, found.before.impressions) == (90, 900)
    assert (found.recent.clicks, found.recent.impressions) == (90, 900)
    assert (found.answers.shelves, found.answers.fallback_share, found.answers.coverage) == (30, 0.0, 0.5)


def test_every_alarm_sounds_for_its_own_reason(shop, anna):
    happened(shop, anna, days_ago=10, shelf=0, style=0, impression=2000, click=400)
    happened(shop, anna, days_ago=1, shelf=1, style=1, impression=2000, click=210, view=300)
    shelves(shop, anna, count=30, fallback=2)

    assert health_of(shop.merchant).warnings == ["stale", "fallback", "clicks-down", "categories", "styles"]


def test_few_events_raise_no_alarm(shop, anna):
    happened(shop, anna, days_ago=10, shelf=0, impression=60, click=20)
    happened(shop, anna, days_ago=1, shelf=1, impression=60, click=1)
    shelves(shop, anna, count=3, fallback=4)

    assert health_of(shop.merchant).warnings == []


def test_an_old_version_is_stale_only_where_there_is_something_to_learn(shop, anna):
    Recommender.objects.update(created_at=timezone.now() - timedelta(days=9))
    assert health_of(shop.merchant).warnings == []
    happened(shop, anna, days_ago=1, click=1)

    assert health_of(shop.merchant).warnings == ["stale"]


def test_the_schedule_looks_and_the_front_page_tells(client, shop, anna):
    happened(shop, anna, days_ago=1, view=210)
    client.force_login(person(shop.merchant, "viewer"))
    assert known_warnings(shop.merchant) == []
    assert "stale" not in client.get(reverse("admin:index")).content.decode()
    fit_due_shops()

    assert known_warnings(shop.merchant) == ["stale"]
    assert "The recommender is stale" in client.get(reverse("admin:index")).content.decode()


def test_the_screen_shows_figures_and_the_way_to_a_fit(client, shop, anna):
    happened(shop, anna, days_ago=10, shelf=0, impression=2000, click=400)
    happened(shop, anna, days_ago=1, shelf=1, impression=2000, click=200)
    shelves(shop, anna, count=30, fallback=0)
    client.force_login(person(shop.merchant, "editor"))
    text = client.get(reverse("recommending:health")).content.decode()

    assert "Shoppers look at other kinds of products" in text
    assert shop.shelves[0].name in text
    assert 'class="dc-area"' in text
    assert reverse("recommending:fit", args=[shop.merchant.pk]) in text
    client.force_login(person(shop.merchant, "viewer"))
    assert (
        reverse("recommending:fit", args=[shop.merchant.pk])
        not in client.get(reverse("recommending:health")).content.decode()
    )


def test_a_shop_without_a_version_is_told_to_fit_one(client):
    shop = open_shop(products=2)
    client.force_login(person(shop.merchant, "viewer"))

    assert "No recommender is in use yet" in client.get(reverse("recommending:health")).content.decode()
    assert health_of(shop.merchant).warnings == []
