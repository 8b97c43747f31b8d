"""Pseudonyms and per-shopper keys.

A shopper is known to the database only as ``epoch:HMAC(key of the epoch, merchant | visitor id)``. Epochs last a quarter
of a year; an epoch's key is derived from the site's secret, so pseudonyms of two epochs, or of two shops, cannot be linked
without it. A returning visitor's row moves to the present epoch at the first visit in it.

What is sensitive is sealed with a key of the shopper's own (AES-GCM), itself wrapped by the site's keys (Fernet) and kept
apart from what it seals (``privacy.key_store``). Forgetting the wrapped key makes every copy of the sealed bytes unreadable.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE_BYTES = 12
#: As the database gives it.
Bytes = bytes | memoryview


def epoch_of(day: date) -> str:
    """The quarter that a day lies in, such as ``2026q4``."""
    return f"{day.year}q{(day.month - 1) // 3 + 1}"


def previous_epoch(day: date) -> str:
    """The quarter before the one that ``day`` lies in."""
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return epoch_of(first - timedelta(days=1))


def pseudonym(*, merchant_id: int, visitor_id: str, epoch: str) -> str:
    """The name under which a shop knows a visitor in an epoch."""
    key = _epoch_key(settings.SECRET_KEY, epoch)
    return f"{epoch}:{hmac.digest(key, f'{merchant_id}|{visitor_id}'.encode(), hashlib.sha256).hex()}"


@lru_cache(maxsize=16)
def _epoch_key(secret: str, epoch: str) -> bytes:
    return hmac.digest(secret.encode(), f"shopper-epoch|{epoch}".encode(), hashlib.sha256)


def _site_keys() -> MultiFernet:
    return _fernet(tuple(settings.PRIVACY_KEYS))


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cover(content: bytes) -> bytes:
    """Encrypt bytes that wait outside the database (accepted events) with the site's newest key."""
    return _site_keys().encrypt(content)


def uncover(covered: bytes) -> bytes:
    """The bytes that `cover` was given. Raises ``cryptography.fernet.InvalidToken`` for anything else."""
    return _site_keys().decrypt(covered)


def new_wrapped_key() -> bytes:
    """A fresh data key, wrapped by the site's newest key."""
    return _site_keys().encrypt(AESGCM.generate_key(bit_length=256))


def seal(content: Any, *, wrapped_key: Bytes) -> bytes:
    """Encrypt JSON content with the shopper's key."""
    nonce = os.urandom(_NONCE_BYTES)
    key = _site_keys().decrypt(bytes(wrapped_key))
    return nonce + AESGCM(key).encrypt(nonce, json.dumps(content).encode(), None)


def unseal(sealed: Bytes, *, wrapped_key: Bytes) -> Any:
    """The sealed content; None where nothing is sealed, or where its key is gone."""
    sealed = bytes(sealed)
    if not sealed or not wrapped_key:
        return None
    try:
        key = _site_keys().decrypt(bytes(wrapped_key))
        return json.loads(AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None))
    except (InvalidToken, InvalidTag, ValueError):
        return None
