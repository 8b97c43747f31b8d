"""Counts by day: each event once, whenever it comes in, and the same as counting every event again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommend.models import CountedUntil, DailyCount, Interaction
from recommend.services import shoppers
from recommend.services.daily_rates import Counts, count_up, daily_rates
from tests.recommend.shops import add_crowd, open_shop

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def shop():
    return open_shop(products=4)


def events(shop, **kinds: int) -> None:
    """So many events of each kind, now, in the first style, of the first product."""
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id="anna")
    product = shop.products()[0]
    Interaction.objects.bulk_create(
        Interaction(
            merchant=shop.merchant, shopper=shopper, product=product, kind=kind, style=shop.styles[0], slot="home"
        )
        for kind, count in kinds.items()
        for _number in range(count)
    )


def settle() -> None:
    """Let what has come in lie long enough to be counted for good."""
    Interaction.objects.update(received_at=timezone.now() - timedelta(minutes=2))


def test_what_is_counted_for_good_and_what_came_in_since_add_up(shop):
    events(shop, impression=6, click=2, rating=1)
    settle()
    count_up()
    events(shop, impression=4, click=1, purchase=1)
    found = daily_rates(shop.merchant, TODAY())

    expected = Counts(impressions=10, clicks=3, purchases=1)
    assert DailyCount.objects.get(by="all").impressions == 6
    assert found.total == expected
    assert found.by_day == {TODAY(): expected}
    assert found.styles == {str(shop.styles[0].pk): expected}
    assert found.categories == {str(shop.shelves[0].pk): expected}
    assert found.places == {"home": expected}


def test_counting_again_counts_nothing_twice_and_late_events_go_to_their_day(shop):
    events(shop, click=3)
    settle()
    assert count_up() > 0
    assert count_up() == 0
    assert DailyCount.objects.get(by="all").clicks == 3
    events(shop, click=1)
    late = Interaction.objects.latest("pk")
    Interaction.objects.filter(pk=late.pk).update(occurred_at=timezone.now() - timedelta(days=3))
    settle()
    assert count_up() == 1

    yesterday = TODAY() - timedelta(days=1)
    found = daily_rates(shop.merchant, TODAY() - timedelta(days=5))
    assert {day: counts.clicks for day, counts in found.by_day.items()} == {
        TODAY(): 3,
        TODAY() - timedelta(days=3): 1,
    }
    assert found.between(TODAY() - timedelta(days=4), yesterday).clicks == 1
    assert daily_rates(shop.merchant, TODAY() - timedelta(days=5), yesterday).total.clicks == 1
    assert daily_rates(shop.merchant, yesterday).total.clicks == 3


def test_another_shops_events_are_its_own(shop):
    neighbour = open_shop(products=2)
    events(shop, click=2)
    events(neighbour, click=5)
    assert daily_rates(shop.merchant, TODAY()).total.clicks == 2
    settle()
    count_up()

    assert daily_rates(neighbour.merchant, TODAY()).total.clicks == 5


def test_a_reader_counts_up_where_the_schedule_has_not(shop):
    count_up()
    events(shop, click=2)
    settle()
    daily_rates(shop.merchant, TODAY())
    assert not DailyCount.objects.exists(), "the state is young"
    CountedUntil.objects.update(at=timezone.now() - timedelta(hours=1))

    assert daily_rates(shop.merchant, TODAY()).total.clicks == 2
    assert DailyCount.objects.get(by="all").clicks == 2


def test_counts_name_nobody_and_outlive_an_erasure(shop):
    (shopper,) = add_crowd(shop, people=1, visits=2)
    settle()
    count_up()
    before = list(DailyCount.objects.order_by("pk").values())
    shoppers.erase(shopper=shopper)

    assert list(DailyCount.objects.order_by("pk").values()) == before
    assert not any(shopper.pseudonym in str(value) for row in before for value in row.values())
    assert {field.name for field in DailyCount._meta.fields} == {
        "id", "merchant", "day", "by", "key", "impressions", "views", "clicks", "bags", "purchases",
    }  # fmt: skip
