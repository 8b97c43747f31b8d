"""The parts of a page's frame that are the same on many pages: drawn once for the same values, in each process."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.template.base import FilterExpression, Parser, Token, token_kwargs
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()
#: Drawings of one part of a template; some kilobytes each.
MOST_KEPT = 500


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


@register.tag
def kept(parser: Parser, token: Token) -> KeptNode:
    """``{% kept name=value … %} … {% endkept %}``: drawn once for the same values, in each language.

    Inside, nothing is known but these names: whatever else a page holds, such as who it is for, cannot get into what others
    are shown. The values must be hashable, and equal only where they read the same.
    """
    bits = token.split_contents()[1:]
    values = token_kwargs(bits, parser)
    if bits:
        raise template.TemplateSyntaxError("“kept” takes name=value alone.")
    nodes = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(nodes, values)


class KeptNode(template.Node):
    """A part of a template that is drawn from named values, and kept beside them."""

    #: No block to be filled by another template can be in it, and looking for some costs every page.
    child_nodelists = ()

    def __init__(self, nodes: template.NodeList, values: dict[str, FilterExpression]) -> None:
        self._nodes, self._values = nodes, values
        self._drawn: dict[tuple[Any, ...], SafeString] = {}

    def render(self, context: Context) -> SafeString:
        values = {name: value.resolve(context) for name, value in self._values.items()}
        # With their types: a text that is marked as safe is equal to one that is not, and drawn otherwise.
        key = (get_language(), *((type(value), value) for value in values.values()))
        drawn = self._drawn.get(key)
        if drawn is None:
            if len(self._drawn) >= MOST_KEPT:
                self._drawn.clear()
            drawn = self._drawn[key] = self._nodes.render(context.new(values))
        return drawn
