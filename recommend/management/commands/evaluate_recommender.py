"""Score the recommender and what people would use instead on a file of interactions, or on a simulated shop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommend.engine.errors import EngineError
from recommend.engine.evaluation import MODELS, Features, evaluate
from recommend.engine.loaders import read_csv, read_movielens
from recommend.engine.settings import RecommenderSettings
from recommend.engine.simulator import SimulatorSettings, simulate
from recommend.engine.splits import SPLITS
from recommend.engine.style_ablation import cold_start_ablation

COLUMNS = ("ndcg@10", "recall@10", "hit_rate@10", "coverage", "novelty")


class Command(BaseCommand):
    """Progress goes to standard error; with ``--json`` the last line of standard output is the result. No database."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--interactions", type=Path, help="the file; .gz is read too")
        source.add_argument("--simulate", action="store_true", help="a simulated shop with known wishes and styles")
        parser.add_argument("--format", choices=["movielens", "csv"], default="csv")
        parser.add_argument("--split", choices=SPLITS, default="temporal")
        parser.add_argument("--models", nargs="+", choices=MODELS, metavar="MODEL", help="; ".join(MODELS))
        parser.add_argument("--days", type=float, default=30.0, help="length of the test, and of the validation")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        def say(message: str) -> None:
            self.stderr.write(message)

        try:
            settings = RecommenderSettings(seed=options["seed"], holdout_days=options["days"])
            models = tuple(options["models"] or MODELS)
            if options["simulate"]:
                shop = simulate(SimulatorSettings(seed=options["seed"], users=1000, items=600, events=30))
                result = evaluate(
                    shop.interactions,
                    kind=options["split"],
                    settings=settings,
                    models=models,
                    items=shop.item_ids,
                    features=Features(style=shop.style_vectors),
                    say=say,
                )
                result["cold_start"] = cold_start_ablation(shop, settings)
            else:
                read = read_movielens if options["format"] == "movielens" else read_csv
                interactions = read(options["interactions"])
                result = evaluate(interactions, kind=options["split"], settings=settings, models=models, say=say)
        except EngineError as error:
            raise CommandError(f"{error.message} [{error.code}]") from error
        self._table(result)
        if options["json"]:
            self.stdout.write(json.dumps(result, sort_keys=True))

    def _table(self, result: dict[str, Any]) -> None:
        self.stderr.write(f"\n{'model':<28}" + "".join(f"{name:>13}" for name in COLUMNS) + "   95 % of NDCG@10")
        for name, scores in sorted(result["models"].items(), key=lambda entry: -entry[1]["ndcg@10"]):
            low, high = scores["ci"]
            row = "".join(f"{scores[column]:>13.4f}" for column in COLUMNS)
            self.stderr.write(f"{name:<28}{row}   {low:.4f} .. {high:.4f}")
        for name, reason in result["absent"].items():
            self.stderr.write(f"{name:<28}absent: {reason}")
