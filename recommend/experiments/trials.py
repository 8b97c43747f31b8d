"""Which fitted versions experiments still need."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from catalog.models import Merchant
from recommend.experiments.models import Experiment, Variant

#: So long after its end a stopped experiment's versions can still be rolled out, and a roll-out taken back.
DECIDE_WITHIN = timedelta(days=30)


def versions_on_trial(merchant: Merchant) -> frozenset[str]:
    """Recommender ids, as text, that a running experiment serves, or that one that ended of late may still put in use."""
    recent = Q(experiment__stopped_at__gte=timezone.now() - DECIDE_WITHIN)
    rows = Variant.objects.filter(
        Q(experiment__status=Experiment.Status.RUNNING) | recent,
        experiment__merchant=merchant,
        experiment__subject="version",
    )
    found: set[str] = set()
    for value, before in rows.values_list("value", "experiment__before"):
        found |= {value, str(before.get("value"))}
    return frozenset(found)
