"""The shop's own choices of renderings as a log to replay policies on, without a trace of who they were made for.

One line a choice, as ``recommend.engine.replay`` reads it: what was known of the shopper in general, what could have been
shown, what was, how likely that had been, and whether it was responded to. A slate counts once its shopper had time to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from catalog.models import Merchant
from recommend.engine.replay import ORIGINAL as ORIGINAL_ARM
from recommend.models import Slate
from recommend.services.policies import BATCH, RESPONSE_TIME, answers_to, arm_features, was_a_choice
from recommend.services.renderings import ORIGINAL


def choices_of(merchant: Merchant, *, since: datetime | None = None) -> Iterator[dict[str, Any] | None]:
    """Every choice, oldest first; None for one that was logged without what else could have been shown."""
    due = Slate.objects.filter(merchant=merchant, created_at__lte=timezone.now() - RESPONSE_TIME)
    due = due.exclude(slot=Slate.MAIL)
    due = due.order_by("created_at", "pk").only("pk", "merchant_id", "slot", "items", "created_at")
    if since is not None:
        due = due.filter(created_at__gte=since)
    slates = list(due[:BATCH])
    while slates:
        answered = answers_to(slates)
        for slate in slates:
            for item in slate.items:
                if was_a_choice(item):
                    yield _line(slate, item, responded=(slate.pk, item["product"]) in answered)
        last = slates[-1]
        later = Q(created_at__gt=last.created_at) | Q(created_at=last.created_at, pk__gt=last.pk)
        slates = list(due.filter(later)[:BATCH])


def _line(slate: Slate, item: Mapping[str, Any], *, responded: bool) -> dict[str, Any] | None:
    among = item.get("among")
    chosen = _key(item["style"] or ORIGINAL)
    if not among or chosen not in {_key(style) for style, _share in among}:
        return None
    return {
        "day": timezone.localdate(slate.created_at).isoformat(),
        "slot": slate.slot,
        "context": [item["known"]],
        "arms": [
            {"key": _key(style), "features": arm_features(styled=style != ORIGINAL, share=share).features.tolist()}
            for style, share in among
        ],
        "chosen": chosen,
        "propensity": item["propensity"],
        "reward": int(responded),
    }


def _key(style: int) -> str:
    return ORIGINAL_ARM if style == ORIGINAL else f"style-{style}"
