"""``python -m stylerec_site.demo.pictures``: photograph the running demo for the README.

Needs ``make demo`` running, the development requirements and Chromium. Every picture is the real page, taken through
a real browser; two of them go side by side.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from stylerec_site.processes import BASE_DIR

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SHOP = "kiln-and-light"
LOGIN = ("mei", "stylerec-demo")
#: The two shoppers of the first picture: which category each walks along, and the style that each looks at.
WALKS = ((0, "ink-on-paper"), (-1, "pop-art-print"))
QUALITY = 78


def main() -> int:
    options = _options()
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("STYLEREC_CHROMIUM") or shutil.which("chromium")
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        _save(_two_shoppers(browser, options.address), options.out / "two-shoppers.webp")
        for name, shot in _workbench(browser, options.address):
            _save(shot, options.out / f"{name}.webp")
        browser.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8000", help="where the demo runs")
    parser.add_argument("--out", type=Path, default=BASE_DIR / "docs" / "pictures")
    return parser.parse_args()


def _two_shoppers(browser: Browser, address: str) -> Image.Image:
    """The same home page at the same moment, for two people who looked at different things."""
    shots = []
    for category, style in WALKS:
        with _page(browser, width=1120, height=1400) as page:
            home = f"{address}/s/{SHOP}/"
            page.goto(home)
            page.get_by_role("button", name="Yes, choose for me").click()
            shelves = page.locator(".bar nav a").evaluate_all("links => links.map(link => link.href)")
            page.goto(shelves[category])
            cards = page.locator("#main .card > a").evaluate_all("links => links.map(link => link.href)")
            for card in cards[:6]:
                page.goto(f"{card.split('?')[0]}?style={style}")
            page.goto(home)
            page.wait_for_load_state("networkidle")
            shots.append(_shot(page))
    width, height = shots[0].size
    both = Image.new("RGB", (2 * width + 24, height), "white")
    both.paste(shots[0], (0, 0))
    both.paste(shots[1], (width + 24, 0))
    return both.resize((both.width // 2, both.height // 2), Image.Resampling.LANCZOS)


def _workbench(browser: Browser, address: str) -> Iterator[tuple[str, Image.Image]]:
    """The front page of the admin, the newest training, and the review of what is published."""
    with _page(browser, width=1280, height=860) as page:
        page.goto(f"{address}/admin/login/")
        page.fill("input[name=username]", LOGIN[0])
        page.fill("input[name=password]", LOGIN[1])
        page.locator("button[type=submit]").first.click()
        page.wait_for_url("**/admin/")
        page.wait_for_load_state("networkidle")
        yield "today", _shot(page)
        page.goto(f"{address}/admin/styling/style/")
        page.get_by_role("link", name="Ink on paper").first.click()
        page.locator("a[href*='/styling/training/']").first.click()
        page.wait_for_load_state("networkidle")
        yield "training", _shot(page)
        page.goto(f"{address}/admin/styling/review/?shop={SHOP}&status=published")
        page.wait_for_load_state("networkidle")
        yield "review", _shot(page)


@contextmanager
def _page(browser: Browser, *, width: int, height: int) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en")
    yield context.new_page()
    context.close()


def _shot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def _save(picture: Image.Image, path: Path) -> None:
    picture.save(path, quality=QUALITY, method=6)
    sys.stdout.write(f"{path.name}: {picture.width} × {picture.height}, {path.stat().st_size // 1024} kB\n")


if __name__ == "__main__":
    sys.exit(main())
