"""Short codes of shoppers: enough to tell people apart on a screen, too little to find anybody elsewhere."""

from __future__ import annotations

import re

from django.db.models import Q
from django.utils import timezone

from recommend import pseudonyms
from recommend.models import Shopper

LENGTH = 8
_CODE = re.compile(rf"[0-9a-f]{{{LENGTH}}}")


def code_of(shopper: Shopper) -> str:
    """The first characters of the pseudonym's digest."""
    return shopper.pseudonym.rpartition(":")[2][:LENGTH]


def with_code(text: str) -> Q:
    """A condition for the shoppers of a code, of this epoch and the last one; nobody for anything that is no code."""
    code = text.strip().lower()
    if not _CODE.fullmatch(code):
        return Q(pk__in=[])
    today = timezone.now().date()
    epochs = (pseudonyms.epoch_of(today), pseudonyms.previous_epoch(today))
    return Q(pseudonym__startswith=f"{epochs[0]}:{code}") | Q(pseudonym__startswith=f"{epochs[1]}:{code}")
