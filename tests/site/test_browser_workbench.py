"""The front page and the recommender's screens in a real Chromium: wide and narrow, light and dark, for everybody."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from jobs.models import Job
from recommend import serving
from recommend.models import RecommenderFit, Slate
from recommend.services import catalogue
from tests.browsers import barriers, logged_in
from tests.catalog.factories import MembershipFactory, UserFactory
from tests.recommend import shops

pytestmark = pytest.mark.browser
SCREENS = [
    "/admin/",
    "/admin/recommend/versions/",
    "/admin/recommend/why/",
    "/admin/recommend/merchandisingrule/add/",
    "/admin/recommend/interaction/",
    "/admin/catalog/product/add/",
    "/admin/catalog/auditentry/",
    "/admin/developers/webhookendpoint/add/",
    "/admin/developers/publishablekey/",
    "/admin/styling/styledimage/",
    "/admin/styling/style/",
    "/admin/styling/stylise/",
    "/admin/jobs/job/",
]


@pytest.fixture
def shop(transactional_db):
    serving.forget()
    catalogue.forget()
    shop = shops.open_fitted_shop(products=12)
    MembershipFactory(merchant=shop.merchant, user=UserFactory(username="mei"))
    return shop


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_screens_fit_and_have_no_serious_barrier(live_server, browser, shop, width, scheme):
    page = logged_in(browser, live_server, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for screen in SCREENS:
        page.goto(live_server.url + screen)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, screen
        assert barriers(page) == [], screen
    page.context.close()


def test_the_frame_is_reached_by_keyboard(live_server, browser, shop):
    user = MembershipFactory(merchant__name="A second shop", user=UserFactory(username="of-two")).user
    MembershipFactory(user=user, merchant=shop.merchant)
    page = logged_in(browser, live_server, "of-two")
    page.goto(f"{live_server.url}/admin/catalog/product/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    account = page.get_by_role("button", name="Appearance, language, account")
    account.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    switch = page.locator(".sh-switch summary")
    expect(switch).to_contain_text("A second shop")
    switch.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(switch).to_be_focused()
    page.keyboard.press("Enter")
    page.locator(".sh-menu button", has_text=shop.merchant.name).press("Enter")
    expect(page.locator(".sh-switch summary")).to_contain_text(shop.merchant.name)
    page.context.close()


def test_a_rendering_opens_large_with_before_and_after_under_the_keyboard(live_server, browser, shop):
    page = logged_in(browser, live_server)
    page.goto(f"{live_server.url}/admin/styling/style/{shop.styles[0].pk}/versions/")
    page.locator("button.st-open").first.click()
    slider = page.locator("#compare input[type=range]")
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("51")
    page.keyboard.press(" ")
    expect(slider).to_have_value("0")
    page.keyboard.press("Escape")
    expect(page.locator("#compare")).to_be_hidden()


def test_a_newcomer_opens_a_shop_and_asks_for_demo_data(live_server, browser, transactional_db):
    UserFactory(username="ann")
    page = logged_in(browser, live_server, "ann")
    page.fill("input[name=name]", "Walk shop")
    page.get_by_role("button", name="Open the shop").click()
    page.get_by_text("1 of 9 done").wait_for()
    page.get_by_role("button", name="Fill with demo data").click()
    page.get_by_text("It waits: no worker is running.").wait_for()
    assert Job.objects.get().kind == "site.demo-data"
    page.context.close()


def test_a_taste_is_invented_by_clicking_and_a_fit_is_asked_for(live_server, browser, shop):
    page = logged_in(browser, live_server)
    page.get_by_role("link", name="Why panel").click()
    page.get_by_role("heading", name="A stranger").wait_for()
    page.locator(".wy-choices li").first.locator("a").nth(1).click()
    page.get_by_role("heading", name="Somebody invented").wait_for()
    assert page.get_by_text("100%", exact=True).is_visible()
    page.get_by_role("link", name="Take the last click back").click()
    page.get_by_role("heading", name="A stranger").wait_for()
    assert not Slate.objects.exists()

    page.get_by_role("link", name="Recommender", exact=True).click()
    page.get_by_role("button", name="Fit now").click()
    page.get_by_text("No worker has been seen").first.wait_for()
    assert page.get_by_role("button", name="Fit now").is_disabled()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Try again").wait_for()
    assert RecommenderFit.objects.get().status == "cancelled"
    page.context.close()
