"""How a page is made for a visitor: as the shop usually does, or as their variant of a running experiment has it.

What runs stands in ``Merchant.serving``, which every request has read anyway, so a shop without an experiment pays
nothing, and the variant is computed, not looked up. A shopper's first sight of it is one insert, once per process at
most; the database keeps the first alone.

``Merchant.serving``: ``{"usual": {"strategy": "popular"}, "running": [{"id": 4, "key": "experiment-4", "subject":
"strategy", "variants": [{"id": 7, "share": 0.5, "value": "personal"}, …]}]}``; a version's variant also says its
``directory``. It is written by ``services.lifecycle`` alone, in the transaction that starts, stops or rolls out.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils import timezone

from catalog.models import Merchant
from recommend.engine.experiments import Variant as Share
from recommend.engine.experiments import assign
from recommend.experiments.models import Exposure
from recommend.experiments.subjects import (
    BESIDE,
    LEARNED,
    ORIGINAL_ONLY,
    PERSONAL,
    RELEVANCE,
    SIMILAR,
    layer_of,
)
from recommend.models import Shopper

#: Exposures that a process remembers having stored today; beyond it forgets, which costs an insert that changes nothing.
MOST_REMEMBERED = 200_000
_stored: set[tuple[Any, ...]] = set()


@dataclass(frozen=True)
class Version:
    """A fitted recommender that serves in the place of the one in use."""

    recommender_id: int
    directory: str


@dataclass(frozen=True)
class Treatment:
    """Everything about a page that an experiment or its rolled-out winner may change; None leaves it to the shop."""

    strategy: str = PERSONAL
    relevance: float | None = None
    rendering: str | None = None
    #: What the shelf of a product's page shows.
    beside: str = SIMILAR
    version: Version | None = None
    #: (experiment, variant) ids that the shopper is part of.
    exposures: tuple[tuple[int, int], ...] = ()
    #: The experiment that only a product's page shows.
    seen_beside: int | None = None

    @property
    def is_personal(self) -> bool:
        return self.strategy == PERSONAL

    def learns(self, by_default: bool) -> bool:
        """Whether the shop's learned policy may choose renderings."""
        return by_default if self.rendering is None else self.rendering == LEARNED

    @property
    def shows_renderings(self) -> bool:
        return self.rendering != ORIGINAL_ONLY


USUAL = Treatment()


def treatment_of(merchant: Merchant, shopper: Shopper | None) -> Treatment:
    """The treatment of a visitor. Strangers are outside of every experiment."""
    plan = merchant.serving
    if not plan:
        return USUAL
    treatment = USUAL
    for subject, value in plan.get("usual", {}).items():
        treatment = treatment_with(treatment, subject, {"value": value})
    if shopper is None:
        return treatment
    exposures = []
    for running in plan.get("running", ()):
        variant = variant_of(running, shopper)
        if variant is not None:
            treatment = treatment_with(treatment, running["subject"], variant)
            exposures.append((running["id"], variant["id"]))
            if layer_of(running["subject"]) == BESIDE:
                treatment = replace(treatment, seen_beside=running["id"])
    return replace(treatment, exposures=tuple(exposures)) if exposures else treatment


def variant_of(running: Mapping[str, Any], shopper: Shopper) -> Mapping[str, Any] | None:
    """The shopper's variant of a running experiment; None where the shares leave them outside.

    Assigned by the shopper's row: their pseudonym changes with each quarter, and with it would their variant.
    """
    shares = [Share(str(variant["id"]), variant["share"]) for variant in running["variants"]]
    name = assign(experiment=running["key"], unit=str(shopper.pk), variants=shares, key=_key(settings.SECRET_KEY))
    return next((variant for variant in running["variants"] if str(variant["id"]) == name), None)


def note_exposures(treatment: Treatment, shopper: Shopper | None, *, slots: Collection[str]) -> None:
    """Keep that the shopper saw their variant on the shelves of these slots.

    At most one statement, and none where this process did it before.
    """
    if shopper is None or not treatment.exposures:
        return
    beside = "product" in slots
    seen = [pair for pair in treatment.exposures if beside or pair[0] != treatment.seen_beside]
    now = timezone.now()
    # The shopper's date tells them from an earlier one under the same id (a database brought back, or begun anew). Today's
    # is there because rows are purged behind this process's back: what it stored yesterday it stores again, and the
    # shopper goes on counting, in the variant that the hash gives them as ever.
    marks = {(*pair, shopper.pk, shopper.created_at, now.date()): pair for pair in seen}
    fresh = {mark: pair for mark, pair in marks.items() if mark not in _stored}
    if not fresh:
        return
    Exposure.objects.bulk_create(
        [
            Exposure(experiment_id=experiment, variant_id=variant, shopper=shopper, at=now)
            for experiment, variant in fresh.values()
        ],
        ignore_conflicts=True,
    )
    if len(_stored) > MOST_REMEMBERED:
        _stored.clear()
    _stored.update(fresh)


def treatment_with(treatment: Treatment, subject: str, variant: Mapping[str, Any]) -> Treatment:
    """The treatment with one subject set: ``variant`` says its ``value``, and of a version the ``directory``."""
    value = variant["value"]
    if subject == "strategy":
        return replace(treatment, strategy=value)
    if subject == "diversity":
        return replace(treatment, relevance=RELEVANCE[value])
    if subject == "version":
        return replace(treatment, version=Version(int(value), variant["directory"]))
    if subject == "beside":
        return replace(treatment, beside=value)
    return replace(treatment, rendering=value)


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"experiments", hashlib.sha256)
