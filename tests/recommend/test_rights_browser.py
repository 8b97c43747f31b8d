"""A shopper's rights, walked in a real Chromium: asked, agreed, seen, corrected, taken along, switched off, erased.

``STYLEREC_SCREENSHOTS=folder`` keeps a picture of every step.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Browser, Page, ViewportSize, expect

from catalog.models import ProductImage
from recommend.models import Interaction, Shopper, Slate
from recommend.privacy import key_store
from styling.models import StyledImage
from tests.browsers import watched_page
from tests.catalog.factories import picture_bytes
from tests.recommend.shops import Shop, open_fitted_shop

pytestmark = pytest.mark.browser
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
Look = Callable[[str], None]


@pytest.fixture
def shop(transactional_db) -> Shop:
    """A shop with a crowd, every picture of it on the disk."""
    shop = open_fitted_shop(products=12)
    for style, names in zip(shop.styles, (("Ink", "水墨"), ("Neon", "霓虹")), strict=True):
        style.name, style.name_zh = names
        style.save()
    for number, row in enumerate([*ProductImage.objects.all(), *StyledImage.objects.all()]):
        color = (40 + number * 37 % 200, 90 + number * 53 % 150, 120 + number * 71 % 120)
        default_storage.save(row.file.name, ContentFile(picture_bytes(color=color, size=(64, 64))))
    return shop


@pytest.fixture(params=[("en", DESKTOP), ("zh-hans", PHONE)], ids=["english-desktop", "chinese-phone"])
def page(request, browser: Browser) -> Iterator[Page]:
    """A page in one language and size; ``gettext`` speaks the same language meanwhile."""
    language, size = request.param
    context = browser.new_context(locale={"en": "en", "zh-hans": "zh-CN"}[language], viewport=size)
    with watched_page(context) as page, translation.override(language):
        yield page


@pytest.fixture
def look(page: Page, request) -> Look:
    """Check what must hold on every page of the walk, and keep its picture where that is asked for."""
    folder = os.environ.get("STYLEREC_SCREENSHOTS")

    def kept(name: str) -> None:
        page.wait_for_load_state()  # a click returns before the next page has a body
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} scrolls sideways"
        if folder:
            path = Path(folder) / request.node.callspec.id / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=path, full_page=True)

    return kept


def press(page: Page, text: str) -> None:
    page.get_by_role("button", name=gettext(text)).first.click()
    page.wait_for_load_state()


def test_the_rights_walked_as_a_shopper(live_server, page: Page, look: Look, shop: Shop):
    home, mine = f"{live_server.url}{shop.home}", gettext("Your data")
    crowd = Shopper.objects.count()

    # Asked plainly; until there is an answer, and after a no, nothing is kept and nobody is asked again.
    page.goto(home)
    expect(page.get_by_text(gettext("May this shop remember what you look at?"))).to_be_visible()
    look("01-asked")
    press(page, "No, thank you")
    expect(page.get_by_text(gettext("May this shop remember what you look at?"))).to_have_count(0)
    assert Shopper.objects.count() == crowd
    page.get_by_role("link", name=mine).click()
    look("02-refused-your-data")

    # The mind can be changed there; looks then become tags and history.
    press(page, "Yes, choose for me")
    assert Shopper.objects.count() == crowd + 1
    look("03-agreed-your-data")
    for product in shop.products(0)[:3]:
        page.goto(f"{home}p/{product.pk}/?style={shop.styles[0].slug}")
    page.goto(f"{home}p/{shop.products(1)[0].pk}/?style={shop.styles[1].slug}")
    page.goto(home)
    look("04-personal-home")
    me = Shopper.objects.order_by("pk").last()
    page.get_by_role("link", name=mine).click()
    look("05-your-data")

    # One tag is taken out, and one product forgotten.
    tags = page.locator(".tags li")
    assert tags.count() == 2
    tags.first.get_by_role("button").click()
    expect(page.locator(".taken-out")).to_have_count(1)
    page.locator(".taken-out button").click()
    expect(page.locator(".taken-out")).to_have_count(0)
    tags.first.get_by_role("button").click()
    expect(page.locator(".taken-out")).to_have_count(1)
    seen = page.locator(".history li")
    before = seen.count()
    seen.first.get_by_role("button").click()
    expect(seen).to_have_count(before - 1)
    look("06-corrected")
    me.refresh_from_db()
    assert me.sealed_profile
    assert key_store.find(me.key_id)

    # Everything can be taken along.
    with page.expect_download() as downloading:
        page.get_by_role("link", name=gettext("Download everything (JSON)")).click()
    taken = json.loads(Path(downloading.value.path()).read_text())
    assert taken["shopper"]["pseudonym"] == me.pseudonym
    assert len(taken["shopper"]["hidden_styles"]) == 1
    assert len(taken["interactions"]) == Interaction.objects.filter(shopper=me).count()

    # Personal pages off, and on again: the history stays.
    press(page, "Switch personal pages off")
    look("07-switched-off")
    page.goto(home)
    expect(page.get_by_role("heading", name=gettext("For you"))).to_have_count(0)
    look("08-home-for-everybody")
    page.goto(f"{home}p/{shop.products(1)[3].pk}/")
    assert Interaction.objects.filter(shopper=me).count() == len(taken["interactions"]), "nothing new while it is off"
    page.get_by_role("link", name=mine).click()
    press(page, "Switch personal pages on")
    assert Interaction.objects.filter(shopper=me).exists()

    # Withdrawn and erased: the last word is the shopper's, and the key is gone with the rows.
    page.get_by_text(gettext("Withdraw my consent and erase everything about me")).click()
    look("09-before-the-last-word")
    press(page, "Yes, erase everything")
    expect(page.get_by_text(gettext("Everything about you is erased, and nothing more will be kept."))).to_be_visible()
    look("10-erased")
    assert Shopper.objects.count() == crowd
    assert not Interaction.objects.filter(shopper=me.pk).exists()
    assert not Slate.objects.filter(shopper=me.pk).exists()
    assert key_store.find(me.key_id) == b""
    page.goto(home)
    expect(page.get_by_text(gettext("May this shop remember what you look at?"))).to_have_count(0)
    look("11-home-after-erasing")
