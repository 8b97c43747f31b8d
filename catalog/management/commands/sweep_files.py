"""``manage.py sweep_files``: delete files that no row names (the beat does it daily); ``--dry-run`` only lists them."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.services.leftovers import SAFE_AGE, find_leftovers, sweep_leftovers
from jobs.errors import UserError


class Command(BaseCommand):
    help = "Delete stored files that no row names and that nobody has touched for a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="list them, delete nothing")
        parser.add_argument(
            "--older-than",
            type=float,
            default=SAFE_AGE / timedelta(hours=1),
            metavar="HOURS",
            help="leave younger files alone: their rows may be on their way (at least 1, default 24)",
        )
        parser.add_argument(
            "--however-many",
            action="store_true",
            help="also where most of the storage would go, which is refused otherwise",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        older_than = timedelta(hours=options["older_than"])
        try:
            if options["dry_run"]:
                found = find_leftovers(older_than=older_than)
            else:
                found = sweep_leftovers(older_than=older_than, however_many=options["however_many"])
        except UserError as error:
            raise CommandError(str(error)) from error
        for leftover in found.leftovers:
            self.stdout.write(f"{leftover.size:>12} {leftover.modified:%Y-%m-%d %H:%M} {leftover.name}")
        what = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(f"{len(found.leftovers)} of {found.files} files, {found.size} bytes, {what}.")
