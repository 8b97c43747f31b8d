"""``manage.py restore FILE.tar``, ``manage.py restore --keys FILE.json``"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.errors import UserError
from stylerec_site.backup import restore
from stylerec_site.key_backup import restore_keys


class Command(BaseCommand):
    help = "Bring database, media and artifacts back from a backup. Stop the web and worker processes first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path)
        parser.add_argument("--overwrite", action="store_true", help="replace the site that is here")
        parser.add_argument("--keys", action="store_true", help="bring shoppers' data keys back from their own backup")
        parser.add_argument(
            "--without-keys",
            action="store_true",
            help="restore though the shoppers' data keys are lost: forget them all",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["keys"]:
                done = restore_keys(options["source"])
                self.stdout.write(
                    f"Added {done['added']} keys, left out {done['erased']} of erased shoppers; {done['here']} are here."
                )
                return
            manifest = restore(options["source"], overwrite=options["overwrite"], without_keys=options["without_keys"])
        except (UserError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {len(manifest['files'])} files from the backup of {manifest['made_at']}")
        revealed = manifest["revealed"]
        self.stdout.write(f"Shoppers: {revealed.shoppers} are back.")
        if revealed.forgotten:
            self.stdout.write(
                f"{revealed.forgotten} had no key here (erased since, or the key is lost): forgotten, "
                f"with their {revealed.events_forgotten} events. They will be asked for consent anew."
            )
