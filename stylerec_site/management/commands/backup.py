"""``manage.py backup FILE.tar``"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.errors import UserError
from stylerec_site.backup import backup


class Command(BaseCommand):
    help = "Write database, media and artifacts into one file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = backup(options["target"])
        except (UserError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['target']}: {len(manifest['files'])} files, made at {manifest['made_at']}")
