"""``manage.py restore FILE.tar``"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.errors import UserError
from stylerec_site.backup import restore


class Command(BaseCommand):
    help = "Bring database, media and artifacts back from a backup. Stop the web and worker processes first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path)
        parser.add_argument("--overwrite", action="store_true", help="replace the site that is here")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = restore(options["source"], overwrite=options["overwrite"])
        except (UserError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {len(manifest['files'])} files from the backup of {manifest['made_at']}")
