"""The score since the fit: known people, known choices, a known answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommend import serving
from recommend.engine.query import HistoryEvent
from recommend.models import Interaction
from recommend.services import shoppers
from recommend.services.live_score import hits_since
from tests.recommend.shops import open_fitted_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return open_fitted_shop(products=24)


def did(shop, name: str, product, *, hours_ago: float, kind: str = "click") -> None:
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id=name)
    at = timezone.now() - timedelta(hours=hours_ago)
    Interaction.objects.create(merchant=shop.merchant, shopper=shopper, product=product, kind=kind, occurred_at=at)


def test_a_person_is_a_hit_where_the_first_ten_held_what_they_then_chose(shop):
    fitted = serving.deployed(shop.merchant).fitted
    since = timezone.now() - timedelta(hours=1)
    one, other = shop.products(0), shop.products(1)
    for name in ("fulfilled", "surprising", "faithful", "silent"):
        for product in one[:5]:
            did(shop, name, product, hours_ago=5)
    did(shop, "newcomer", one[7], hours_ago=0.5)  # nothing was known of them
    did(shop, "faithful", one[0], hours_ago=0.5)  # nothing new
    did(shop, "silent", one[7], hours_ago=0.5, kind="dislike")
    did(shop, "fulfilled", one[7], hours_ago=0.5)  # of the shelf that they walked along: among the ten
    far = [product for product in other if not _is_near(fitted, one[:5], product, since)]
    did(shop, "surprising", far[0], hours_ago=0.5)

    assert hits_since(shop.merchant, fitted, since) == (1, 2)


def _is_near(fitted, seen, product, since) -> bool:
    """Whether the recommender itself would have shown it."""
    moment = since.timestamp() - 4 * 3600
    query = fitted.query([HistoryEvent(str(one.pk), "click", moment) for one in seen], since.timestamp())
    known = frozenset(str(one.pk) for one in seen)
    return str(product.pk) in {found.item_id for found in fitted.recommend(query, n=10, exclude=known)}


def test_nobody_and_nothing_is_no_score(shop):
    fitted = serving.deployed(shop.merchant).fitted

    assert hits_since(shop.merchant, fitted, timezone.now()) == (0, 0)
