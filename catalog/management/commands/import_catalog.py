"""``manage.py import_catalog DIR|ZIP``: products.csv and pictures become a shop's catalogue."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from catalog.models import Merchant
from catalog.services import imports
from catalog.services.merchants import open_shop
from jobs.errors import UserError


class Command(BaseCommand):
    help = (
        "Import products.csv (sku,name,name_zh,category,price,description,images; pictures separated by |) "
        "and its pictures from a folder or a ZIP."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="DIR|ZIP")
        parser.add_argument("--merchant", help="address (slug) of the shop; made if it does not exist")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._import(options)
        except UserError as error:
            raise CommandError(str(error)) from error

    def _import(self, options: dict[str, Any]) -> None:
        source = imports.open_source(options["source"])
        merchant = self._merchant(options["merchant"])
        if options["dry_run"]:
            planned = imports.plan(merchant=merchant, source=source)
        else:
            planned = imports.apply(merchant=merchant, source=source, on_progress=self._show)
        for row in planned.rows:
            for problem in row.problems + row.picture_problems:
                self.stderr.write(f"row {row.number} ({row.sku or 'no SKU'}): {problem.message}")
        self.stdout.write(
            f"{merchant.slug}: {len(planned.new)} new, {len(planned.changed)} changed, "
            f"{len(planned.unchanged)} unchanged, {len(planned.bad)} bad"
        )
        if planned.rows and len(planned.bad) == len(planned.rows):
            raise CommandError("No row could be imported. The reasons stand above.")

    def _show(self, done: int, total: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r{done}/{total}", ending="")

    def _merchant(self, slug: str | None) -> Merchant:
        if not slug and Merchant.objects.count() == 1:
            return Merchant.objects.get()
        if not slug:
            known = ", ".join(Merchant.objects.values_list("slug", flat=True))
            raise CommandError(f"Say which shop with --merchant ADDRESS. {f'There are: {known}' if known else ''}")
        merchant = Merchant.objects.filter(slug=slug).first()
        if merchant is not None:
            return merchant
        owner = get_user_model().objects.filter(is_superuser=True).order_by("pk").first()
        if owner is None:
            raise CommandError("There is no user yet to own the shop. Make one with: manage.py createsuperuser")
        return open_shop(name=slug, slug=slug, owner=owner)
