"""The protocol cannot peek, and the command keeps its contract."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recommend.engine.errors import EngineError
from recommend.engine.evaluation import evaluate
from recommend.engine.heldout import held_out
from recommend.engine.interactions import Interactions, clean
from recommend.engine.settings import RecommenderSettings
from recommend.engine.simulator import Simulation, SimulatorSettings, simulate
from recommend.engine.splits import split
from recommend.engine.style_ablation import cold_start_ablation
from recommend.engine.tuning import Features, Period, tune
from recommend.management.commands.evaluate_recommender import Command

SETTINGS = RecommenderSettings(factors=8, epochs=6)


@pytest.fixture(scope="module")
def shop() -> Simulation:
    return simulate(SimulatorSettings(users=200, items=120, events=20))


@pytest.mark.parametrize("kind", ["temporal", "global-time"])
def test_shuffling_the_test_period_changes_nothing_in_the_fit(shop: Simulation, kind: str) -> None:
    log = clean(shop.interactions, items=shop.item_ids, max_events_per_user=None)
    test = split(log, kind).test
    in_test = np.isin(log.users * 1e12 + log.timestamps, test.users * 1e12 + test.timestamps)
    order = np.flatnonzero(in_test)
    items = log.items.copy()
    items[order] = items[np.random.default_rng(5).permutation(order)]
    shuffled = replace(log, items=items)
    assert not np.array_equal(items, log.items)

    results = []
    for version in (log, shuffled):
        parts = split(version, kind)
        period = Period(parts.train, parts.validation_now, held_out(parts.train, parts.validation))
        results.append(tune(period, SETTINGS, Features(shop.style_vectors)))

    one, other = results
    assert one.settings == other.settings
    assert one.blend == other.blend
    np.testing.assert_array_equal(one.parts.factors.vectors, other.parts.factors.vectors)
    np.testing.assert_array_equal(one.parts.item_item.values, other.parts.item_item.values)
    np.testing.assert_array_equal(one.parts.recent, other.parts.recent)


def test_style_helps_where_shoppers_care_for_it(shop: Simulation) -> None:
    result = evaluate(
        shop.interactions,
        kind="temporal",
        settings=SETTINGS,
        models=("popularity", "hybrid", "hybrid_without_style"),
        items=shop.item_ids,
        features=Features(shop.style_vectors),
    )

    models = result["models"]
    assert models["hybrid_without_style"]["behind_hybrid"][0] > 0
    assert models["popularity"]["behind_hybrid"][0] > 0.05
    assert models["hybrid"]["settings"]["weights"]["style"] > 0


def test_products_never_sold_are_ranked_by_their_look(shop: Simulation) -> None:
    report = cold_start_ablation(shop, SETTINGS)

    assert report["with_style"]["over_random"][0] > 0.02
    assert report["hidden_items"] > 10


def test_the_command_prints_its_contract_on_the_last_line(
    shop: Simulation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log.csv"
    log = shop.interactions
    rows = zip(log.users, log.items, log.timestamps, strict=True)
    path.write_text("user,item,timestamp\n" + "".join(f"{user},{item},{time}\n" for user, item, time in rows))

    call_command(Command(), interactions=path, split="global-time", models=["popularity", "ease"], json=True)

    out, err = capsys.readouterr()
    result = json.loads(out.strip().splitlines()[-1])
    assert set(result["models"]) == {"popularity", "ease"}
    assert {"ndcg@10", "recall@10", "hit_rate@10", "coverage", "novelty", "ci"} <= set(result["models"]["ease"])
    assert result["models"]["ease"]["ndcg@10"] > result["models"]["popularity"]["ndcg@10"]
    assert "popularity" in err


def test_the_command_names_a_bad_file(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("who,what\n")
    with pytest.raises(CommandError, match="missing-column"):
        call_command(Command(), interactions=path)
    path.write_text("user,item,timestamp\na,x,1\n")
    with pytest.raises(CommandError, match="too-few-test-users"):
        call_command(Command(), interactions=path)


def test_an_absent_package_is_reported_and_not_fatal(shop: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "implicit.als", None)

    result = evaluate(shop.interactions, kind="temporal", settings=SETTINGS, models=("popularity", "als"))

    assert set(result["models"]) == {"popularity"}
    assert "not installed" in result["absent"]["als"]


def test_an_empty_log_has_nothing_to_evaluate() -> None:
    with pytest.raises(EngineError) as caught:
        evaluate(Interactions.from_columns([], [], []), kind="temporal", settings=SETTINGS)
    assert caught.value.code == "no-events"
