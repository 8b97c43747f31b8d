"""A real Chromium for tests: launched, watched for complaints, logged in, looked at with axe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

PASSWORD = "a-long-test-password"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all tests of a module."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's event loop runs in this thread; Django would refuse the tests' synchronous queries beside it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield browser
        browser.close()


@contextmanager
def watched_page(context: BrowserContext) -> Iterator[Page]:
    """A page that has nothing to complain about in its console by its end; the context closes with it."""
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def with_session(browser: Browser, live_server: Any, client: Client, **options: Any) -> BrowserContext:
    """A context in which whoever ``client`` is logged in as is logged in."""
    context = browser.new_context(locale="en", **options)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return context


def logged_in(browser: Browser, live_server: Any, user: str = "mei", **options: Any) -> Page:
    """A page on the front page of the admin, of somebody who came through its door."""
    page = browser.new_context(locale="en", **options).new_page()
    page.goto(f"{live_server.url}/admin/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    return page


def barriers(page: Page, context: str | None = None) -> list[str]:
    """What axe finds serious or worse on the page, or in a part of it."""
    return [
        f"{violation['id']}: {node['html'][:120]}"
        for violation in Axe().run(page, context=context).response["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]
