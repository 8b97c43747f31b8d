"""What an experiment can vary, in which layer of a page it acts, and its options in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from jobs.errors import Text

SHELF, BESIDE, RENDERING = "shelf", "beside", "rendering"
#: Layers act on different decisions, and shoppers are divided anew in each, so one experiment may run in each at a time:
#: neither leans on who got what in the other. Their settings may still meet on a page (the shopper's own order beside a
#: product is the popular one where the shelves are popular for everybody), so an effect is the average over the other's.
LAYERS: Mapping[str, Text] = {
    SHELF: _("Which products stand on the shelves"),
    BESIDE: _("Which products stand beside a product"),
    RENDERING: _("Which picture of a product is shown"),
}

PERSONAL, POPULAR, SIMILAR = "personal", "popular", "similar"
LEARNED, OWN_SHARE, ORIGINAL_ONLY = "learned", "own-share", "original"
#: The weight of relevance against variety (maximal marginal relevance) behind each word.
RELEVANCE: Mapping[str, float] = {"much": 0.6, "usual": 0.8, "none": 1.0}


@dataclass(frozen=True)
class Option:
    """One setting that a variant can have."""

    value: str
    name: Text
    what: Text


@dataclass(frozen=True)
class Subject:
    """What differs between the variants. ``options`` is empty where the shop's own rows are the options (versions)."""

    code: str
    layer: str
    name: Text
    what: Text
    options: tuple[Option, ...] = ()


SUBJECTS: Mapping[str, Subject] = {
    subject.code: subject
    for subject in (
        Subject(
            "strategy",
            SHELF,
            _("Personal shelves"),
            _("Is it worth choosing products for each shopper?"),
            (
                Option(PERSONAL, _("Personal"), _("each shopper's own order of products")),
                Option(POPULAR, _("Popular for everybody"), _("the same popular products for everybody")),
            ),
        ),
        Subject(
            "diversity",
            SHELF,
            _("Variety on the front shelf"),
            _("Should the first shelf mix looks and kinds more, or less?"),
            (
                Option("usual", _("Usual variety"), _("near twins are kept apart a little")),
                Option("much", _("More variety"), _("near twins are kept well apart")),
                Option("none", _("No variety rule"), _("the best fit first, twins or not")),
            ),
        ),
        Subject(
            "beside",
            BESIDE,
            _("Beside a product"),
            _("What should stand on a product's page?"),
            (
                Option(SIMILAR, _("Like this product"), _("what is bought together or looks alike")),
                Option(PERSONAL, _("For this shopper"), _("what the shopper may like, whatever they look at")),
            ),
        ),
        Subject(
            "version",
            SHELF,
            _("Recommender version"),
            _("Which fitted version earns more clicks?"),
        ),
        Subject(
            "rendering",
            RENDERING,
            _("Pictures in a style"),
            _("Which way of choosing a product's picture works?"),
            (
                Option(LEARNED, _("Learned from clicks"), _("what the shop's clicks have taught (bandit)")),
                Option(OWN_SHARE, _("The shopper's own taste"), _("the styles that this shopper responded to")),
                Option(ORIGINAL_ONLY, _("Original photos"), _("never a rendering in a style")),
            ),
        ),
    )
}


def layer_of(subject: str) -> str:
    """The layer that a subject acts in."""
    return SUBJECTS[subject].layer


def option_name(subject: str, value: str) -> Text:
    """A setting in words."""
    return next((option.name for option in SUBJECTS[subject].options if option.value == value), value)


def own_name(subject: str, value: str, name: str) -> str:
    """``name`` as it was given, or the setting in words where that is what it says in one of the site's languages."""
    option = option_name(subject, value)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            if str(option) == name:
                break
    else:
        return name
    return str(option)
