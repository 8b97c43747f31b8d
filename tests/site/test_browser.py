"""The storefront and the admin in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from catalog.services.pictures import add_picture
from recommend.models import Interaction, Shopper
from tests.browsers import watched_page
from tests.catalog.factories import MembershipFactory, ProductFactory, UserFactory, picture_bytes

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched_page(browser.new_context(locale="en")) as page:
        yield page


@pytest.fixture
def shop(transactional_db):
    member = MembershipFactory(user=UserFactory(username="mei"), merchant__name="Kiln", merchant__slug="kiln")
    for number in range(3):
        product = ProductFactory(merchant=member.merchant, name=f"Vase {number}")
        add_picture(product=product, upload=picture_bytes(color=(60 * number, 90, 120), size=(320, 320)))
    return member.merchant


def test_nothing_is_kept_until_a_shopper_agrees_and_then_a_click_is(live_server, page, shop):
    page.goto(f"{live_server.url}/s/kiln/")
    page.get_by_role("link", name="Vase 0").last.click()
    assert not Shopper.objects.exists()

    page.get_by_role("button", name="Yes, choose for me").click()
    page.goto(f"{live_server.url}/s/kiln/")
    page.get_by_role("link", name="Vase 1").last.click()
    page.get_by_role("heading", name="Vase 1").wait_for()
    assert Interaction.objects.filter(product__name="Vase 1", kind="click").count() == 1

    page.get_by_role("link", name="Your data").click()
    page.get_by_text("Withdraw my consent and erase everything about me").click()
    page.get_by_role("button", name="Yes, erase everything").click()
    page.get_by_text("You have withdrawn your consent").wait_for()
    assert not Shopper.objects.exists()


def test_a_bag_becomes_an_order_without_javascript(live_server, browser, shop):
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{live_server.url}/s/kiln/")
    assert page.locator("html").get_attribute("lang") == "zh-hans"
    page.locator(".card a").first.click()
    page.locator("article form button").click()
    page.locator("form[action$='/order/'] button").click()
    assert page.url.endswith("/ordered/")
    context.close()


def test_an_owner_logs_in_and_finds_the_workbench(live_server, page, shop):
    page.goto(f"{live_server.url}/admin/")
    page.fill("input[name=username]", "mei")
    page.fill("input[name=password]", "a-long-test-password")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Styles", exact=True).first.wait_for()
