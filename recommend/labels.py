"""Words for people: places of the shop, parts of a score, marks that a merchant's rules leave."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from jobs.errors import Text

#: ``recommend.services.shelves.SLOTS`` in words.
PLACES: dict[str, Text] = {
    "home": _("For you"),
    "style": _("In your style"),
    "new": _("New in the shop"),
    "category": _("Category page"),
    "product": _("Similar products"),
    "cart": _("Bag"),
    "email": _("E-mail"),
}
#: What a shopper did, told to the shopper.
DEEDS: dict[str, Text] = {
    "impression": _("shown to you"),
    "view": _("looked at"),
    "click": _("looked at"),
    "add_to_cart": _("put into the bag"),
    "purchase": _("bought"),
    "rating": _("rated"),
    "like": _("liked"),
    "dislike": _("disliked"),
}
#: ``recommend.engine.settings.PARTS`` in words, with what each one knows.
PARTS: dict[str, tuple[Text, Text]] = {
    "svd": (_("Taste"), _("Surprise SVD: what people with the same taste chose")),
    "style": (_("Style"), _("how near its look is to the looks that the shopper likes")),
    "item_item": (_("Chosen together"), _("products that the same people chose")),
    "transition": (_("What follows"), _("what people chose right after")),
    "recent": (_("Popular now"), _("what the shop's visitors chose lately")),
    "popularity": (_("Lasting favourite"), _("what they have always chosen")),
}
#: What may be wrong with a recommender (``recommend.services.health``): in a sentence, and what to do.
WARNINGS: dict[str, tuple[Text, Text]] = {
    "stale": (
        _("The recommender is stale: much has happened since it was fitted"),
        _("Fit now. If this comes back, the schedule does not run, or new versions are held back."),
    ),
    "fallback": (
        _("Many places on the shelves are filled without the recommender"),
        _("It knows too few of your products: fit now, and check that the version's files are there."),
    ),
    "clicks-down": (
        _("Shoppers click less than before the fit"),
        _("Look whether prices, stock or pictures changed that day; roll back to the version before if not."),
    ),
    "categories": (
        _("Shoppers look at other kinds of products than when it was fitted"),
        _("A new season, or another crowd: fit now, so that it learns from them."),
    ),
    "styles": (
        _("Shoppers respond to other styles than when it was fitted"),
        _("Fit now, so that it learns from them."),
    ),
}
_MARKS: dict[str, Text] = {
    "pinned": _("pinned by a rule"),
    "boosted": _("boosted by a rule"),
    "buried": _("buried by a rule"),
    "for-variety": _("moved for variety"),
    "over-cap": _("beyond the category's share"),
    "without:price": _("outside the prices, since nothing else was left"),
    "without:category": _("from another category, since nothing else was left"),
    "without:bought": _("bought before, since nothing else was left"),
    "without:stock": _("out of stock, since nothing else was left"),
}


def place_name(slot: str) -> Text:
    """A place in words; an unknown one as it is."""
    return PLACES.get(slot, slot)


def marks_of(trace: Iterable[str]) -> list[Text]:
    """What the rules did to a product, in words."""
    return [_MARKS.get(mark, mark) for mark in trace]
