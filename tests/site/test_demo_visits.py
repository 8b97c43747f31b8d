"""The demo's people on the home page: what they saw and clicked is told with the slate that a real shelf kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommend.models import Slate
from recommend.services import events, policies
from stylerec_site.demo import crowd, visits
from tests.recommend.shops import open_fitted_shop

pytestmark = pytest.mark.django_db


def _people(shop, names=("customer-0", "customer-1")):
    from recommend.services import shoppers

    for name in names:
        shoppers.grant_consent(merchant=shop.merchant, visitor_id=name)
    shelves, styles = shop.shelves, shop.styles
    return [crowd.Person(name, (shelves[n].pk,), styles[n].pk) for n, name in enumerate(names)]


def _view(shop, name, moment):
    product = shop.products()[0]
    return {"id": "", "shopper": name, "product": product.sku, "kind": "view", "occurred_at": moment.isoformat()}


def test_whoever_comes_sees_the_home_page_first_and_the_bandit_learns_from_it():
    shop = open_fitted_shop()
    people = _people(shop)
    moment = timezone.now() - timedelta(days=2)
    late = [_view(shop, "customer-0", moment + timedelta(hours=hours)) for hours in range(12)]

    told = visits.HomePage(shop.merchant).weeks(visits.visitors_of(shop.merchant, people), visits.Past([], late))

    slates = {str(slate.pk): slate for slate in Slate.objects.all()}
    assert len(slates) == 24, "twelve visits, two shelves each, and none for the one who did not come"
    assert {slate.created_at.date() for slate in slates.values()} <= {
        moment.date() + timedelta(days=days) for days in (-1, 0, 1)
    }
    seen = [event for event in told if event["kind"] == "impression"]
    assert seen
    for event in seen:
        item = slates[event["slate"]].items[event["position"]]
        assert shop.merchant.products.get(sku=event["product"]).pk == item["product"]
        assert event.get("rendering") == item["rendering"]
    assert len({event["id"] for event in told if event["id"]}) == len(told) - len(late), "no id twice"
    taken, refused = events.parse_batch({"events": [event for event in told if event["id"]]})
    assert not refused
    assert len(taken) == len(told) - len(late)
    assert policies.learn(merchant=shop.merchant) > 0


def test_people_click_more_on_what_they_like():
    shop = open_fitted_shop()
    fond = visits.visitors_of(shop.merchant, _people(shop))[0]
    page = visits.HomePage(shop.merchant)

    told = [event for _ in range(60) for event in page.visit(fond, timezone.now())]

    def rate(is_liked):
        of_shelf = {product.sku for product in shop.products(0)}
        events_there = [event for event in told if (event["product"] in of_shelf) == is_liked]
        clicks = sum(event["kind"] == "click" for event in events_there)
        return clicks / sum(event["kind"] == "impression" for event in events_there)

    assert rate(True) > 2 * rate(False)


def test_the_past_is_cut_where_the_first_version_began():
    now = timezone.now()
    rows = [{"occurred_at": (now - timedelta(days=days)).isoformat()} for days in (40, 22, 20, 1)]

    past = visits.Past.of(rows)

    assert (past.early, past.late) == (rows[:2], rows[2:])
