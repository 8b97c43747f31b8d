"""A shopper's rights as verbs: consent, switch off, see, take along, forget."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.models import Merchant
from catalog.prepared import PreparedRows
from recommend import pseudonyms
from recommend.models import Interaction, Shopper, Slate
from recommend.services import erasures

#: A visitor's own id, or a client's id of a person, is never longer.
LONGEST_VISITOR_ID = 200


_BY_PSEUDONYM = PreparedRows(
    Shopper, lambda merchant_id, pseudonym: Shopper.objects.filter(merchant_id=merchant_id, pseudonym=pseudonym)
)


def find(*, merchant: Merchant, visitor_id: str) -> Shopper | None:
    """The shopper behind a visitor id; a row of the last epoch is moved to the present one."""
    today = timezone.now().date()
    present = pseudonyms.pseudonym(merchant_id=merchant.pk, visitor_id=visitor_id, epoch=pseudonyms.epoch_of(today))
    shopper: Shopper | None = _BY_PSEUDONYM.first(merchant.pk, present)
    if shopper is not None:
        return shopper if shopper.consent == Shopper.Consent.GRANTED else None
    past = pseudonyms.pseudonym(merchant_id=merchant.pk, visitor_id=visitor_id, epoch=pseudonyms.previous_epoch(today))
    moved = Shopper.objects.filter(merchant=merchant, pseudonym=past, consent=Shopper.Consent.GRANTED)
    if moved.update(pseudonym=present):
        return Shopper.objects.get(merchant=merchant, pseudonym=present)
    return None


def find_many(*, merchant: Merchant, visitor_ids: Iterable[str]) -> dict[str, Shopper]:
    """The consented shoppers behind many visitor ids, of this epoch or the last one, in one query."""
    today = timezone.now().date()
    names = {
        pseudonyms.pseudonym(merchant_id=merchant.pk, visitor_id=visitor_id, epoch=epoch): visitor_id
        for visitor_id in set(visitor_ids)
        for epoch in (pseudonyms.previous_epoch(today), pseudonyms.epoch_of(today))
    }
    rows = Shopper.objects.filter(merchant=merchant, pseudonym__in=names, consent=Shopper.Consent.GRANTED)
    return {names[shopper.pseudonym]: shopper for shopper in rows}


def grant_consent(*, merchant: Merchant, visitor_id: str) -> Shopper:
    """Consent to the present text; the shopper's row begins here, or goes on under the new text."""
    now = timezone.now()
    given = {
        "consent": Shopper.Consent.GRANTED,
        "consent_version": settings.CONSENT_TEXT_VERSION,
        "consent_at": now,
        "last_seen_at": now,
    }
    known = find(merchant=merchant, visitor_id=visitor_id)
    if known is not None:
        if known.consent_version != settings.CONSENT_TEXT_VERSION:
            Shopper.objects.filter(pk=known.pk).update(**given)
            known.refresh_from_db()
        return known
    epoch = pseudonyms.epoch_of(now.date())
    shopper, _ = Shopper.objects.update_or_create(
        merchant=merchant,
        pseudonym=pseudonyms.pseudonym(merchant_id=merchant.pk, visitor_id=visitor_id, epoch=epoch),
        defaults={
            **given,
            "personalisation_enabled": True,
            "wrapped_key": pseudonyms.new_wrapped_key(),
            "sealed_profile": b"",
        },
    )
    return shopper


def set_personalisation(*, shopper: Shopper, enabled: bool) -> None:
    """One click, and the next page is no longer (or again) personal."""
    Shopper.objects.filter(pk=shopper.pk).update(personalisation_enabled=enabled)
    shopper.personalisation_enabled = enabled


def erase(*, shopper: Shopper) -> None:
    """Forget everything, and write the erasure down, so that a restored backup forgets the shopper too.

    What a fitted recommender learned from the shopper is gone with its next fit: a fit reads the rows that are there.
    """
    with transaction.atomic():
        _forget(shopper.pk)
        erasures.write_down(shopper)


def erase_again(*, since: datetime) -> int:
    """After a restore: forget whoever was erased since the backup was made; how many shoppers."""
    again = 0
    for entry in erasures.erased_since(since):
        back = Shopper.objects.filter(
            pk=entry["shopper"], merchant_id=entry["merchant"], created_at__lt=entry["at"]
        ).values_list("pk", flat=True)
        for shopper_id in list(back):
            with transaction.atomic():
                _forget(shopper_id)
            again += 1
    return again


def _forget(shopper_id: int) -> None:
    Interaction.objects.filter(shopper=shopper_id).delete()
    Slate.objects.filter(shopper=shopper_id).delete()
    Shopper.objects.filter(pk=shopper_id).delete()


def remove_interactions(*, shopper: Shopper, product_id: int) -> int:
    """Forget what the shopper did with one product; how many events that were."""
    return Interaction.objects.filter(shopper=shopper, product_id=product_id).delete()[0]


def hidden_tags(shopper: Shopper) -> set[int]:
    """Ids of the styles that the shopper has taken out of their profile (sealed)."""
    profile = pseudonyms.unseal(shopper.sealed_profile, wrapped_key=shopper.wrapped_key) or {}
    return set(profile.get("hidden_styles", []))


def hide_tag(*, shopper: Shopper, style_id: int) -> None:
    """Take a style out of the shopper's profile, for good."""
    hidden = hidden_tags(shopper) | {style_id}
    sealed = pseudonyms.seal({"hidden_styles": sorted(hidden)}, wrapped_key=shopper.wrapped_key)
    Shopper.objects.filter(pk=shopper.pk).update(sealed_profile=sealed)
    shopper.sealed_profile = sealed


def export(*, shopper: Shopper) -> dict[str, Any]:
    """Everything that is kept about the shopper, table by table, for the shopper to take along."""
    interactions = Interaction.objects.filter(shopper=shopper).order_by("occurred_at")
    slates = Slate.objects.filter(shopper=shopper).order_by("created_at")
    return {
        "shopper": {
            "pseudonym": shopper.pseudonym,
            "consent": shopper.consent,
            "consent_text": shopper.consent_version,
            "consent_at": shopper.consent_at,
            "personalisation": shopper.personalisation_enabled,
            "first_seen": shopper.created_at,
            "last_seen": shopper.last_seen_at,
            "hidden_styles": sorted(hidden_tags(shopper)),
        },
        "interactions": list(
            interactions.values("event_id", "kind", "product__sku", "value", "style__slug", "slot", "occurred_at")
        ),
        "slates": list(slates.values("id", "slot", "items", "created_at")),
        "experiments": list(shopper.exposures.values("experiment__name", "variant__name", "at")),
    }


def purge(*, days: int | None = None) -> dict[str, int]:
    """Delete what is older than the retention time; running it again deletes nothing more."""
    limit = timezone.now() - timedelta(days=days or settings.INTERACTION_RETENTION_DAYS)
    interactions = Interaction.objects.filter(occurred_at__lt=limit).delete()[0]
    slates = Slate.objects.filter(created_at__lt=limit).delete()[0]
    idle = Shopper.objects.filter(last_seen_at__lt=limit).delete()[1].get("recommend.Shopper", 0)
    return {"interactions": interactions, "slates": slates, "shoppers": idle}
