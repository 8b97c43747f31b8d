"""What the API's tests share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    """Every client has a user of its own: hashing their passwords well would cost more than the requests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
