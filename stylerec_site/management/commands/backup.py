"""``manage.py backup FILE.tar``, ``manage.py backup --keys FILE.json``"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.errors import UserError
from stylerec_site.backup import backup
from stylerec_site.key_backup import backup_keys


class Command(BaseCommand):
    help = "Write database, media and artifacts into one file. Shoppers' data keys are not in it: see --keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path)
        parser.add_argument(
            "--keys",
            action="store_true",
            help="write the shoppers' data keys instead; keep that file elsewhere, and for a week at most",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["target"]
        try:
            if options["keys"]:
                self.stdout.write(
                    f"{target}: {backup_keys(target)} keys. Keep it apart from the site's backups, and not for long: "
                    "an erasure does not reach it."
                )
                return
            manifest = backup(target)
        except (UserError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{target}: {len(manifest['files'])} files, made at {manifest['made_at']}")
