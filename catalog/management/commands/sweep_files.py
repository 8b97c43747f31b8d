"""``manage.py sweep_files``: delete what no row names, files and folders (the beat does it daily); ``--dry-run`` lists it."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.services.leftovers import SAFE_AGE, find_leftovers, sweep_leftovers
from jobs.errors import UserError
from jobs.leftovers import find_folders, sweep_folders


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
            help="also where most of what there is would go, which is refused otherwise",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        older_than = timedelta(hours=options["older_than"])
        try:
            if options["dry_run"]:
                found = find_leftovers(older_than=older_than)
                folders = find_folders(older_than=older_than)[1]
            else:
                found = sweep_leftovers(older_than=older_than, however_many=options["however_many"])
                folders = sweep_folders(older_than=older_than, however_many=options["however_many"])
        except UserError as error:
            raise CommandError(str(error)) from error
        for leftover in found.leftovers:
            self._line(leftover.size, leftover.modified, leftover.name)
        for folder in folders:
            self._line(folder.size, folder.modified, f"{folder.path}/")
        size = found.size + sum(folder.size for folder in folders)
        what = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(
            f"{len(found.leftovers)} of {found.files} files and {len(folders)} folders, {size} bytes, {what}."
        )

    def _line(self, size: int, modified: datetime, name: str) -> None:
        self.stdout.write(f"{size:>12} {modified:%Y-%m-%d %H:%M} {name}")
