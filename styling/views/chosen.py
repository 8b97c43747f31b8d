"""What “Stylise…” was asked for: ticked products, pictures, all without a style, or all that a filtered list shows."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from catalog.admin.products import listed
from catalog.models import Product, ProductImage
from catalog.views.doors import key_of
from styling.models import Style, StyledImage

#: The most products or pictures that one address can name; a list's filter names any number.
MOST_CHOSEN = 1000
#: Pictures that the page shows of what was chosen.
SHOWN = 24


@dataclass(frozen=True)
class Chosen:
    """The products and pictures of a request, which the user may all see."""

    products: QuerySet[Product]
    images: QuerySet[ProductImage]
    #: Whether the products are all that a list shows, rather than ticked ones.
    is_whole_list: bool
    #: The list that they were chosen from, as its address's query; None where they come from no list.
    list_query: str | None

    def merchant_ids(self) -> set[int]:
        """The shops that they belong to; two are enough to know that there are several."""
        shops = set(self.products.order_by().values_list("merchant_id", flat=True).distinct()[:2])
        return shops | set(self.images.order_by().values_list("product__merchant_id", flat=True).distinct()[:2])

    def counts(self) -> dict[str, int]:
        """Products (and single pictures), and how many pictures that makes: the first of each product, or all."""
        own = ProductImage.objects.filter(product=OuterRef("pk"))
        counted = self.products.order_by().aggregate(n=Count("pk"), pictured=Count("pk", filter=Q(Exists(own))))
        single = self.images.count()
        return {
            "chosen": counted["n"] + single,
            "first_pictures": counted["pictured"] + single,
            "every_picture": ProductImage.objects.filter(product__in=self.products.order_by()).count() + single,
            "without_picture": counted["n"] - counted["pictured"],
        }

    def samples(self) -> list[ProductImage]:
        """A few of the pictures."""
        of_products = ProductImage.objects.filter(product__in=self.products.order_by(), position=0)[:SHOWN]
        return [*self.images[:SHOWN], *of_products][:SHOWN]

    def whole_list_address(self) -> str:
        """The page for everything that the list shows; empty where there is no list, or it is chosen already."""
        if self.is_whole_list or self.list_query is None:
            return ""
        return f"{reverse('styling:stylise')}?{urlencode({'list': self.list_query})}"


def chosen_by(request: HttpRequest) -> Chosen:
    """Read ``?products=``, ``?images=``, ``?missing=`` (a style) and ``?list=``."""
    query = request.GET.get("list")
    named = {name: _ids(request, name) for name in ("products", "images")}
    images = ProductImage.objects.visible_to(request.user).filter(pk__in=named["images"])
    style = Style.objects.visible_to(request.user).filter(pk=key_of(request.GET.get("missing", "")) or 0).first()
    if style is not None and not any(named.values()):
        return Chosen(without_rendering(style), images, True, None)
    is_whole_list = query is not None and not any(named.values())
    if is_whole_list and query is not None:
        products = listed(request, query)
    else:
        products = Product.objects.visible_to(request.user).filter(pk__in=named["products"])
    return Chosen(products, images, is_whole_list, query)


def without_rendering(style: Style) -> QuerySet[Product]:
    """The shop's products with a picture of which the style has no rendering yet."""
    own = ProductImage.objects.filter(product=OuterRef("pk"))
    rendered = StyledImage.objects.filter(style=style, product_image__product=OuterRef("pk"))
    return Product.objects.filter(Exists(own), ~Exists(rendered), merchant=style.merchant_id).exclude(
        status=Product.Status.ARCHIVED
    )


def _ids(request: HttpRequest, name: str) -> list[int]:
    named = [key_of(text) for text in ",".join(request.GET.getlist(name)).split(",")]
    return [key for key in named if key is not None][:MOST_CHOSEN]
