"""``manage.py replay_policy``: what would other rendering policies have earned on a log? No database is touched."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommend.engine.errors import EngineError
from recommend.engine.off_policy import FEWEST_CLICKS
from recommend.engine.replay import read_choices, replay_choices, replay_open_bandit


class Command(BaseCommand):
    help = "Estimate by IPS, SNIPS and DR what policies would have earned on logged choices and their propensities."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--log", type=Path, nargs="+", metavar="FILE", help="our own choices, JSON Lines")
        source.add_argument("--open-bandit", type=Path, metavar="DIR", help="the Open Bandit Dataset's folder")
        parser.add_argument("--fewest-clicks", type=int, default=FEWEST_CLICKS, help="no verdict below this many")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="end with the whole result on one line")

    def handle(self, *args: Any, **options: Any) -> None:
        settings = {"fewest_clicks": options["fewest_clicks"], "seed": options["seed"]}
        try:
            if options["open_bandit"]:
                result = replay_open_bandit(options["open_bandit"], **settings)
                for campaign, directions in result.items():
                    for direction, found in directions.items():
                        self._show(f"{campaign} {direction}", found)
            else:
                result = replay_choices(read_choices(options["log"]), **settings)
                for name, found in result["policies"].items():
                    self._show(name, {**found, "on_policy": result["on_policy"]})
        except EngineError as error:
            raise CommandError(f"{error.code}: {error.message}") from error
        if options["json"]:
            self.stdout.write(json.dumps(result))

    def _show(self, title: str, found: dict[str, Any]) -> None:
        self.stdout.write(f"{title}: {found['verdict']}")
        for name, row in [("on-policy", found["on_policy"]), *found["estimates"].items()]:
            self.stdout.write(
                f"  {name:<10} {row['value']:.5f}  [{row['low']:.5f}, {row['high']:.5f}]"
                f"  effective rows {row['effective_rows']:.0f}, clicks {row['effective_clicks']:.0f}"
            )
