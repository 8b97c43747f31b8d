"""Ad creatives in a real browser: choose, draw, look, copy, count; and nothing that a screen reader stumbles over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from recommend.creatives.models import CreativeSet
from tests.browsers import barriers, watched_page, with_session
from tests.recommend.creatives import draw, shop_with

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser, live_server, client, transactional_db) -> Iterator[Page]:
    """A logged-in owner's page."""
    _merchant, user = shop_with(products=3)
    client.force_login(user)
    context = with_session(browser, live_server, client, viewport={"width": 1280, "height": 900})
    with watched_page(context) as page:
        yield page


def test_from_products_to_pictures_and_clicks(page, live_server):
    page.goto(f"{live_server.url}/admin/creatives/new/")
    assert barriers(page, ".st") == []
    for box in page.locator('input[name="product"]').all()[:2]:
        box.check()
    assert page.locator('[data-part="count"]').first.text_content() == "2 chosen"
    page.get_by_label("Headline").fill("慢下来，从一只温热的茶杯开始")
    for code in ("portrait", "banner"):
        page.locator(f'input[name="formats"][value="{code}"]').uncheck(force=True)
    page.locator('input[name="layout"][value="framed"]').check(force=True)
    page.get_by_role("button", name="Draw the creatives").click()
    page.wait_for_url("**/admin/creatives/set/*/")

    made = CreativeSet.objects.get()
    assert made.creatives.count() == 6
    draw(made)
    pictures = page.locator(".cr-cell img:visible")
    page.wait_for_function("document.querySelectorAll('.cr-cell img:not([hidden])').length === 6")
    page.get_by_role("link", name="Download", exact=True).first.wait_for()  # the page came anew when all was done
    assert pictures.count() == 6

    page.get_by_label("Show safe areas").check()
    frame, safe = (page.locator(f".cr-cell {part}").first.bounding_box() for part in (".frame", ".safe"))
    assert safe["x"] - frame["x"] == pytest.approx(64 / 1080 * frame["width"], abs=3)
    assert barriers(page, ".st") == []

    page.get_by_role("link", name="Clicks", exact=True).click()
    code = made.creatives.first().link.code
    page.locator(f'[name="n-{code}"]').fill("1000")
    page.get_by_role("button", name="Store impressions").click()
    page.get_by_text("Stored for 1 creative.").wait_for()
    assert barriers(page, ".st") == []
