"""Seconds of importing a large table with pictures, and of the admin's product list at a small and a large shop.

``python -m benchmarks.catalogue --json``. Ratios, small is good: ``list_growth`` is the CPU time of the product list
over all rows / over thirty rows; ``import_linearity`` is the time per row of the whole import / of its first tenth.
The database is SQLite in this process.
"""

from __future__ import annotations

import argparse
import io
import time
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from benchmarks.machine import report
from benchmarks.site import Requests, own_site

#: The side of a drawn photo, like what a shop uploads after its camera's export.
SIDE = 1_000


def table(rows: int, *, first: int = 0, price: str = "19.50") -> bytes:
    """A CSV of products."""
    lines = [
        f"P-{number:05d},Vase {number},花瓶{number},Shelf {number % 20},{price},A tall vase of stoneware\n"
        for number in range(first, first + rows)
    ]
    return ("sku,name,name_zh,category,price,description\n" + "".join(lines)).encode()


def photos(count: int) -> bytes:
    """A ZIP of different drawn photos, named by SKU."""
    from PIL import Image, ImageDraw

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            photo = Image.effect_noise((SIDE, SIDE), 20).convert("RGB")
            colour = (number % 200 + 30, number // 200 % 200 + 30, 120)
            ImageDraw.Draw(photo).ellipse((200, 150, 800, 850), fill=colour)
            content = io.BytesIO()
            photo.save(content, "JPEG", quality=85)
            archive.writestr(f"P-{number:05d}.jpg", content.getvalue())
    return buffer.getvalue()


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds by the clock, and what came of it."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def measure(*, rows: int, pictures: int) -> dict[str, Any]:
    """Seconds of each step, by the clock and (renditions) of the processor, and what the lists cost."""
    from django.contrib.auth import get_user_model

    from catalog.models import Merchant
    from catalog.services.import_sources import open_upload
    from catalog.services.imports import apply, plan
    from catalog.services.merchants import open_shop
    from catalog.services.rendition_jobs import make_missing

    owner = get_user_model().objects.create_user("owner", is_staff=True)
    large = open_shop(name="Large", slug="large", owner=owner)
    small = open_shop(name="Small", slug="small", owner=get_user_model().objects.create_user("o2", is_staff=True))

    def imported(shop: Merchant, content: bytes, archive: bytes | None = None) -> float:
        pictures_file = io.BytesIO(archive) if archive else None
        source = open_upload(content, name="products.csv", pictures=pictures_file)
        return timed(lambda: apply(merchant=shop, source=source, actor=owner))[0]

    imported(small, table(30))
    tenth = rows // 10
    first = imported(large, table(tenth))
    rest = imported(large, table(rows - tenth, first=tenth))
    dry_run = timed(lambda: plan(merchant=large, source=open_upload(table(rows, price="21"), name="products.csv")))[0]
    added = imported(large, table(rows), photos(pictures))
    began = time.process_time()
    outcome = make_missing(merchant=large)
    made = time.process_time() - began
    lists = {shop.slug: listed(shop) for shop in (small, large)}
    return {
        "ratios": {
            "list_growth": round(lists["large"]["cpu_ms"] / lists["small"]["cpu_ms"], 2),
            "import_linearity": round((first + rest) / rows / (first / tenth), 2),
        },
        "seconds": {
            "import_of_new_rows": round(first + rest, 1),
            "dry_run_of_all_rows_changed": round(dry_run, 2),
            "pictures": round(added, 1),
            "renditions_cpu": round(made, 1),
        },
        "per_second": {
            "rows": round(rows / (first + rest)),
            "pictures": round(pictures / added, 1),
            "renditions_by_cpu": round(outcome["made"] / made, 1),
        },
        "lists": lists,
    }


def listed(shop: Any) -> dict[str, Any]:
    """Milliseconds of CPU of the product list and of a search in it; seconds of its export."""
    from django.test import Client

    client = Client()
    client.force_login(shop.memberships.get().user)
    browser = Requests({"Cookie": f"sessionid={client.cookies['sessionid'].value}"})

    def ask(address: str) -> None:
        path, _mark, query = address.partition("?")
        status, _content = browser(path, query=query)
        if not status.startswith("200"):
            raise RuntimeError(f"{address}: {status}")

    pages = {"list": "/admin/catalog/product/", "search": f"/admin/catalog/product/?q={quote('花瓶7')}"}
    figures: dict[str, Any] = {}
    for name, address in pages.items():
        ask(address)
        started = time.process_time()
        for _ in range(5):
            ask(address)
        figures[name] = {"cpu_ms": round(200 * (time.process_time() - started), 1)}
    export_seconds = timed(lambda: ask("/admin/catalog/product/export.xlsx"))[0]
    return {"cpu_ms": figures["list"]["cpu_ms"], **figures, "export_xlsx_seconds": round(export_seconds, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="end with the one-line record")
    parser.add_argument("--rows", type=int, default=5_000, help="rows of the table")
    parser.add_argument("--pictures", type=int, default=200, help="pictures of a million pixels beside it")
    options = parser.parse_args()
    with own_site():
        figures = measure(rows=options.rows, pictures=options.pictures)
    report(
        benchmark="catalogue",
        ratios=figures.pop("ratios"),
        details={"rows": options.rows, "pictures": options.pictures, **figures},
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
