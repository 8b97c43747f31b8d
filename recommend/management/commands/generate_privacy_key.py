"""``manage.py generate_privacy_key``: a key for ``STYLEREC_PRIVACY_KEYS``."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Print a new key that wraps shoppers' data keys. Put it first in STYLEREC_PRIVACY_KEYS and keep the old ones."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(Fernet.generate_key().decode())
