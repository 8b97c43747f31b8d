"""The catalogue's scripts in a real Chromium, under the admin's content security policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from catalog.models import Product
from tests.browsers import watched_page, with_session
from tests.catalog.factories import MembershipFactory, ProductFactory, picture_bytes

pytestmark = pytest.mark.browser


@pytest.fixture
def product(transactional_db) -> Product:
    return ProductFactory(merchant=MembershipFactory().merchant, sku="V-1")


@pytest.fixture
def page(product, live_server, browser, client) -> Iterator[Page]:
    """A page of the shop's owner."""
    client.force_login(product.merchant.memberships.get().user)
    with watched_page(with_session(browser, live_server, client)) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        yield page


def test_dropped_pictures_are_answered_ordered_described_and_deleted(live_server, page, product, tmp_path):
    for number, content in enumerate((picture_bytes(color=(200, 20, 20)), picture_bytes(color=(20, 200, 20)), b"no")):
        (tmp_path / f"{number}.png").write_bytes(content)
    page.goto(f"{live_server.url}/admin/catalog/product/{product.pk}/change/")
    page.set_input_files("#picture-drop input", sorted(tmp_path.iterdir()))
    cards = page.locator(".ct-picture")
    expect(cards).to_have_count(2)
    expect(page.locator("#picture-uploads .rejected")).to_contain_text("no picture")

    cards.nth(1).get_by_title("Move forward").click()
    expect(page.locator("#picture-summary")).to_have_text("Saved.")
    shown = [int(card.get_attribute("data-id")) for card in cards.all()]
    assert list(product.images.values_list("pk", flat=True)) == shown

    cards.first.get_by_label("What it shows").fill("A tall vase")
    with page.expect_response("**/describe/"):
        page.keyboard.press("Tab")
    cards.nth(1).get_by_title("Delete").click()
    expect(cards).to_have_count(1)
    assert product.images.get().alt_text == "A tall vase"


def test_an_upload_leads_to_what_would_happen_and_a_bad_one_says_why(live_server, page, product, tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("sku,name,price\nV-1,Vase,99\nN-1,New,abc\n", encoding="utf-8")
    bad.write_text("sku,name\nV-1,Vase\n", encoding="utf-8")
    page.goto(f"{live_server.url}/admin/catalog/import/")
    page.set_input_files("#id_table", bad)
    page.get_by_role("button", name="Check it").click()
    expect(page.locator("#import-form .errorlist")).to_contain_text("no column “price”")
    page.set_input_files("#id_table", good)
    page.get_by_role("button", name="Check it").click()
    expect(page.locator("#count-changed")).to_have_text("1")
    expect(page.locator("#count-bad")).to_have_text("1")
    page.get_by_role("button", name="Import 1 row").click()
    expect(page.locator("#import-run [data-part=label]")).to_have_text("Queued")
