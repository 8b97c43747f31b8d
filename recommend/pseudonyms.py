"""Pseudonyms and per-shopper keys.

A shopper is known to the database only as ``epoch:HMAC(key of the epoch, merchant | visitor id)``. Epochs last a quarter
of a year; an epoch's key is derived from the site's secret, so pseudonyms of two epochs, or of two shops, cannot be linked
without it. A returning visitor's row moves to the present epoch at the first visit in it.

What is sensitive is sealed with a key of the shopper's own (AES-GCM), itself wrapped by the site's keys (Fernet).
Forgetting the wrapped key makes the sealed bytes unreadable wherever copies of them lie, in backups too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from datetime import date, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE_BYTES = 12


def epoch_of(day: date) -> str:
    """The quarter that a day lies in, such as ``2026q4``."""
    return f"{day.year}q{(day.month - 1) // 3 + 1}"


def previous_epoch(day: date) -> str:
    """The quarter before the one that ``day`` lies in."""
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return epoch_of(first - timedelta(days=1))


def pseudonym(*, merchant_id: int, visitor_id: str, epoch: str) -> str:
    """The name under which a shop knows a visitor in an epoch."""
    epoch_key = hmac.new(settings.SECRET_KEY.encode(), f"shopper-epoch|{epoch}".encode(), hashlib.sha256).digest()
    digest = hmac.new(epoch_key, f"{merchant_id}|{visitor_id}".encode(), hashlib.sha256).hexdigest()
    return f"{epoch}:{digest}"


def _site_keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.PRIVACY_KEYS])


def new_wrapped_key() -> bytes:
    """A fresh data key, wrapped by the site's newest key."""
    return _site_keys().encrypt(AESGCM.generate_key(bit_length=256))


def seal(content: Any, *, wrapped_key: bytes | memoryview) -> bytes:
    """Encrypt JSON content with the shopper's key."""
    nonce = os.urandom(_NONCE_BYTES)
    key = _site_keys().decrypt(bytes(wrapped_key))
    return nonce + AESGCM(key).encrypt(nonce, json.dumps(content).encode(), None)


def unseal(sealed: bytes | memoryview, *, wrapped_key: bytes | memoryview) -> Any:
    """The sealed content; None where nothing is sealed, or where its key is gone."""
    content = bytes(sealed)
    if not content or not wrapped_key:
        return None
    try:
        key = _site_keys().decrypt(bytes(wrapped_key))
        return json.loads(AESGCM(key).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], None))
    except (InvalidToken, InvalidTag, ValueError):
        return None
