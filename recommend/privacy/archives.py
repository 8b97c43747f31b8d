"""What a backup may hold of shoppers: rows that lead to nobody without the shopper's own key.

In an archive a shopper's pseudonym is sealed with the data key, like the profile. So what is left of an erased shopper in
an old archive is a row number and a random name: the visitor id does not lead to it any more, whoever holds the archive and
every secret of the site. After a restore the pseudonyms of those whose key is still there are put back, and the others are
forgotten: no key, no shopper.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from recommend import pseudonyms
from recommend.models import Interaction, Shopper
from recommend.privacy import key_store
from recommend.services import erasures, shoppers

_SEALED = "sealed:"
#: How many key names an archive carries to tell whether it came to the right key store.
SAMPLE = 100
_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class Revealed:
    """What a restore did with an archive's shoppers."""

    #: Whose key was there.
    shoppers: int
    #: Whose key was not, and how many events of theirs were deleted.
    forgotten: int
    events_forgotten: int


def concealer() -> Callable[[UUID, str], str]:
    """A function that seals ``(key id, pseudonym)`` for an archive, making keys for those who have had no use for one."""
    known = set(Shopper.objects.values_list("key_id", flat=True).iterator())
    wrapped = key_store.ensure(known, make=pseudonyms.new_wrapped_key)

    def conceal(key_id: UUID, pseudonym: str) -> str:
        if key_id not in wrapped:  # came after the list was read
            wrapped.update(key_store.ensure([key_id], make=pseudonyms.new_wrapped_key))
        return _SEALED + base64.b64encode(pseudonyms.seal(pseudonym, wrapped_key=wrapped[key_id])).decode()

    return conceal


def sample() -> list[str]:
    """Names of some shoppers' keys, to be found again where the archive is restored."""
    return [key_id.hex for key_id in Shopper.objects.order_by("key_id").values_list("key_id", flat=True)[:SAMPLE]]


def keys_are_here(names: list[str]) -> bool:
    """Whether the key store is the one that an archive with this sample belongs to.

    Erased shoppers' keys are missing rightly: they are not counted where the list of erasures knows them.
    """
    erased = erasures.erased_keys()
    expected = [UUID(hex=name) for name in names if UUID(hex=name) not in erased]
    return not expected or any(key_store.find(key_id) for key_id in expected)


def reveal() -> Revealed:
    """After a restore: put pseudonyms back, forget whoever has no key. May be run again after a crash."""
    wrapped = key_store.every()
    sealed = Shopper.objects.filter(pseudonym__startswith=_SEALED).only("key_id", "pseudonym").order_by("pk")
    lost: list[UUID] = []
    opened = last = 0
    while batch := list(sealed.filter(pk__gt=last)[:_ROWS_AT_ONCE]):
        readable = []
        for shopper in batch:
            content = base64.b64decode(shopper.pseudonym.removeprefix(_SEALED))
            name = pseudonyms.unseal(content, wrapped_key=wrapped.get(shopper.key_id, b""))
            if name:
                shopper.pseudonym = name
                readable.append(shopper)
            else:
                lost.append(shopper.key_id)
        Shopper.objects.bulk_update(readable, ["pseudonym"])
        opened += len(readable)
        last = batch[-1].pk
    events = sum(Interaction.objects.filter(shopper__key_id=key_id).count() for key_id in lost)
    return Revealed(shoppers=opened, forgotten=shoppers.forget(lost), events_forgotten=events)
