"""What the catalogue's tests share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    """Nobody attacks these accounts: hashing their passwords well would cost more than the tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
