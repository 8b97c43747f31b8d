"""Bag and order. Payment is out of scope: an order records what was chosen, and says so."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import F, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalog.models import Product
from recommend.models import Interaction
from recommend.services import tracking
from recommend.services.shelves import Shelves
from recommend.services.slates import Presenter
from recommend.storefront.shop import ShopRequest, in_shop, page, profile_of


@require_safe
@in_shop
def bag(request: ShopRequest) -> HttpResponse:
    """What lies in the bag, and what goes with it."""
    shelves = Shelves(request.shop, profile_of(request))
    presenter = Presenter(shelves)
    lines = list(request.bag.lines())
    shown = presenter.plain([line.product.pk for line in lines])
    slates = presenter.slates({"cart": shelves.shelf("cart", 4)})
    return page(
        request,
        "bag.html",
        {
            "lines": list(zip(lines, shown, strict=False)),
            "total": sum(line.total for line in lines),
            "slate": slates["cart"],
        },
    )


@require_POST
@in_shop
def change(request: ShopRequest, product_id: int) -> HttpResponse:
    """Put a product into the bag (no amount given), or set its amount."""
    product = get_object_or_404(Product.objects.filter(merchant=request.shop).on_sale(), pk=product_id)
    amount = request.POST.get("amount", "")
    if amount.isdecimal():
        request.bag.put(product, int(amount[:4]))
    elif not product.is_sold_out:
        request.bag.add(product)
        tracking.note(shopper=profile_of(request), kind=Interaction.Kind.ADD_TO_CART, product=product)
        messages.success(request, _("%(product)s is in your bag.") % {"product": product.display_name})
    else:
        messages.error(request, _("%(product)s is sold out.") % {"product": product.display_name})
    return redirect("storefront:bag", shop=request.shop.slug)


@require_POST
@in_shop
def order(request: ShopRequest) -> HttpResponse:
    """Take what is in the bag out of stock, and note the purchases."""
    taken = []
    for line in request.bag.lines():
        left = Product.objects.filter(Q(stock=None) | Q(stock__gte=line.amount), pk=line.product.pk)
        if left.update(stock=F("stock") - line.amount):
            taken.append(line)
            tracking.note(
                shopper=profile_of(request),
                kind=Interaction.Kind.PURCHASE,
                product=line.product,
                value=float(line.total),
            )
        else:
            messages.error(request, _("%(product)s was sold meanwhile.") % {"product": line.product.display_name})
    if not taken:
        messages.error(request, _("Your bag is empty."))
        return redirect("storefront:bag", shop=request.shop.slug)
    request.bag.empty()
    request.session[f"order-{request.shop.pk}"] = [line.product.pk for line in taken]
    return redirect("storefront:ordered", shop=request.shop.slug)


@require_safe
@in_shop
def ordered(request: ShopRequest) -> HttpResponse:
    """Thank you."""
    product_ids = request.session.get(f"order-{request.shop.pk}")
    if not product_ids:
        raise Http404
    shelves = Shelves(request.shop, profile_of(request))
    return page(request, "ordered.html", {"items": Presenter(shelves).plain(product_ids)})
