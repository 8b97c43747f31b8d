"""The storefront's pages in a real browser, on a slow phone and on a desk: weight, blocking, shifts, paints, clicks.

``python -m benchmarks.pages --json``. Starts a site of its own with drawn products (gunicorn, SQLite, Valkey, no
compression: a proxy's would make text about four times lighter), opens each page with an empty cache as somebody who was
never there, and reports medians. Ratios are *measured / aim*, the worst page on the phone; below 1 is within the aim:
``lcp`` (2.5 s), ``cls`` (0.1), ``picture`` (pixels loaded per pixel shown, 2), ``blocking`` (one style sheet).
Needs the development requirements and Chromium.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.browsing import DEVICES, visit
from benchmarks.machine import report
from benchmarks.site import own_site
from stylerec_site.processes import Processes, free_port

AIMS = {"lcp_ms": 2500, "cls": 0.1, "picture": 2.0, "blocking": 1}
MEDIANS = ("lcp_ms", "fcp_ms", "ttfb_ms", "cls", "tbt_ms", "click_ms")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def measure(*, rounds: int, processes: int) -> dict[str, Any]:
    """Figures of each page on each device, medians of ``rounds`` visits."""
    from playwright.sync_api import sync_playwright

    from benchmarks.drawn_shop import open_drawn_shop
    from catalog.models import Product

    merchant = open_drawn_shop(processes=processes)
    products = list(Product.objects.filter(merchant=merchant).order_by("pk")[:3])
    category, port = merchant.categories.first(), free_port(6850)
    if category is None:
        raise RuntimeError("the drawn shop has no category")
    shop = f"http://127.0.0.1:{port}/s/{merchant.slug}/"
    #: Each page, and what is clicked there: something that changes it where there is such a thing.
    pages = {
        "home": ("", "#q"),
        "category": (f"c/{category.slug}/", "input[name=stock]"),
        "product": (f"p/{products[0].pk}/", ".styles a:last-child"),
        "search": ("search/?q=vase", "input[name=stock]"),
        "bag": ("bag/", "#q"),
    }
    chromium = os.environ.get("STYLEREC_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as logs, Processes(log_directory=Path(logs)) as web, sync_playwright() as driver:
        web.start_web(port=port)
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context()
        page = context.new_page()
        for product in products:  # what lies in the bag
            page.goto(f"{shop}p/{product.pk}/")
            page.locator("form[action*='/bag/'] button").first.click()
            page.wait_for_load_state()
        cookies = context.cookies()
        figures = {
            name: {
                device_name: _median(
                    [visit(browser, shop + path, device=device, click=click, cookies=cookies) for _ in range(rounds)]
                )
                for device_name, device in DEVICES.items()
            }
            for name, (path, click) in pages.items()
        }
        browser.close()
    return figures


def _median(visits: list[dict[str, Any]]) -> dict[str, Any]:
    """The last visit, with the medians of what differs from visit to visit."""
    return visits[-1] | {name: round(statistics.median(one[name] for one in visits), 4) for name in MEDIANS}


def ratios(figures: dict[str, Any]) -> dict[str, float]:
    """The worst page's figure on the phone, as a share of the aim."""
    phone = [page["phone"] for page in figures.values()]
    worst = {
        "lcp": max(page["lcp_ms"] for page in phone) / AIMS["lcp_ms"],
        "cls": max(page["cls"] for page in phone) / AIMS["cls"],
        "picture": max(page["largest_picture"]["pixels_per_shown_pixel"] for page in phone) / AIMS["picture"],
        "blocking": max(len(page["render_blocking"]) for page in phone) / AIMS["blocking"],
    }
    return {name: round(value, 3) for name, value in worst.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="end with the one-line record")
    parser.add_argument("--rounds", type=int, default=3, help="visits of each page on each device")
    parser.add_argument("--processes", type=int, default=2, help="processes that draw the products")
    options = parser.parse_args()
    with own_site():
        figures = measure(rounds=options.rounds, processes=options.processes)
    print(
        f"{'page':<10}{'device':<9}{'LCP':>6}{'CLS':>8}{'TBT':>6}{'click':>7}{'req':>5}{'kB':>7}{'nodes':>7}  blocking"
    )
    for name, devices in figures.items():
        for device, page in devices.items():
            print(
                f"{name:<10}{device:<9}{page['lcp_ms']:>6.0f}{page['cls']:>8.3f}{page['tbt_ms']:>6.0f}"
                f"{page['click_ms']:>7.0f}{page['requests']:>5}{page['total_kilobytes']:>7.0f}{page['dom_nodes']:>7}"
                f"  {' '.join(page['render_blocking'])}"
            )
    report(
        benchmark="pages",
        ratios=ratios(figures),
        details={"meaning": "ratio = the worst page on the phone / the aim; below 1 is within it", "pages": figures},
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
