"""``manage.py verify_audit``: whether every shop's audit trail is whole. Exit 1 at the first entry that is not."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog import audit
from catalog.models import Merchant


class Command(BaseCommand):
    help = "Check every shop's audit trail: no entry changed, none removed from the middle."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = []
        for merchant in Merchant.objects.order_by("slug"):
            entry = audit.first_broken(merchant=merchant)
            self.stdout.write(f"{merchant.slug}: {'whole' if entry is None else f'broken at entry {entry.pk}'}")
            if entry is not None:
                broken.append(merchant.slug)
        if broken:
            raise CommandError(f"Changed or shortened: {', '.join(broken)}")
