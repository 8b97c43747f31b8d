"""Experiments and drift in a real Chromium: the plan follows the form, screens fit, and nobody is kept out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from recommend import serving
from recommend.experiments.models import Experiment
from recommend.experiments.services import lifecycle
from recommend.services import catalogue
from tests.browsers import barriers, logged_in
from tests.catalog.factories import MembershipFactory, UserFactory
from tests.recommend.experiments import draft, take_part
from tests.recommend.shops import Shop, open_fitted_shop

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(transactional_db) -> Shop:
    cache.clear()
    serving.forget()
    catalogue.forget()
    shop = open_fitted_shop(products=8)
    MembershipFactory(merchant=shop.merchant, user=UserFactory(username="mei"))
    return shop


def decided_experiment(shop: Shop) -> Experiment:
    """One that is ready to be rolled out, with a course of some days."""
    boss = shop.merchant.memberships.get(user__username="mei").user
    experiment = lifecycle.start(experiment=draft(shop, by=boss, uplift=0.5, base_rate=0.2), by=boss)
    Experiment.objects.update(started_at=timezone.now() - timedelta(days=5))
    for variant, clicking in zip(experiment.variants.all(), (40, 100), strict=True):
        for day in (4, 2):
            take_part(shop, experiment, variant, count=200, clicking=clicking, days_ago=day, mark=str(day))
    return experiment


@pytest.mark.parametrize("broken", ["no connection", "no JSON"])
def test_a_plan_that_cannot_be_had_is_said_and_asked_for_again(live_server, browser, shop, broken):
    page = logged_in(browser, live_server)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    answers = {"no connection": lambda route: route.abort(), "no JSON": lambda route: route.fulfill(body="<html>")}
    page.route("**/plan/**", answers[broken])
    page.goto(f"{live_server.url}/admin/experiments/new/")
    expect(page.locator('[data-part="when"]')).to_have_text("That did not work. Reload the page and try again.")
    page.unroute("**/plan/**")
    page.locator("#experiment input[name=taking_part]").dispatch_event("input")
    expect(page.locator('[data-part="when"]')).not_to_have_text("That did not work. Reload the page and try again.")
    assert errors == []


def test_a_merchant_asks_and_the_plan_follows_the_form(live_server, browser, shop):
    page = logged_in(browser, live_server)
    page.goto(f"{live_server.url}/admin/experiments/new/")
    plan = page.locator('[data-part="shoppers"]')
    expect(plan).to_contain_text("about")
    before = plan.text_content()
    page.get_by_text("Pictures in a style").click()
    expect(page.locator("select[name=rendering_b]")).to_be_visible()
    expect(page.locator("select[name=strategy_b]")).to_be_hidden()
    page.locator("input[name=uplift]").fill("60")
    expect(plan).not_to_have_text(before)
    page.fill("input[name=name]", "Photos or renderings")
    page.get_by_role("button", name="Start now").click()
    expect(page.get_by_text("Too early to say anything")).to_be_visible()

    made = Experiment.objects.get()
    assert (made.status, made.subject, made.uplift) == ("running", "rendering", 0.6)
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_screens_fit_and_have_no_serious_barrier(live_server, browser, shop, width, scheme):
    experiment = decided_experiment(shop)
    page = logged_in(browser, live_server, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for screen in (
        f"/admin/experiments/{experiment.pk}/",
        "/admin/experiments/new/",
        "/admin/experiments/experiment/",
        "/admin/recommend/health/",
    ):
        page.goto(live_server.url + screen)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, screen
        assert barriers(page) == [], screen
    page.context.close()


def test_the_winner_is_rolled_out_with_one_click_and_taken_back_with_another(live_server, browser, shop):
    experiment = decided_experiment(shop)
    page = logged_in(browser, live_server)
    page.goto(f"{live_server.url}/admin/experiments/{experiment.pk}/")
    page.get_by_role("button", name="Roll out “Popular for everybody”").click()
    expect(page.get_by_text("Everybody gets “Popular for everybody”.")).to_be_visible()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("button", name="Roll out Popular for everybody")).to_be_visible()
    page.context.close()
