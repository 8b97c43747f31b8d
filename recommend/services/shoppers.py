"""A shopper's rights as verbs: consent, switch off, see, take along, forget."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.models import Merchant
from catalog.prepared import PreparedRows
from recommend import pseudonyms
from recommend.models import Interaction, Shopper, Slate
from recommend.privacy import key_store
from recommend.services import erasures, history

#: A visitor's own id, or a client's id of a person, is never longer.
LONGEST_VISITOR_ID = 200
#: How far back the list of erasures is compared with the tables: the purge runs daily, so this is ample.
UNFINISHED_ERASURES = timedelta(days=30)
_SHOPPERS_AT_ONCE = 400

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
    """The shoppers behind many visitor ids of whom something may be kept, of this epoch or the last one, in one query.

    Those who switched personalisation off are left out: nothing new is remembered of them.
    """
    today = timezone.now().date()
    names = {
        pseudonyms.pseudonym(merchant_id=merchant.pk, visitor_id=visitor_id, epoch=epoch): visitor_id
        for visitor_id in set(visitor_ids)
        for epoch in (pseudonyms.previous_epoch(today), pseudonyms.epoch_of(today))
    }
    rows = Shopper.objects.filter(
        merchant=merchant, pseudonym__in=names, consent=Shopper.Consent.GRANTED, personalisation_enabled=True
    )
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
            "sealed_profile": b"",
        },
    )
    return shopper


def set_personalisation(*, shopper: Shopper, enabled: bool) -> None:
    """One click, and the next page is no longer (or again) personal."""
    Shopper.objects.filter(pk=shopper.pk).update(personalisation_enabled=enabled)
    shopper.personalisation_enabled = enabled


def erase(*, shopper: Shopper) -> None:
    """Forget everything: the key, so that no archive can be opened any more, and the rows.

    It is written down first, so that a crash at any point is made good by the next purge. What a fitted recommender learned
    from the shopper is gone with its next fit: a fit reads the rows that are there.
    """
    erasures.write_down(shopper)
    forget([shopper.key_id])
    erasures.say_done()
    history.forget(shopper.pk)


def erase_again(*, since: datetime, by_number: bool = False) -> int:
    """Forget again whoever was erased after ``since`` and is there: after a restore, or a crash; how many shoppers.

    ``by_number``: the rows came from before keys had names and were given new ones, which no list of erasures knows.
    """
    entries = list(erasures.erased_since(since))
    again = forget([UUID(hex=entry["key"]) for entry in entries if "key" in entry])
    for entry in entries:
        if by_number or "key" not in entry:  # the row's number may be another's by now
            back = Shopper.objects.filter(
                pk=entry["shopper"], merchant_id=entry["merchant"], created_at__lt=entry["at"]
            )
            again += forget(list(back.values_list("key_id", flat=True)))
    return again


def forget(key_ids: list[UUID]) -> int:
    """Delete shoppers by the names of their keys, with all they did; how many were there.

    The keys go first: should the rest fail, what was sealed is gone already.
    """
    key_store.forget(key_ids)
    found = 0
    for start in range(0, len(key_ids), _SHOPPERS_AT_ONCE):
        gone = Shopper.objects.filter(key_id__in=key_ids[start : start + _SHOPPERS_AT_ONCE])
        with transaction.atomic():
            Interaction.objects.filter(shopper__in=gone).delete()
            Slate.objects.filter(shopper__in=gone).delete()
            found += gone.delete()[1].get("recommend.Shopper", 0)
    return found


def remove_interactions(*, shopper: Shopper, product_id: int) -> int:
    """Forget what the shopper did with one product, and the shelves that were chosen by it; how many events that were."""
    with transaction.atomic():
        slates = Slate.objects.filter(shopper=shopper)
        chosen_by_it = [
            pk
            for pk, items in slates.values_list("pk", "items")
            if any(item.get("source") == product_id for item in items)
        ]
        slates.filter(pk__in=chosen_by_it).delete()
        return Interaction.objects.filter(shopper=shopper, product_id=product_id).delete()[0]


def hidden_tags(shopper: Shopper) -> set[int]:
    """Ids of the styles that the shopper has taken out of their profile (sealed). No look for a key where nothing is."""
    if not shopper.sealed_profile:
        return set()
    profile = pseudonyms.unseal(shopper.sealed_profile, wrapped_key=key_store.find(shopper.key_id)) or {}
    return set(profile.get("hidden_styles", []))


def hide_tag(*, shopper: Shopper, style_id: int, hidden: bool = True) -> None:
    """Take a style out of the shopper's profile, until the shopper takes it back (``hidden=False``)."""
    with transaction.atomic():
        row = Shopper.objects.select_for_update().get(pk=shopper.pk)  # two tabs, two styles: both count
        before = hidden_tags(row)
        tags = before | {style_id} if hidden else before - {style_id}
        wrapped_key = key_store.ensure([row.key_id], make=pseudonyms.new_wrapped_key)[row.key_id]
        row.sealed_profile = pseudonyms.seal({"hidden_styles": sorted(tags)}, wrapped_key=wrapped_key)
        row.save(update_fields=["sealed_profile"])
    shopper.sealed_profile = row.sealed_profile


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
    idle = forget(list(Shopper.objects.filter(last_seen_at__lt=limit).values_list("key_id", flat=True)))
    return {"interactions": interactions, "slates": slates, "shoppers": idle}


def tidy_up() -> dict[str, int]:
    """What crashes left behind: erasures that were not finished, keys without a shopper."""
    finished = erase_again(since=timezone.now() - UNFINISHED_ERASURES)
    unused = key_store.sweep(set(Shopper.objects.values_list("key_id", flat=True)))
    return {"finished_erasures": finished, "unused_keys": unused}
