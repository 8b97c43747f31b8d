"""The training and stylising pages' forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, Q, TextChoices
from django.utils.translation import gettext_lazy as _

from catalog.models import Category, Product
from styling.cyclegan.presets import PRESETS
from styling.models import Style, StyleModel


class SourceChoice(forms.ModelChoiceField):
    """A category, with how many pictures its products have."""

    def label_from_instance(self, category: Any) -> str:
        return f"{category.display_name} ({category.picture_count})"


class TrainingForm(forms.Form):
    """What to learn from, which preset, and the few settings that are worth changing."""

    source_category = SourceChoice(queryset=Category.objects.none(), required=False, label=_("Learn from"))
    preset = forms.ChoiceField(choices=[(name, name) for name in PRESETS], initial="draft")
    minutes = forms.FloatField(min_value=0.1, max_value=60 * 24, required=False, label=_("Minutes at most"))
    seed = forms.IntegerField(min_value=0, max_value=2**31, required=False, label=_("Seed"))
    color_keep = forms.FloatField(min_value=0, max_value=1, required=False, label=_("Keep the products' colours (0–1)"))
    cycle_end = forms.FloatField(min_value=0, max_value=100, required=False, label=_("Cycle weight at the end"))
    learning_rate = forms.FloatField(min_value=1e-6, max_value=0.1, required=False, label=_("Learning rate"))
    algorithm = forms.ChoiceField(
        required=False,
        choices=[("", _("As the preset says")), ("cyclegan", "CycleGAN"), ("cut", "CUT"), ("fastcut", "FastCUT")],
        label=_("Algorithm"),
    )

    OVERRIDES = ("minutes", "seed", "color_keep", "cycle_end", "learning_rate", "algorithm")

    def __init__(self, *args: Any, style: Style, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        counted = Count("products__images", filter=~Q(products__status=Product.Status.ARCHIVED))
        choice: Any = self.fields["source_category"]
        choice.queryset = Category.objects.filter(merchant=style.merchant_id).annotate(picture_count=counted)
        choice.empty_label = _("All products")

    def overrides(self) -> dict[str, Any]:
        """The settings that were filled in."""
        return {name: self.cleaned_data[name] for name in self.OVERRIDES if self.cleaned_data[name] not in (None, "")}


class LimitsForm(forms.Form):
    """What renderings may do to a product before they are flagged."""

    least_edges_kept = forms.FloatField(
        min_value=0,
        max_value=1,
        label=_("Least share of the product's edges kept"),
        help_text=_("From 0 to 1. Higher flags renderings that lose contours, handles, patterns."),
    )
    most_color_shift = forms.FloatField(
        min_value=0,
        max_value=100,
        label=_("Largest colour shift on the product (ΔE, median)"),
        help_text=_("2 is just visible, 10 plainly different, above 40 another colour. Lower flags more."),
    )
    least_text_legibility = forms.FloatField(
        min_value=0,
        max_value=1,
        label=_("Least legibility of lettering on the product"),
        help_text=_("From 0 to 1. 0.9 is as clear as before, below 0.3 it cannot be read. Higher flags more."),
    )


class Restyle(TextChoices):
    """Which part of a picture takes the style."""

    WHOLE = "whole", _("The whole picture")
    PRODUCT = "product", _("The product: its background stays as it is")
    BACKGROUND = "background", _("The background: the product stays as it is")


class StyliseForm(forms.Form):
    """Which style (in which version), and how strongly."""

    style = forms.ModelChoiceField(queryset=Style.objects.none(), label=_("Style"))
    style_model = forms.ModelChoiceField(
        queryset=StyleModel.objects.none(), required=False, label=_("Version"), empty_label=_("The one in use")
    )
    strength = forms.FloatField(min_value=0, max_value=1, initial=1, label=_("Strength"))
    keep_color = forms.FloatField(min_value=0, max_value=1, initial=0, label=_("Keep the products' colours"))
    restyle = forms.ChoiceField(choices=Restyle.choices, initial=Restyle.WHOLE, required=False, label=_("Restyle"))
    every_picture = forms.BooleanField(required=False, label=_("All pictures of each product, not only the first"))
    #: How many products the user saw when they said yes; a filter may match others by the time that they send it.
    seen_count = forms.IntegerField(required=False, widget=forms.HiddenInput)
    confirm = forms.BooleanField(required=False)

    def __init__(self, *args: Any, merchant_id: int, count: int, confirm: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count, self.needs_confirmation = count, confirm
        style: Any = self.fields["style"]
        style.queryset = Style.objects.filter(merchant=merchant_id)
        model: Any = self.fields["style_model"]
        model.queryset = StyleModel.objects.filter(merchant=merchant_id).select_related("style")

    def clean(self) -> dict[str, Any]:
        """Many at once only where the user has said so, knowing how many."""
        if self.needs_confirmation and not self.cleaned_data.get("confirm"):
            self.add_error("confirm", _("Tick this first: it says how many will be rendered."))
        elif self.needs_confirmation and self.cleaned_data.get("seen_count") != self.count:
            self.add_error("confirm", _("The list has changed meanwhile. Look at the number, and tick this again."))
        return self.cleaned_data
