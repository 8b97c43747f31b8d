"""The shop's learned policy of renderings: what it looks at, how it is kept, and how it learns from clicks.

A slate row says which rendering each product was shown in and how likely that choice was; an interaction that carries the
slate's id says what came of it. Both are read once, in the order of the slates, after the shopper had time to respond.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.models import Merchant
from recommend.engine.bandit import ArmFeatures, BanditSettings, ThompsonPolicy
from recommend.engine.errors import EngineError
from recommend.models import Interaction, RenderingPolicy, Slate

#: Context: how well the shopper is known. Arm: is it a styled rendering, and the shopper's share for its style.
SETTINGS = BanditSettings(context_size=1, arm_size=2)
#: A shopper has so long to respond to a slate before it counts as seen without a click.
RESPONSE_TIME = timedelta(minutes=30)
#: Slates read at once.
BATCH = 2_000
RESPONSES = (Interaction.Kind.CLICK, Interaction.Kind.ADD_TO_CART, Interaction.Kind.PURCHASE, Interaction.Kind.LIKE)


def arm_features(*, styled: bool, share: float, key: str = "") -> ArmFeatures:
    """A rendering as the policy sees it."""
    return ArmFeatures(key, np.array([1.0 if styled else 0.0, share]))


def load_policy(state: Mapping[str, object]) -> ThompsonPolicy | None:
    """The shop's policy from its row; None where it is new or does not fit this version."""
    if not state:
        return None
    try:
        policy = ThompsonPolicy.from_state(dict(state))
    except (EngineError, KeyError, ValueError, TypeError):
        return None
    return policy if policy.settings == SETTINGS else None


def learn(*, merchant: Merchant) -> int:
    """Learn from the slates that came due since the last time; how many shown renderings that were.

    Idempotent: the row remembers the last slate, and is locked while it learns.
    """
    learned = 0
    while True:
        with transaction.atomic():
            row, _ = RenderingPolicy.objects.select_for_update().get_or_create(merchant=merchant)
            policy = load_policy(row.state) or ThompsonPolicy(SETTINGS)
            slates = _due(row)
            if not slates:
                return learned
            learned += _teach(policy, slates)
            row.state = policy.state()
            row.learned_until, row.learned_until_slate = slates[-1].created_at, slates[-1].pk
            row.save()
        if len(slates) < BATCH:
            return learned


def _due(row: RenderingPolicy) -> list[Slate]:
    due = Slate.objects.filter(merchant_id=row.merchant_id, created_at__lte=timezone.now() - RESPONSE_TIME)
    due = due.exclude(slot=Slate.MAIL)
    if row.learned_until is not None:
        due = due.filter(
            Q(created_at__gt=row.learned_until) | Q(created_at=row.learned_until, pk__gt=row.learned_until_slate)
        )
    return list(due.order_by("created_at", "pk")[:BATCH])


def _teach(policy: ThompsonPolicy, slates: Sequence[Slate]) -> int:
    answered = answers_to(slates)
    contexts, arms, rewards = [], [], []
    for slate in slates:
        for item in slate.items:
            if not was_a_choice(item):
                continue
            contexts.append(np.array([item["known"]]))
            arms.append(arm_features(styled=item["rendering"] is not None, share=item["share"]))
            rewards.append(1.0 if (slate.pk, item["product"]) in answered else 0.0)
    return policy.update(contexts, arms, rewards)


def answers_to(slates: Sequence[Slate]) -> set[tuple[uuid.UUID, int]]:
    """(slate, product) of everything on these slates, all of one shop, that a shopper responded to."""
    return set(
        Interaction.objects.filter(
            merchant_id=slates[0].merchant_id, kind__in=RESPONSES, slate_id__in=[slate.pk for slate in slates]
        ).values_list("slate_id", "product_id")
    )


def was_a_choice(item: Mapping[str, Any]) -> bool:
    """Whether the product had a rendering to choose, and the record says what the choice was made by."""
    return item.get("propensity", 1.0) < 1.0 and "known" in item and "share" in item
