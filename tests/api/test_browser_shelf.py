"""``<stylerec-shelf>`` in a plain page of another origin, in a real Chromium."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as site
from playwright.sync_api import Page, expect

from catalog.developers import keys
from catalog.services.pictures import add_picture
from recommend.models import Interaction, Shopper
from recommend.services import event_stream
from tests.catalog.factories import MembershipFactory, ProductFactory, picture_bytes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCRIPT = Path(site.BASE_DIR) / "stylerec_site" / "static" / "shelf" / "stylerec-shelf.js"
#: A strict page: it allows the script and what the shelf asks for, no inline script or style of anybody's.
POLICY = "default-src 'none'; script-src {site}; connect-src {site}; img-src {site}; base-uri 'none'"
HTML = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Another shop</title>
<script src="{site}/static/shelf/stylerec-shelf.js" defer></script>
<h1>Another shop</h1>
<stylerec-shelf key="{key}" slot="home" n="4" href="{origin}/p/{{sku}}"><p>Our own favourites</p></stylerec-shelf>
</html>"""


class OtherShop(ThreadingHTTPServer):
    """A site of plain HTML on an origin of its own."""

    daemon_threads = True
    html = policy = ""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: OtherShop

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write(self.server.html.encode())

    def log_message(self, *arguments: object) -> None:
        """The test's output stays its own."""


@pytest.fixture
def other_shop() -> Iterator[OtherShop]:
    server = OtherShop(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@pytest.fixture
def key(transactional_db, live_server, other_shop):
    member = MembershipFactory()
    for number in range(4):
        product = ProductFactory(merchant=member.merchant, sku=f"V-{number}", name=f"Vase <b>{number}</b>")
        add_picture(product=product, upload=picture_bytes(color=(60 * number, 90, 120), size=(320, 320)))
    key = keys.create_key(merchant=member.merchant, by=member.user, name="Web", origins=[other_shop.origin])
    other_shop.html = HTML.format(site=live_server.url, key=key.key, origin=other_shop.origin)
    other_shop.policy = POLICY.format(site=live_server.url)
    return key


@pytest.fixture
def page(browser) -> Iterator[Page]:
    context = browser.new_context(locale="en")
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.problems = problems
    yield page
    context.close()


def stored(wait_until, **fields) -> None:
    """Wait until events of this kind have come through the stream."""
    consumer = event_stream.Consumer()
    consumer.prepare()

    def there() -> bool:
        consumer.consume(wait_ms=20)
        return Interaction.objects.filter(**fields).exists()

    wait_until(there, what=str(fields))


def test_the_script_is_small_and_needs_nothing():
    content = SCRIPT.read_text()
    assert len(content.encode()) < 10_000
    assert "import" not in content
    assert "innerHTML" not in content


def test_a_shelf_shows_learns_after_consent_and_forgets(page, key, other_shop, wait_until):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/" in request.url else None)
    page.goto(other_shop.origin)
    cards = page.locator("stylerec-shelf a")
    expect(cards).to_have_count(4)
    expect(cards.first.locator(".name")).to_have_text("Vase <b>3</b>")
    expect(cards.first.locator(".price")).to_have_text("€19.50")
    expect(page.get_by_text("Our own favourites")).to_be_hidden()
    assert len(asked) == 1  # whatever the number of attributes
    assert cards.first.get_attribute("href") == f"{other_shop.origin}/p/V-3"
    page.wait_for_function("document.querySelector('stylerec-shelf').shadowRoot.querySelector('img').naturalWidth > 0")
    found = Axe().run(page, context="stylerec-shelf").response["violations"]
    assert [violation["id"] for violation in found] == []
    cards.last.click()
    page.go_back()
    expect(cards).to_have_count(4)
    assert page.evaluate("localStorage.length") == 0
    assert page.context.cookies() == []
    assert not Shopper.objects.exists()

    page.evaluate("document.querySelector('stylerec-shelf').setAttribute('consent', 'granted')")
    wait_until(lambda: Shopper.objects.exists(), what="the shopper")
    stored(wait_until, kind="impression")
    page.locator("stylerec-shelf a", has_text="Vase <b>1</b>").click()
    stored(wait_until, kind="click", product__sku="V-1")
    assert Shopper.objects.count() == 1

    page.goto(other_shop.origin)
    page.evaluate("document.querySelector('stylerec-shelf').setAttribute('consent', 'granted')")
    page.evaluate("document.querySelector('stylerec-shelf').track('add_to_cart', 'V-2')")
    stored(wait_until, kind="add_to_cart", product__sku="V-2")
    assert Shopper.objects.count() == 1

    page.evaluate("document.querySelector('stylerec-shelf').removeAttribute('consent')")
    wait_until(lambda: not Shopper.objects.exists(), what="the erasure")
    assert page.evaluate("localStorage.length") == 0
    assert page.problems == []


def test_where_there_is_no_shelf_the_page_shows_its_own(page, key, other_shop):
    other_shop.html = other_shop.html.replace(key.key, "pk_unknown")
    page.goto(other_shop.origin)
    expect(page.get_by_text("Our own favourites")).to_be_visible()
