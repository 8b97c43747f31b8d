"""``manage.py export_replay_log``: the shop's choices of renderings as JSON Lines, for ``replay_policy``."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog.models import Merchant
from recommend.services.replay_log import choices_of


class Command(BaseCommand):
    help = "Write a shop's logged choices of renderings, their propensities and clicks; no shopper is named in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--merchant", required=True, metavar="SLUG", help="the shop's address")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="JSON Lines; appears whole")
        parser.add_argument("--days", type=int, help="the last so many days alone")

    def handle(self, *args: Any, **options: Any) -> None:
        merchant = Merchant.objects.filter(slug=options["merchant"]).first()
        if merchant is None:
            raise CommandError(f"There is no shop “{options['merchant']}”.")
        since = timezone.now() - timedelta(days=options["days"]) if options["days"] else None
        written = clicks = without = 0
        out: Path = options["out"]
        part = out.with_name(f".{out.name}.part")
        try:
            with part.open("w", encoding="ascii") as file:
                for choice in choices_of(merchant, since=since):
                    if choice is None:
                        without += 1
                        continue
                    file.write(json.dumps(choice) + "\n")
                    written, clicks = written + 1, clicks + choice["reward"]
            part.replace(out)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error}") from error
        self.stdout.write(f"{written} choices, {clicks} with a response.")
        if without:
            self.stdout.write(f"{without} left out: logged without what else could have been shown.")
