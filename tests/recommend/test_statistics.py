"""The statistics that leave the house: whole weeks, numbers of at least ten shoppers, totals that give nothing away."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import datetime, time, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recommend.models import Interaction, Shopper
from recommend.services.statistics import by_category_style_and_week, last_weeks, weeks_from
from tests.recommend.shops import Api, Shop, open_shop
from tests.styling.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return open_shop(products=4, slug="kiln")


def act(shop: Shop, people: int, *, shelf: int, style: int | None, kind: str = "view", weeks_ago: int = 1) -> None:
    """So many new shoppers each do one thing on the Wednesday of a past week."""
    day = last_weeks(weeks_ago)[-1] + timedelta(days=2) if weeks_ago else timezone.localdate()
    shoppers = Shopper.objects.bulk_create(
        Shopper(merchant=shop.merchant, pseudonym=f"2026q4:{uuid.uuid4().hex}") for _ in range(people)
    )
    Interaction.objects.bulk_create(
        Interaction(
            merchant=shop.merchant,
            shopper=shopper,
            product=shop.products(shelf)[0],
            kind=kind,
            style=None if style is None else shop.styles[style],
            occurred_at=timezone.make_aware(datetime.combine(day, time(12))),
        )
        for shopper in shoppers
    )


def numbers(shop: Shop, measure: str = "looks", weeks: int = 1) -> dict[tuple[str | None, str | None], int | None]:
    lines = by_category_style_and_week(merchant=shop.merchant, weeks=weeks)
    return {(line.category, line.style): line.numbers[measure] for line in lines}


def test_what_is_of_too_few_is_withheld_with_what_would_give_it_away(shop):
    for shelf, style, people in ((0, 0, 20), (0, 1, 3), (1, 0, 30), (1, 1, 40)):
        act(shop, people, shelf=shelf, style=style)
    first, second = (shelf.slug for shelf in shop.shelves)
    ink, pop = (style.slug for style in shop.styles)
    found = numbers(shop)
    assert found == {
        (None, None): 93,
        (None, ink): 50, (None, pop): 43,
        (first, None): 23, (second, None): 70,
        (first, ink): None, (first, pop): None,
        (second, ink): None, (second, pop): None,
    }  # fmt: skip
    assert numbers(shop, "shoppers") == found
    assert set(numbers(shop, "purchases").values()) == {0}


def test_each_measure_is_of_its_own_shoppers(shop):
    act(shop, 20, shelf=0, style=None)
    act(shop, 4, shelf=0, style=None, kind="purchase")
    assert numbers(shop)[shop.shelves[0].slug, ""] == 20
    assert numbers(shop, "shoppers")[shop.shelves[0].slug, ""] == 24
    assert set(numbers(shop, "purchases").values()) == {None}


def test_a_shopper_in_two_cells_is_one_head(shop):
    act(shop, 12, shelf=0, style=0)
    for shopper in Shopper.objects.all():
        first = Interaction.objects.get(shopper=shopper)
        first.pk, first.event_id, first.product = None, uuid.uuid4(), shop.products(1)[0]
        first.save()
    assert numbers(shop, "shoppers")[None, None] == 12
    assert numbers(shop, "looks")[None, None] == 24


def test_weeks_are_whole_and_over(shop):
    act(shop, 30, shelf=0, style=0, weeks_ago=0)
    assert numbers(shop, weeks=26) == {}
    act(shop, 11, shelf=0, style=0, weeks_ago=2)
    assert numbers(shop, weeks=1) == {}
    (week,) = {line.week for line in by_category_style_and_week(merchant=shop.merchant, weeks=2)}
    assert week == last_weeks(2)[-1]
    assert week.weekday() == 0


@pytest.mark.parametrize(
    ("text", "weeks"), [("8", 8), ("0", 1), ("999", 26), ("", 4), ("-3", 4), ("１２", 4), ("9" * 40, 4)]
)
def test_how_many_weeks_are_asked_for(text, weeks):
    assert weeks_from(text, default=4) == weeks


def test_the_csv_and_the_screen_withhold_the_same(shop):
    shop.shelves[0].name = "=SUM(A1)"
    shop.shelves[0].save()
    act(shop, 12, shelf=0, style=0)
    act(shop, 2, shelf=0, style=1)
    client = Client()
    client.force_login(person(shop.merchant))
    page = client.get(reverse("recommending:statistics"), {"shop": shop.merchant.slug, "weeks": "8"})
    assert page.status_code == 200
    assert "at least 10 shoppers" in page.content.decode()
    answer = client.get(reverse("recommending:statistics_csv", args=[shop.merchant.pk]), {"weeks": "8"})
    assert answer["Content-Type"].startswith("text/csv")
    header, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert header == ["Week of", "Category", "Style", "Shoppers", "Impressions", "Looks", "Added to bag", "Purchases"]
    by_name = {(row[1], row[2]): row[3:] for row in rows}
    assert by_name["All categories", "All styles"] == ["14", "0", "14", "0", "0"]
    withheld = [name for name, row in by_name.items() if "withheld" in row]
    assert len(withheld) == 4  # 2 of 14 would follow from either style, and from both styles' totals
    assert all(row[1] != "=SUM(A1)" for row in rows)
    shown = [row["line"].numbers for week in page.context["by_week"] for row in week["rows"]]
    assert [numbers["looks"] for numbers in shown].count(None) == len(withheld)


def test_the_api_tells_the_same(shop):
    act(shop, 12, shelf=0, style=0)
    answer = Api(shop, scope="read").get("statistics/", weeks=2)
    assert answer.status_code == 200
    body = answer.json()
    assert body["smallest_group"] == 10
    total = body["lines"][0]
    assert (total["category"], total["style"], total["numbers"]["looks"]) == (None, None, 12)
    assert {line["category"] for line in body["lines"]} == {None, shop.shelves[0].slug}


def test_the_table_costs_the_same_queries_however_much_happened(shop, django_assert_num_queries):
    act(shop, 30, shelf=0, style=0)
    with django_assert_num_queries(2 + 3):
        numbers(shop, weeks=3)
