"""The parts of a page's frame that are the same on many pages: drawn once for the same values, in each process."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def assets() -> SafeString:
    """The style sheet and the script of every page of a shop."""
    return _assets()


@lru_cache(maxsize=1)
def _assets() -> SafeString:
    return format_html(
        '<link rel="stylesheet" href="{}"><link rel="icon" href="data:,"><script src="{}" defer></script>',
        static("storefront/shop.css"),
        static("storefront/shop.js"),
    )


@register.simple_tag(takes_context=True)
def categories_of_shop(context: Context) -> SafeString:
    """The shop's categories as a list of links, the present one marked."""
    here = getattr(context.get("category"), "slug", None)
    entries = tuple((category.slug, category.display_name) for category in context["categories"])
    return _categories(context["shop"].slug, entries, here)


@lru_cache(maxsize=1024)
def _categories(shop: str, entries: tuple[tuple[str, str], ...], here: str | None) -> SafeString:
    drawn = format_html_join(
        "",
        '<li><a href="{}"{}>{}</a></li>',
        (
            (
                reverse("storefront:category", args=[shop, slug]),
                SafeString(' aria-current="page"') if slug == here else "",
                name,
            )
            for slug, name in entries
        ),
    )
    return format_html("<ul>{}</ul>", drawn)
