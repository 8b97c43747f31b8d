"""What search engines are told: which pages there are, in which languages, and which are nobody's business."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from catalog.models import Category, Merchant, Product

#: Products in one file: with each language's address well below the 50 MB that search engines read.
PER_FILE = 5_000
HOUR = 3600
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"


@require_safe
@cache_control(public=True, max_age=HOUR)
def index(request: HttpRequest) -> HttpResponse:
    """The sitemaps of all open shops."""
    on_sale = Count("products", filter=Q(products__status=Product.Status.PUBLISHED))
    shops = Merchant.objects.open().annotate(on_sale=on_sale).values_list("slug", "on_sale")
    addresses = (
        request.build_absolute_uri(reverse("storefront:sitemap", args=[slug, number]))
        for slug, count in shops
        for number in range(1, max(1, -(-count // PER_FILE)) + 1)
    )
    entries = "".join(f"<sitemap><loc>{escape(address)}</loc></sitemap>" for address in addresses)
    return _xml(f'<sitemapindex xmlns="{_SCHEMA}">{entries}</sitemapindex>')


@require_safe
@cache_control(public=True, max_age=HOUR)
def of_shop(request: HttpRequest, shop: str, number: int) -> HttpResponse:
    """One file of a shop: its home and categories stand in the first, then come the products."""
    merchant = Merchant.objects.open().filter(slug=shop).first()
    if merchant is None or number < 1:
        raise Http404
    first = (number - 1) * PER_FILE
    products = Product.objects.filter(merchant=merchant).on_sale().order_by("pk")
    rows = list(products.values_list("pk", "updated_at")[first : first + PER_FILE])
    if not rows and number > 1:
        raise Http404
    pages: list[tuple[str, datetime | None]] = []
    if number == 1:
        filled = Category.objects.filter(merchant=merchant, pk__in=products.order_by().values("category_id"))
        pages.append((reverse("storefront:home", args=[shop]), None))
        pages += [(reverse("storefront:category", args=[shop, category.slug]), None) for category in filled]
    pages += [(reverse("storefront:product", args=[shop, pk]), changed) for pk, changed in rows]
    entries = "".join(_entries(request, pages))
    return _xml(f'<urlset xmlns="{_SCHEMA}" xmlns:xhtml="http://www.w3.org/1999/xhtml">{entries}</urlset>')


def _entries(request: HttpRequest, pages: Iterable[tuple[str, datetime | None]]) -> Iterator[str]:
    """Each page once for each language and once for none, and every time with all the others."""
    site = request.build_absolute_uri("/").removesuffix("/")
    for path, changed in pages:
        addresses = {code: f"{site}{path}?lang={code}" for code, _name in settings.LANGUAGES}
        addresses["x-default"] = f"{site}{path}"
        links = "".join(
            f'<xhtml:link rel="alternate" hreflang="{code}" href="{escape(address)}"/>'
            for code, address in addresses.items()
        )
        when = f"<lastmod>{changed:%Y-%m-%dT%H:%M:%SZ}</lastmod>" if changed else ""
        for address in addresses.values():
            yield f"<url><loc>{escape(address)}</loc>{when}{links}</url>"


@require_safe
@cache_control(public=True, max_age=HOUR)
def robots(request: HttpRequest) -> HttpResponse:
    """``robots.txt``: the bags, the people's own pages and the workshop are not for search engines."""
    lines: list[Any] = [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /api/",
        *(
            f"Disallow: /s/*/{place}/"
            for place in ("bag", "order", "ordered", "your-data", "consent", "seen", "search")
        ),
        f"Sitemap: {request.build_absolute_uri(reverse('storefront:sitemaps'))}",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


def _xml(body: str) -> HttpResponse:
    return HttpResponse(_HEAD + body, content_type="application/xml")
