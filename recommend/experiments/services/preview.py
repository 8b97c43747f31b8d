"""What each variant would show: the first products of one shopper's shelf, made as that variant has it. Nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from recommend.experiments.metrics import ACTIONS
from recommend.experiments.models import Experiment, Variant
from recommend.experiments.services.drafts import version_of
from recommend.experiments.treatment import treatment_of, treatment_with
from recommend.models import Shopper
from recommend.services.shelves import Shelves
from recommend.services.slates import Presenter, ShownProduct

PRODUCTS = 4
#: Among so many shoppers of late one with a history is looked for.
LOOKED_AT = 50


@dataclass(frozen=True)
class Preview:
    """A variant's shelf for the example shopper."""

    variant: Variant
    items: Sequence[ShownProduct]


def previews_of(experiment: Experiment) -> tuple[Shopper | None, list[Preview]]:
    """The example (of the shoppers seen last one who likes styles; None: a stranger) and what each variant shows them."""
    shopper, found = _example(experiment), []
    for variant in experiment.variants.all():
        setting = {"value": variant.value}
        if experiment.subject == "version":
            setting["directory"] = version_of(experiment.merchant, variant.value).directory
        treatment = treatment_with(treatment_of(experiment.merchant, None), experiment.subject, setting)
        page = Shelves(experiment.merchant, shopper, treatment=treatment)
        slate = Presenter(page).slates({"home": page.shelf("home", PRODUCTS)}, keep=False)["home"]
        found.append(Preview(variant, slate.items))
    return shopper, found


def _example(experiment: Experiment) -> Shopper | None:
    shoppers = Shopper.objects.filter(merchant=experiment.merchant, personalisation_enabled=True)
    candidates = list(shoppers.order_by("-last_seen_at")[:LOOKED_AT])
    looks = Count("interactions", filter=Q(interactions__kind__in=ACTIONS))
    styles = Count("interactions", filter=Q(interactions__style__isnull=False))
    counted = Shopper.objects.filter(pk__in=[shopper.pk for shopper in candidates]).annotate(looks=looks, styles=styles)
    best = max(counted, key=lambda shopper: (min(shopper.styles, 3), min(shopper.looks, 3)), default=None)
    return best if best is not None and best.looks >= 3 else None
