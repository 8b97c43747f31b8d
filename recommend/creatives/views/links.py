"""``/c/<code>``: count, and lead to the product."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog.models import Product
from recommend.creatives.models import TrackedLink
from recommend.creatives.services.clicks import Visit, note_visit


@require_safe
def follow_link(request: HttpRequest, code: str) -> HttpResponse:
    """Lead to the product on the storefront, or to the shop where the product is not on sale any more.

    The address that it leads to says which creative it was. Only the storefront, where consent is known, may put that
    beside a shopper.
    """
    link = TrackedLink.objects.select_related("merchant", "product", "style").filter(code=code).first()
    if link is None or not link.merchant.is_active:
        raise Http404
    if request.method == "GET":
        note_visit(link=link, visit=_visit(request))
    response = HttpResponseRedirect(_target(link))
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _target(link: TrackedLink) -> str:
    shop = link.merchant.slug
    marks = {
        "utm_source": "creative",
        "utm_medium": "ad",
        "utm_campaign": link.campaign[:60],
        "utm_content": link.code,
    }
    if link.product is None or link.product.status != Product.Status.PUBLISHED:
        return f"{reverse('storefront:home', kwargs={'shop': shop})}?{urlencode(marks)}"
    if link.style is not None:
        marks["style"] = link.style.slug
    address = reverse("storefront:product", kwargs={"shop": shop, "product_id": link.product.pk})
    return f"{address}?{urlencode({**marks, 'slate': str(link.attribution)})}"


def _visit(request: HttpRequest) -> Visit:
    purpose = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    purpose += f" {request.headers.get('X-Moz', '')} {request.headers.get('X-Purpose', '')}"
    return Visit(
        address=_address(request),
        agent=request.headers.get("User-Agent", "")[:400],
        language=request.headers.get("Accept-Language", "")[:100],
        is_prefetch="prefetch" in purpose.lower() or "preview" in purpose.lower(),
    )


def _address(request: HttpRequest) -> str:
    """The visitor's address; behind a proxy of our own, what that proxy saw."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if settings.SECURE_PROXY_SSL_HEADER and forwarded:
        return forwarded.rsplit(",", 1)[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
