"""Shelves to walk along: a category or the results of a search, filtered, sorted, page by page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from catalog.models import Category, Product
from catalog.search import matches
from recommend.services.cards import Card
from recommend.services.catalogue import facts
from recommend.services.shelves import Shelves
from recommend.services.slates import Presenter, ShownProduct, ShownSlate
from recommend.storefront.shop import ShopRequest, in_shop, page, profile_of, wants_part

PER_PAGE = 24
SORTS = {
    "newest": ("-created_at", "-pk"),
    "price": ("price", "pk"),
    "-price": ("-price", "pk"),
    "name": ("name", "pk"),
}
RECOMMENDED = "recommended"
#: So many products are read as one list, of which a page is a part; where there are more, they are counted, too.
READ_WHOLE = 5_000
_PRICE = re.compile(r"[0-9]{1,9}([.,][0-9]{1,2})?")


@dataclass(frozen=True)
class Filters:
    """What the visitor asked for; whatever cannot be read is left out."""

    sort: str
    page: int
    stock: bool
    lowest: Decimal | None
    highest: Decimal | None

    @classmethod
    def of(cls, request: ShopRequest, *, default: str) -> Filters:
        """Read the address."""
        sort, number = request.GET.get("sort", default), request.GET.get("page", "1")
        return cls(
            sort=sort if sort in SORTS or sort == default else default,
            page=int(number) if re.fullmatch(r"[0-9]{1,6}", number) else 1,
            stock=bool(request.GET.get("stock")),
            lowest=_price(request.GET.get("from", "")),
            highest=_price(request.GET.get("to", "")),
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether this is a part of the shelf: a page that search engines need not keep beside the whole."""
        return self.stock or self.lowest is not None or self.highest is not None

    def narrow(self, products: Any) -> Any:
        """The products that pass."""
        if self.stock:
            products = products.exclude(stock=0)
        if self.lowest is not None:
            products = products.filter(price__gte=self.lowest)
        if self.highest is not None:
            products = products.filter(price__lte=self.highest)
        return products

    def passes(self, product: Card, category_id: int) -> bool:
        """The same for one product that was read already."""
        return (
            product.category_id == category_id
            and not (self.stock and product.is_sold_out)
            and (self.lowest is None or product.price >= self.lowest)
            and (self.highest is None or product.price <= self.highest)
        )


def _price(text: str) -> Decimal | None:
    return Decimal(text.replace(",", ".")) if _PRICE.fullmatch(text.strip()) else None


@require_safe
@in_shop
def category(request: ShopRequest, slug: str) -> HttpResponse:
    """A shelf of the shop; unless another order is asked for, what suits the shopper comes first."""
    found = _category(request, slug)
    if found is None:
        return page(request, "not_found.html", {}, status=404)
    filters = Filters.of(request, default=RECOMMENDED)
    products = filters.narrow(Product.objects.filter(merchant=request.shop, category=found).on_sale())
    return _listing(request, "category.html", products, filters, {"category": found})


def _category(request: ShopRequest, slug: str) -> Category | None:
    """From memory; one that is empty, or new, from the database."""
    known = next((category for category in facts(request.shop).categories if category.slug == slug), None)
    if known is not None or not slug.isprintable():
        return known
    return Category.objects.filter(merchant=request.shop, slug=slug).first()


@require_safe
@in_shop
def search(request: ShopRequest) -> HttpResponse:
    """Products that hold every word, in Chinese or English."""
    query = request.GET.get("q", "").strip()[:100]
    filters = Filters.of(request, default="newest")
    condition = matches(query, shop=request.shop.pk)
    products = Product.objects.filter(merchant=request.shop).on_sale()
    products = filters.narrow(products.filter(condition) if condition else products.none())
    return _listing(request, "search.html", products, filters, {"query": query})


def _listing(
    request: ShopRequest, template: str, products: Any, filters: Filters, context: dict[str, Any]
) -> HttpResponse:
    shelves = Shelves(request.shop, profile_of(request))
    presenter = Presenter(shelves)
    in_order = None
    if filters.sort == RECOMMENDED:
        count = products.count()
    else:
        in_order = products.order_by(*SORTS[filters.sort]).values_list("pk", flat=True)
        known = list(in_order[: READ_WHOLE + 1])
        count = len(known) if len(known) <= READ_WHOLE else in_order.count()
    pages = max(1, ceil(count / PER_PAGE))
    number = min(max(filters.page, 1), pages)
    slate = None
    if in_order is None:
        slate, items = _recommended(presenter, products, filters, number, category_id=context["category"].pk)
    else:
        place = slice((number - 1) * PER_PAGE, number * PER_PAGE)
        items = presenter.plain(known[place] if min(place.stop, count) <= len(known) else list(in_order[place]))
    if not count:
        slate = presenter.slates({"home": shelves.shelf("home", 4)})["home"]
    part = wants_part(request)
    return page(
        request,
        "_results.html" if part else template,
        {
            **context,
            "items": items,
            "slate": slate,
            "filters": filters,
            "count": count,
            "number": number,
            "pages": pages,
            "is_part": part,
        },
    )


def _recommended(
    presenter: Presenter, products: Any, filters: Filters, number: int, *, category_id: int
) -> tuple[ShownSlate | None, list[ShownProduct]]:
    """Page 1 begins with what is chosen for the shopper; the others follow, newest first, each product once."""
    picks = presenter.page.shelf(
        "category",
        PER_PAGE,
        category_id=category_id,
        lowest_price=float(filters.lowest) if filters.lowest is not None else None,
        highest_price=float(filters.highest) if filters.highest is not None else None,
    )
    newest = products.order_by(*SORTS["newest"]).values_list("pk", flat=True)
    first = (number - 1) * PER_PAGE
    ids = [pick.product_id for pick in picks]
    if number > 1:
        passing = list(products.filter(pk__in=ids).values_list("pk", flat=True))
        start = first - len(passing)
        return None, presenter.plain(list(newest.exclude(pk__in=passing)[start : start + PER_PAGE]))
    rest = [pk for pk in newest[: PER_PAGE + len(ids)] if pk not in set(ids)]
    known = presenter.products({*ids, *rest[: PER_PAGE - len(ids)]})
    # A rule may pin what the filters leave out, and an empty shelf be filled from elsewhere: here only what was asked for.
    picks = [pick for pick in picks if pick.product_id in known and filters.passes(known[pick.product_id], category_id)]
    slate = presenter.slates({"category": picks})["category"]
    return slate, [*slate.items, *presenter.plain(rest[: PER_PAGE - len(picks)])]
