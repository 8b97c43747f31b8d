"""Home, category, product and search."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from catalog.models import Category, Merchant, Product
from catalog.search import matches
from recommend.models import Interaction
from recommend.services import tracking
from recommend.services.shelves import Shelves
from recommend.services.slates import Picture, Presenter, picture_of, with_pictures
from recommend.storefront.shop import ShopRequest, in_shop, page
from styling.models import StyledImage

PER_PAGE = 24
SORTS = {
    "newest": ("-created_at", "-pk"),
    "price": ("price", "pk"),
    "-price": ("-price", "pk"),
    "name": ("name", "pk"),
}


@require_safe
def shops(request: HttpRequest) -> HttpResponse:
    """The open shops; straight into the only one."""
    open_shops = list(Merchant.objects.open()[:100])
    if len(open_shops) == 1:
        return redirect("storefront:home", shop=open_shops[0].slug)
    return render(request, "storefront/shops.html", {"shops": open_shops})


@require_safe
@in_shop
def home(request: ShopRequest) -> HttpResponse:
    """For you, in your style, new, recently seen. A stranger gets favourites and news."""
    profile = _profile(request)
    shelves = Shelves(request.shop, profile)
    chosen = {"home": shelves.shelf("home", 8)}
    if shelves.is_personal:
        chosen["style"] = shelves.shelf("style", 4)
    chosen["new"] = shelves.shelf("new", 4)
    presenter = Presenter(shelves)
    slates = presenter.slates(chosen)
    tracking.note_impressions(shopper=profile, slates=slates.values())
    hero = next((item for item in slates["home"].items if item.picture), None)
    seen = presenter.plain(shelves.history.recently_seen(4)) if shelves.is_personal else []
    return page(request, "home.html", {"slates": slates, "hero": hero, "seen": seen, "is_warm": shelves.is_personal})


@require_safe
@in_shop
def category(request: ShopRequest, slug: str) -> HttpResponse:
    """A shelf of the shop, sorted and filtered; the first products are chosen for the shopper."""
    found = Category.objects.filter(merchant=request.shop, slug=slug).first()
    if found is None:
        raise Http404
    products = Product.objects.filter(merchant=request.shop, category=found).on_sale()
    return _listing(request, "category.html", products, {"category": found})


@require_safe
@in_shop
def search(request: ShopRequest) -> HttpResponse:
    """Products that hold every word, in Chinese or English."""
    query = request.GET.get("q", "").strip()[:100]
    products = Product.objects.filter(merchant=request.shop).on_sale()
    products = products.filter(matches(query)) if query else products.none()
    return _listing(request, "search.html", products, {"query": query})


def _listing(request: ShopRequest, template: str, products: Any, context: dict[str, Any]) -> HttpResponse:
    sort = request.GET.get("sort", "newest")
    sort = sort if sort in SORTS else "newest"
    if request.GET.get("stock"):
        products = products.filter(stock__gt=0)
    for name, lookup in (("from", "price__gte"), ("to", "price__lte")):
        with suppress(ValueError):
            products = products.filter(**{lookup: round(float(request.GET.get(name, "")[:12]), 2)})
    paginator = Paginator(with_pictures(products.order_by(*SORTS[sort])), PER_PAGE)
    current = paginator.get_page(request.GET.get("page"))
    presenter = Presenter(Shelves(request.shop, _profile(request)))
    return page(
        request,
        template,
        {
            **context,
            "items": presenter.shown(list(current.object_list)),
            "page_obj": current,
            "sort": sort,
            "count": paginator.count,
            "filters": {name: request.GET.get(name, "") for name in ("from", "to", "stock")},
        },
    )


@require_safe
@in_shop
def product(request: ShopRequest, product_id: int) -> HttpResponse:
    """One product: its renderings to switch between, and what is like it."""
    found = with_pictures(Product.objects.filter(merchant=request.shop, pk=product_id).on_sale()).first()
    if found is None:
        raise Http404
    profile = _profile(request)
    shelves = Shelves(request.shop, profile)
    presenter = Presenter(shelves)
    image = next(iter(found.images.all()), None)
    options: list[StyledImage] = image.published_renderings if image else []
    wanted = request.GET.get("style", "")
    shown = presenter.choose(image).rendering if image else None
    if wanted:
        shown = next((option for option in options if option.style.slug == wanted), None)
    slates = presenter.slates({"product": shelves.shelf("product", 4, product_id=found.pk)})
    tracking.note(
        shopper=profile,
        kind=Interaction.Kind.CLICK if request.GET.get("slate") else Interaction.Kind.VIEW,
        product=found,
        rendering=shown,
        slot=request.GET.get("slot", ""),
        slate_id=_uuid(request.GET.get("slate", "")),
    )
    tracking.note_impressions(shopper=profile, slates=slates.values())
    pictures: list[Picture] = [picture_of(i, alt=i.alt_text or found.display_name) for i in found.images.all()[1:]]
    return page(
        request,
        "product.html",
        {
            "product": found,
            "picture": picture_of(shown or image, alt=found.display_name) if image else None,
            "original": picture_of(image, alt=found.display_name) if image else None,
            "shown": shown,
            "options": [(option, picture_of(option, alt=option.style.display_name)) for option in options],
            "pictures": pictures,
            "slate": slates["product"],
        },
    )


def _profile(request: ShopRequest) -> Any:
    return request.visitor.profile if request.shop.personalisation_enabled else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
