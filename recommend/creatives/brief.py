"""What a set of creatives is to look like: validated at the door, stored whole in the set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from jobs.errors import UserError
from recommend.creatives.drawing.colour import Palette, rgb_of
from recommend.creatives.drawing.formats import FORMATS
from recommend.creatives.drawing.layouts import FULL_BLEED, LAYOUTS
from recommend.creatives.drawing.lines import cleaned

LONGEST_HEADLINE = 160
SIGNS = ("name", "logo", "none")


@dataclass(frozen=True, slots=True)
class Brief:
    """The settings of a set. Texts are plain text: markup in them is drawn as it is written."""

    #: Of product names and prices; the headline is in whichever the merchant writes.
    language: str = "en"
    #: Empty: each product's name is its headline.
    headline: str = ""
    layout: str = FULL_BLEED
    #: Codes of ``drawing.formats.FORMATS``, in the order of the preview.
    formats: tuple[str, ...] = tuple(FORMATS)
    show_price: bool = True
    show_name: bool = True
    #: ``name`` of the shop, its ``logo``, or ``none``.
    sign: str = "name"
    background: str = "#f6f1e9"
    ink: str = "#2b2118"
    accent: str = "#b4552d"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """A brief from a form, a request's body or a set's row. Raises ``UserError`` where a value cannot be used."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise UserError("bad-brief", _("There is no setting “%(name)s”.") % {"name": unknown[0]})
        brief = cls(**{**values, "formats": tuple(values.get("formats", FORMATS))})
        brief.check()
        return brief.tidied()

    def check(self) -> None:
        """Raise ``UserError`` for the first value that cannot be used."""
        texts = (self.language, self.headline, self.layout, self.sign, self.background, self.ink, self.accent)
        if not all(isinstance(text, str) for text in (*texts, *self.formats)):
            raise UserError("bad-brief", _("Headline, layout and colours are texts."))
        if not all(isinstance(switch, bool) for switch in (self.show_price, self.show_name)):
            raise UserError("bad-brief", _("Price and name are shown or not: true or false."))
        if self.language not in dict(settings.LANGUAGES):
            raise UserError("bad-language", _("Choose one of the shop's languages."))
        if self.layout not in LAYOUTS:
            raise UserError("bad-layout", _("There is no layout “%(name)s”.") % {"name": self.layout[:40]})
        if not self.formats:
            raise UserError("no-format", _("No format was chosen."), _("Choose at least one."))
        unknown = [code for code in self.formats if code not in FORMATS]
        if unknown:
            raise UserError("bad-format", _("There is no format “%(name)s”.") % {"name": unknown[0][:40]})
        if self.sign not in SIGNS:
            raise UserError("bad-sign", _("The shop's sign is its name, its logo, or none."))
        for colour in (self.background, self.ink, self.accent):
            try:
                rgb_of(colour)
            except ValueError as error:
                raise UserError(
                    "bad-colour", _("A colour is written like #b4552d."), _("Six digits from 0 to f.")
                ) from error

    def tidied(self) -> Self:
        """The same with a clean headline and each format once."""
        values = asdict(self)
        values["headline"] = cleaned(self.headline)[:LONGEST_HEADLINE]
        values["formats"] = tuple(code for code in FORMATS if code in self.formats)
        return type(self)(**values)

    @property
    def palette(self) -> Palette:
        return Palette(rgb_of(self.background), rgb_of(self.ink), rgb_of(self.accent))

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "formats": list(self.formats)}
