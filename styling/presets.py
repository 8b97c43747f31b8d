"""The presets in a merchant's words. What they set is in ``styling.cyclegan.presets``."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from styling.cyclegan.presets import PRESETS
from styling.services.estimates import estimated_minutes, seconds_per_cost

TEXTS: dict[str, tuple[Promise, Promise]] = {
    "draft": (_("Draft"), _("See in minutes whether the style works with your products.")),
    "painterly": (_("Painterly"), _("Bolder strokes and colours. For paintings and prints whose brushwork matters.")),
    "standard": (_("Standard"), _("Sharper and truer to the style. For the pictures that you publish.")),
    "paper": (_("Paper"), _("The full network of the CycleGAN paper. For a machine with a GPU.")),
    "teaching": (_("Teaching material"), _("Diagrams and labels: never mirrored, edges held harder.")),
    "medical": (_("Medical pictures"), _("Grey, 16 bits, strong identity. Never published unseen, not for diagnosis.")),
    "art-restoration": (_("Art restoration"), _("From damaged to restored; what is sound stays as it is.")),
}
#: The presets of a shop; the others are for the domains that they are named after.
FOR_SHOPS = ("draft", "painterly", "standard", "paper")


@dataclass(frozen=True, slots=True)
class PresetCard:
    """One choice on the training page."""

    name: str
    title: str | Promise
    description: str | Promise
    minutes: float
    image_size: int
    steps: int | None
    for_shops: bool


def preset_cards() -> list[PresetCard]:
    """Every preset, with the minutes that it will take on this machine."""
    per_cost = seconds_per_cost()
    return [
        PresetCard(
            name=name,
            title=TEXTS.get(name, (name, ""))[0],
            description=TEXTS.get(name, (name, ""))[1],
            minutes=estimated_minutes(settings, per_cost=per_cost),
            image_size=settings.image_size,
            steps=settings.steps,
            for_shops=name in FOR_SHOPS,
        )
        for name, settings in PRESETS.items()
    ]
