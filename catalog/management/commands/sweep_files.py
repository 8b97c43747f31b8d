"""``manage.py sweep_files``: delete what no row names, files and folders (the beat does it daily); ``--dry-run`` lists it."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog.services import sweeping
from catalog.services.leftovers import SAFE_AGE
from jobs.errors import UserError


class Command(BaseCommand):
    help = "Delete stored files, and folders of artifacts and jobs, that no row names and nobody has touched for a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="list them, delete nothing")
        parser.add_argument(
            "--older-than",
            type=float,
            default=SAFE_AGE / timedelta(hours=1),
            metavar="HOURS",
            help="leave younger ones alone: their rows may be on their way (at least 1, default 24)",
        )
        parser.add_argument(
            "--however-many",
            action="store_true",
            help="also where most of what there is would go, as after a large shop is deleted",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            older_than = timedelta(hours=options["older_than"])
            timezone.now() - older_than
        except (ValueError, OverflowError) as error:
            raise CommandError(f"--older-than {options['older_than']}: no time ago that there was.") from error
        try:
            if options["dry_run"]:
                found = sweeping.find(older_than=older_than)
            else:
                found = sweeping.sweep(older_than=older_than, however_many=options["however_many"])
        except UserError as error:
            raise CommandError(str(error)) from error
        for leftover in found.files.leftovers:
            self._line(leftover.size, leftover.modified, leftover.name)
        for folder in found.folders:
            self._line(folder.size, folder.modified, f"{folder.path}/")
        files, folders = len(found.files.leftovers), len(found.folders)
        what = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(f"{files} of {found.files.files} files and {folders} folders, {found.size} bytes, {what}.")

    def _line(self, size: int, modified: datetime, name: str) -> None:
        self.stdout.write(f"{size:>12} {modified:%Y-%m-%d %H:%M} {name}")
