"""Ad creatives in a real browser: choose, draw, look, copy, count; and nothing that a screen reader stumbles over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from recommend.creatives.models import CreativeSet
from tests.recommend.creatives import draw, shop_with

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture
def page(chromium: str, live_server, client, transactional_db) -> Iterator[Page]:
    """A logged-in owner's page; an error in the browser's console fails the test."""
    _merchant, user = shop_with(products=3)
    client.force_login(user)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context(locale="en", viewport={"width": 1280, "height": 900})
        name = "sessionid"
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        yield page
        browser.close()
    assert problems == []


def serious(page: Page) -> list[str]:
    """What axe finds serious or worse in our own part of the page."""
    found = Axe().run(page, context=".st").response["violations"]
    return [
        f"{violation['id']}: {node['html'][:120]}"
        for violation in found
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]


def test_from_products_to_pictures_and_clicks(page, live_server):
    page.goto(f"{live_server.url}/admin/creatives/new/")
    assert serious(page) == []
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
    assert serious(page) == []

    page.get_by_role("link", name="Clicks", exact=True).click()
    code = made.creatives.first().link.code
    page.locator(f'[name="n-{code}"]').fill("1000")
    page.get_by_role("button", name="Store impressions").click()
    page.get_by_text("Stored for 1 creative.").wait_for()
    assert serious(page) == []
