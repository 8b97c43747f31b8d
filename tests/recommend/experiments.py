"""Experiments for tests: a draft in one call, and shoppers who see and do things in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from catalog.models import Merchant
from recommend.experiments.models import Experiment, Exposure, Variant
from recommend.experiments.services.drafts import Asked, create_experiment
from recommend.experiments.treatment import treatment_of
from recommend.models import Interaction, Shopper
from recommend.services import shoppers
from tests.recommend.shops import Shop
from tests.styling.factories import person

TWO = {
    "strategy": ("personal", "popular"),
    "diversity": ("usual", "much"),
    "beside": ("similar", "personal"),
    "rendering": ("own-share", "original"),
}


def editor(merchant: Merchant) -> Any:
    """Somebody who may run experiments in the shop."""
    return person(merchant, "editor")


def draft(
    shop: Shop, subject: str = "strategy", *, by: Any = None, shares: tuple[float, float] = (0.5, 0.5), **more: Any
):
    """A draft of two variants."""
    variants = more.pop("variants", None) or [
        Asked(value, share) for value, share in zip(TWO[subject], shares, strict=True)
    ]
    return create_experiment(
        merchant=shop.merchant,
        by=by or editor(shop.merchant),
        name=more.pop("name", f"Try {subject}"),
        subject=subject,
        variants=variants,
        **more,
    )


def take_part(
    shop: Shop,
    experiment: Experiment,
    variant: Variant,
    *,
    count: int,
    clicking: int,
    days_ago: float = 0.5,
    mark: str = "",
    kind: str = Interaction.Kind.CLICK,
) -> list[Shopper]:
    """``count`` shoppers saw the variant so long ago; the first ``clicking`` of them did something an hour later.

    Of another day it was noon, so that hours later are the same days later at whatever hour a test runs.
    """
    at = timezone.now() - timedelta(days=days_ago)
    if days_ago >= 1:
        at = at.replace(hour=12, minute=0, second=0, microsecond=0)
    names = [f"{variant.pk}-{mark}-{number}" for number in range(count)]
    people = Shopper.objects.bulk_create(
        Shopper(merchant=shop.merchant, pseudonym=f"2026q4:{name}", last_seen_at=at) for name in names
    )
    Exposure.objects.bulk_create(
        Exposure(experiment=experiment, variant=variant, shopper=person, at=at) for person in people
    )
    product = shop.products()[0]
    Interaction.objects.bulk_create(
        Interaction(
            merchant=shop.merchant, shopper=person, product=product, kind=kind, occurred_at=at + timedelta(hours=1)
        )
        for person in people[:clicking]
    )
    return people


def shopper_in(shop: Shop, variant: Variant) -> tuple[str, Shopper]:
    """A visitor id whose shopper gets this variant of the running experiment."""
    shop.merchant.refresh_from_db()
    for number in range(200):
        name = f"visitor-{number}"
        shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id=name)
        if (variant.experiment_id, variant.pk) in treatment_of(shop.merchant, shopper).exposures:
            return name, shopper
    raise AssertionError("nobody of 200 got the variant")
