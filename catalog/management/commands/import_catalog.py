"""``manage.py import_catalog DIR|ZIP``: products.csv and pictures become a shop's catalogue."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from catalog.models import Merchant
from catalog.services import imports
from catalog.services.import_sources import open_source
from catalog.services.merchants import open_shop
from catalog.services.rendition_jobs import make_missing
from jobs.errors import UserError


class Command(BaseCommand):
    help = (
        "Import products.csv (sku,name,name_zh,category,price,description,images; pictures separated by |) "
        "and its pictures from a folder or a ZIP."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="DIR|ZIP")
        parser.add_argument("--merchant", help="address (slug) of the shop; made if it does not exist")
        parser.add_argument("--owner", metavar="USERNAME", help="who owns a shop that is made (default: a superuser)")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._import(options)
        except UserError as error:
            raise CommandError(str(error)) from error

    def _import(self, options: dict[str, Any]) -> None:
        source = open_source(options["source"])
        wanted = {"slug": options["merchant"], "owner": options["owner"], "name": options["source"].stem}
        if options["dry_run"]:
            with transaction.atomic():  # a shop that would have to be made is made for the plan alone
                merchant = self._merchant(**wanted)
                planned = imports.plan(merchant=merchant, source=source)
                transaction.set_rollback(True)
        else:
            merchant = self._merchant(**wanted)
            planned = imports.apply(merchant=merchant, source=source, on_progress=self._show)
            make_missing(merchant=merchant)
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

    def _merchant(self, slug: str | None, *, owner: str | None, name: str) -> Merchant:
        """The shop called ``slug``, the only shop there is, or a new one."""
        known = list(Merchant.objects.values_list("slug", flat=True))
        if not slug and len(known) > 1:
            raise CommandError(f"Say which shop with --merchant ADDRESS. There are: {', '.join(known)}")
        merchant = Merchant.objects.filter(slug=slug or (known[0] if known else "")).first()
        if merchant is not None:
            return merchant
        user = self._owner(owner)
        if user is None:
            self.stderr.write(
                "The shop has no owner yet. Make one with: manage.py createsuperuser (or name one with --owner)"
            )
        return open_shop(name=slug or name, slug=slug or "", owner=user)

    def _owner(self, username: str | None) -> Any | None:
        users = get_user_model().objects.order_by("pk")
        if username is None:
            return users.filter(is_superuser=True).first()
        user = users.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user “{username}”. Check --owner.")
        return user
