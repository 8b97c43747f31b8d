"""The forms of creatives: a new set, a changed one, and reported impressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.models import Merchant
from recommend.creatives.brief import LONGEST_HEADLINE, Brief
from recommend.creatives.drawing.formats import FORMATS
from recommend.creatives.drawing.layouts import LAYOUTS
from recommend.creatives.texts import LAYOUT_NAMES, format_label
from styling.models import Style


class ColourField(forms.CharField):
    """``#rrggbb``, chosen with the browser's own picker."""

    widget = forms.TextInput(attrs={"type": "color"})


class BriefForm(forms.Form):
    """Everything but the products."""

    name = forms.CharField(max_length=120, required=False, label=_("Name of the set"))
    headline = forms.CharField(
        max_length=LONGEST_HEADLINE,
        required=False,
        label=_("Headline"),
        help_text=_("Empty: each product's name."),
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES, label=_("Language of names and prices"))
    style = forms.ModelChoiceField(
        queryset=Style.objects.none(), required=False, label=_("Look"), empty_label=_("Original photos")
    )
    layout = forms.ChoiceField(choices=[(code, LAYOUT_NAMES[code]) for code in LAYOUTS], label=_("Layout"))
    formats = forms.MultipleChoiceField(choices=[(code, code) for code in FORMATS], label=_("Formats"))
    show_price = forms.BooleanField(required=False, label=_("Show the price"))
    show_name = forms.BooleanField(required=False, label=_("Show the product's name"))
    sign = forms.ChoiceField(
        choices=[("name", _("The shop's name")), ("logo", _("A logo")), ("none", _("Nothing"))],
        label=_("Sign of the shop"),
    )
    logo = forms.FileField(required=False, label=_("Logo"), help_text=_("JPEG, PNG or WebP, at most 15 MB."))
    background = ColourField(max_length=7, label=_("Background"))
    ink = ColourField(max_length=7, label=_("Ink"))
    accent = ColourField(max_length=7, label=_("Accent"))

    def __init__(self, *args: Any, merchant: Merchant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        styles: Any = self.fields["style"]
        styles.queryset = Style.objects.filter(merchant=merchant)
        formats: Any = self.fields["formats"]
        formats.choices = [(code, format_label(code)) for code in FORMATS]

    @staticmethod
    def initial_of(brief: Brief, *, style_id: int | None = None, name: str = "") -> dict[str, Any]:
        """What the form begins with."""
        return {**brief.to_dict(), "style": style_id, "name": name}

    def brief(self) -> Brief:
        """The brief that was filled in. Raises ``UserError``."""
        names = Brief().to_dict()
        return Brief.from_dict({name: value for name, value in self.cleaned_data.items() if name in names})


class ImpressionsForm(forms.Form):
    """Impressions of one day, a field for each creative, named by its code; empty fields say nothing."""

    day = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, data: Mapping[str, Any] | None = None, *, codes: list[str]) -> None:
        super().__init__(data)
        for code in codes:
            self.fields[f"n-{code}"] = forms.IntegerField(min_value=0, required=False)

    def figures(self) -> dict[str, int]:
        """Impressions by code, where any were given."""
        return {
            name.removeprefix("n-"): value
            for name, value in self.cleaned_data.items()
            if name.startswith("n-") and value is not None
        }
