"""What each variant would show: the first products of one shopper's shelf, as that variant has it. Nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from catalog.models import Product
from recommend.experiments.metrics import ACTIONS
from recommend.experiments.models import Experiment, Variant
from recommend.experiments.services.drafts import version_of
from recommend.experiments.subjects import BESIDE
from recommend.experiments.treatment import treatment_of, treatment_with
from recommend.models import Shopper
from recommend.services.shelves import Shelves, Slot
from recommend.services.slates import Presenter, ShownProduct

PRODUCTS = 4
#: Among so many shoppers of late one with a history is looked for.
LOOKED_AT = 50


@dataclass(frozen=True)
class Preview:
    """A variant's shelf for the example shopper."""

    variant: Variant
    items: Sequence[ShownProduct]


@dataclass(frozen=True)
class Previews:
    """The example shopper (None: a stranger), the product that they look at (None: the front page), and each variant."""

    shopper: Shopper | None
    beside: Product | None
    of_variants: Sequence[Preview]


def previews_of(experiment: Experiment) -> Previews:
    """For one of the shoppers seen last who likes styles; where the experiment shows, on the front page or a product's."""
    shopper, found = _example(experiment), []
    beside = _looked_at(experiment, shopper) if experiment.layer == BESIDE else None
    slot: Slot = "product" if beside else "home"
    for variant in experiment.variants.all():
        setting = {"value": variant.value}
        if experiment.subject == "version":
            setting["directory"] = version_of(experiment.merchant, variant.value).directory
        treatment = treatment_with(treatment_of(experiment.merchant, None), experiment.subject, setting)
        page = Shelves(experiment.merchant, shopper, treatment=treatment)
        picks = page.shelf(slot, PRODUCTS, product_id=beside.pk if beside else None)
        found.append(Preview(variant, Presenter(page).slates({slot: picks}, keep=False)[slot].items))
    return Previews(shopper, beside, found)


def _looked_at(experiment: Experiment, shopper: Shopper | None) -> Product | None:
    """What the shopper looked at last; of a stranger the newest product."""
    on_sale = Product.objects.filter(merchant=experiment.merchant).on_sale()
    seen = on_sale.filter(interactions__shopper=shopper).order_by("-interactions__occurred_at") if shopper else None
    return (seen.first() if seen is not None else None) or on_sale.order_by("-pk").first()


def _example(experiment: Experiment) -> Shopper | None:
    shoppers = Shopper.objects.filter(merchant=experiment.merchant, personalisation_enabled=True)
    candidates = list(shoppers.order_by("-last_seen_at")[:LOOKED_AT])
    looks = Count("interactions", filter=Q(interactions__kind__in=ACTIONS))
    styles = Count("interactions", filter=Q(interactions__style__isnull=False))
    counted = Shopper.objects.filter(pk__in=[shopper.pk for shopper in candidates]).annotate(looks=looks, styles=styles)
    best = max(counted, key=lambda shopper: (min(shopper.styles, 3), min(shopper.looks, 3)), default=None)
    return best if best is not None and best.looks >= 3 else None
