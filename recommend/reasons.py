"""Why a product is shown, in the shopper's words. The engine gives codes; this is their text in both languages."""

from __future__ import annotations

from functools import lru_cache

from django.utils.translation import get_language
from django.utils.translation import gettext as _

#: Code → a function, so that each text is looked up in the language of the request.
_TEXTS = {
    "because-you-viewed": lambda name: _("Because you looked at %(product)s") % {"product": name},
    "also-bought": lambda name: _("Often chosen together with %(product)s") % {"product": name},
    "in-your-style": lambda name: _("In a style that you like"),
    "popular-now": lambda name: _("Popular right now"),
    "popular": lambda name: _("A favourite of the shop"),
    "similar-to": lambda name: _("Similar to %(product)s") % {"product": name},
    "new-arrival": lambda name: _("New in the shop"),
    "seen-before": lambda name: _("You looked at this before"),
    "pinned": lambda name: _("Chosen by the shop"),
}
_WITH_PRODUCT = {"because-you-viewed", "also-bought", "similar-to"}


def reason_text(code: str, product_name: str = "") -> str:
    """The text of a reason; one that needs a product's name and has none becomes a plain one."""
    if code in _WITH_PRODUCT and not product_name:
        code = "popular-now"
    return _text(code, product_name, get_language() or "")


@lru_cache(maxsize=4096)
def _text(code: str, product_name: str, language: str) -> str:
    """In the active language, which is ``language``."""
    return _TEXTS.get(code, _TEXTS["popular"])(product_name)
