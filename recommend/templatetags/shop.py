"""Money, and a product as search engines read it."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from catalog.models import Product

register = template.Library()
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "CNY": "¥", "JPY": "¥"}
_WITHOUT_CENTS = {"JPY", "KRW"}
_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency's sign, in the digits of the active language."""
    return _money(amount, currency, get_language() or "")


@lru_cache(maxsize=4096)
def _money(amount: Decimal, currency: str, language: str) -> str:
    places = 0 if currency in _WITHOUT_CENTS or amount == amount.to_integral_value() else 2
    text = number_format(amount, decimal_pos=places, use_l10n=True, force_grouping=True)
    return f"{_SIGNS[currency]}{text}" if currency in _SIGNS else f"{text} {currency}"


@register.filter
def absolute(address: str, request: HttpRequest) -> str:
    """An address as it is known outside the site; one that is whole already (pictures on another host) stays."""
    return request.build_absolute_uri(address)


@register.simple_tag
def product_json_ld(product: Product, picture: Any, request: HttpRequest) -> SafeString:
    """The product as schema.org JSON-LD."""
    data = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.display_name,
        "description": product.display_description,
        "sku": product.sku,
        "image": [request.build_absolute_uri(picture.url)] if picture else [],
        "offers": {
            "@type": "Offer",
            "price": str(product.price),
            "priceCurrency": request.shop.currency,  # type: ignore[attr-defined]
            "availability": f"https://schema.org/{'OutOfStock' if product.is_sold_out else 'InStock'}",
        },
    }
    body = mark_safe(json.dumps(data, ensure_ascii=False).translate(_ESCAPES))  # noqa: S308 - escaped as JSON in HTML
    return format_html(
        '<script type="application/ld+json" nonce="{}">{}</script>', getattr(request, "csp_nonce", ""), body
    )
