"""Signatures after the Standard Webhooks specification: HMAC-SHA-256 over ``id.timestamp.body``.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings

PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh signing secret of 256 bits, as receivers' libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def seal(secret: str) -> bytes:
    """The secret as it is stored: encrypted by the site's newest key."""
    return _site_keys().encrypt(secret.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """The secret again."""
    return _site_keys().decrypt(bytes(sealed)).decode()


def headers_of(*, message_id: str, timestamp: int, body: bytes, signing: Iterable[str]) -> dict[str, str]:
    """``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``, with one signature for each secret."""
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = []
    for secret in signing:
        key = base64.b64decode(secret.removeprefix(PREFIX))
        signatures.append("v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _site_keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.PRIVACY_KEYS])
