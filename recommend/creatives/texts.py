"""What layouts, formats and problems are called, for people."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recommend.creatives.drawing.formats import FORMATS
from recommend.creatives.drawing.layouts import FRAMED, FULL_BLEED, SPLIT

MISSING_PICTURE, UNREADABLE_PICTURE, DELETED_PRODUCT, NO_RENDERING = (
    "missing-picture",
    "unreadable-picture",
    "deleted-product",
    "no-rendering",
)
LAYOUT_NAMES: dict[str, Promise] = {
    FULL_BLEED: _("Full bleed"),
    SPLIT: _("Split panel"),
    FRAMED: _("Framed"),
}
LAYOUT_HINTS: dict[str, Promise] = {
    FULL_BLEED: _("The photo fills everything; a soft gradient carries the words."),
    SPLIT: _("The photo on one side, the words on your background colour."),
    FRAMED: _("The photo as a card on your background colour."),
}
FORMAT_NAMES: dict[str, Promise] = {
    "square": _("Square"),
    "portrait": _("Portrait"),
    "story": _("Story"),
    "landscape": _("Link preview"),
    "banner": _("Banner"),
}
PROBLEMS: dict[str, Promise] = {
    MISSING_PICTURE: _("This product has no picture. Add one, then draw it again."),
    UNREADABLE_PICTURE: _("The picture's file is missing or damaged. Upload it again, then draw it again."),
    DELETED_PRODUCT: _("This product was deleted. Its link leads to the shop."),
    NO_RENDERING: _("This product has no published rendering in the chosen style. Publish one, then draw it again."),
}


def format_label(code: str) -> str:
    """“Square 1080×1080”."""
    form = FORMATS[code]
    return f"{FORMAT_NAMES[code]} {form.width}×{form.height}"
