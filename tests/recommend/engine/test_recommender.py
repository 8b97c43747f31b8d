"""A fitted recommender: live answers equal measured ones, reasons hold, artifacts survive, odd data degrades softly."""

from pathlib import Path

import numpy as np
import pytest

from recommend.engine import artifact
from recommend.engine.blending import blended_scores
from recommend.engine.errors import EngineError
from recommend.engine.histories import histories_of
from recommend.engine.index import ExactIndex
from recommend.engine.interactions import Interactions, clean
from recommend.engine.reasons import reasons_for
from recommend.engine.recommender import FittedRecommender, HistoryEvent, RecommenderSettings, fit
from recommend.engine.simulator import Simulation, SimulatorSettings, simulate

SETTINGS = RecommenderSettings(factors=8, epochs=8)


@pytest.fixture(scope="module")
def shop() -> Simulation:
    return simulate(SimulatorSettings(users=150, items=80, events=20))


@pytest.fixture(scope="module")
def fitted(shop: Simulation) -> FittedRecommender:
    return fit(
        shop.interactions, items=shop.item_ids, style_vectors=shop.style_vectors, settings=SETTINGS, now=shop.end
    )


def history_of(shop: Simulation, user: str) -> list[HistoryEvent]:
    log = shop.interactions
    return [
        HistoryEvent(str(log.items[row]), str(log.events[row]), float(log.timestamps[row]))
        for row in np.flatnonzero(log.users == user)
    ]


def test_a_live_answer_is_the_measured_one(shop: Simulation, fitted: FittedRecommender) -> None:
    log = clean(shop.interactions, items=shop.item_ids)
    batch = blended_scores(fitted.parts, histories_of(log), fitted.blend)

    for user in ("user3", "user77"):
        answers = fitted.recommend(fitted.query(history_of(shop, user), shop.end), n=80)
        row = int(np.flatnonzero(log.user_ids == user)[0])
        live = {answer.item_id: answer.score for answer in answers}
        np.testing.assert_allclose([live[item] for item in shop.item_ids], batch[row], atol=2e-3)


def test_parts_add_up_to_the_score_and_the_exact_index_agrees(shop: Simulation, fitted: FittedRecommender) -> None:
    query = fitted.query(history_of(shop, "user5"), shop.end)
    allow = np.arange(80) % 3 > 0

    plain = fitted.recommend(query, n=9, allow=allow, exclude={"item1"}, explain=True)
    indexed = fitted.with_index(ExactIndex.build(fitted.item_matrix, bias_column=fitted.bias_column))

    assert [answer.item_id for answer in indexed.recommend(query, n=9, allow=allow, exclude={"item1"})] == [
        answer.item_id for answer in plain
    ]
    assert all(answer.score == pytest.approx(sum(answer.parts.values()), abs=1e-4) for answer in plain)
    assert "item1" not in {answer.item_id for answer in plain}
    assert all(allow[shop.item_ids.index(answer.item_id)] for answer in plain)


def test_scores_on_held_out_people_are_part_of_the_fit(fitted: FittedRecommender) -> None:
    scores = fitted.metrics["scores"]

    assert scores["ci"][0] < scores["ndcg@10"] < scores["ci"][1]
    assert scores["over_popularity"][0] > 0
    assert set(scores["lost_without"]) <= {"svd", "style", "item_item", "transition", "recent", "popularity"}


def test_one_click_changes_the_next_answer_without_a_refit(shop: Simulation, fitted: FittedRecommender) -> None:
    before = fitted.recommend(fitted.query([], shop.end), n=5)
    after = fitted.recommend(fitted.query([HistoryEvent("item7", "click", shop.end)], shop.end), n=5)

    assert [answer.item_id for answer in before] != [answer.item_id for answer in after]
    assert {answer.reason_code for answer in before} <= {"popular-now", "popular", "new-arrival"}


def test_reasons_name_a_product_of_the_shoppers_own_history(shop: Simulation, fitted: FittedRecommender) -> None:
    events = history_of(shop, "user9")
    answers = fitted.recommend(fitted.query(events, shop.end), n=20, exclude={event.item_id for event in events})

    assert {answer.reason_item for answer in answers} - {None} <= {event.item_id for event in events}
    assert {answer.reason_code for answer in answers} & {"also-bought", "in-your-style"}


def test_the_styles_that_a_shopper_responded_to_are_shares(fitted: FittedRecommender) -> None:
    events = [
        HistoryEvent("item1", "click", 1.0, "ink"),
        HistoryEvent("item2", "purchase", 2.0, "neon"),
        HistoryEvent("item3", "impression", 3.0, "ink"),
    ]

    assert fitted.query(events, 10.0).style_weights == {"ink": 0.25, "neon": 0.75}


def test_similar_products_leave_out_the_product_itself(fitted: FittedRecommender) -> None:
    answers = fitted.similar("item4", 6, exclude={"item5"})

    assert len(answers) == 6
    assert not {"item4", "item5"} & {answer.item_id for answer in answers}
    assert {answer.reason_item for answer in answers} == {"item4"}
    with pytest.raises(EngineError) as caught:
        fitted.similar("nothing", 3)
    assert caught.value.code == "unknown-item"


def test_a_saved_recommender_answers_the_same_from_mapped_files(
    shop: Simulation, fitted: FittedRecommender, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "v1")
    fitted.save(tmp_path / "v1")  # replacing is whole, too

    loaded = FittedRecommender.load(tmp_path / "v1")

    assert isinstance(loaded.item_matrix.base, np.memmap)
    query, again = (one.query(history_of(shop, "user2"), shop.end) for one in (fitted, loaded))
    assert loaded.recommend(again, n=10) == fitted.recommend(query, n=10)
    assert loaded.metrics == fitted.metrics
    assert [path.name for path in tmp_path.iterdir()] == ["v1"]


@pytest.mark.parametrize("name", ["item_matrix.npy", "config.json", "metrics.json", "recent.npy"])
@pytest.mark.parametrize("damage", ["cut", "gone", "garbled"])
def test_a_damaged_artifact_is_refused(fitted: FittedRecommender, tmp_path: Path, name: str, damage: str) -> None:
    fitted.save(tmp_path / "v1")
    path = tmp_path / "v1" / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"\x00" + content[1:])

    with pytest.raises(EngineError) as caught:
        FittedRecommender.load(tmp_path / "v1")

    assert caught.value.code in {"artifact-corrupt", "artifact-missing"}


@pytest.mark.parametrize(
    "log",
    [
        Interactions.from_columns([], [], []),
        Interactions.from_columns(["a"], ["x"], [1.0]),
        Interactions.from_columns(["a"] * 3, ["x", "y", "z"], [1.0, 2.0, 3.0]),
        Interactions.from_columns(["a", "b", "c"], ["x"] * 3, [1.0, 2.0, 3.0]),
        Interactions.from_columns(["a", "b"], ["x", "y"], [1.0, 2.0], "rating", [3.0, 3.0]),
        Interactions.from_columns(["a", "b"], ["x", "y"], [1e12, 1e12], "click"),
        Interactions.from_columns(["a", "b"], ["gone", "gone too"], [1.0, 2.0], "click"),
    ],
    ids=["no events", "one event", "one user", "one item", "all ratings alike", "the future", "deleted products"],
)
def test_too_little_to_learn_from_still_fills_the_shelf(log: Interactions) -> None:
    fitted = fit(log, items=["x", "y", "z"], settings=SETTINGS, now=100.0)

    for history in ([], [HistoryEvent("x", "click", 50.0)], [HistoryEvent("gone", "click", 50.0)]):
        answers = fitted.recommend(fitted.query(history, 100.0), n=3)
        assert len(answers) == 3
        assert all(np.isfinite(answer.score) for answer in answers)
    assert fitted.metrics["scores"] is None
    assert "Too few people" in str(fitted.metrics["note"])


def test_an_artifact_from_before_seen_products_counted_serves_as_it_was_fitted(
    fitted: FittedRecommender, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "old")
    arrays, config, _metrics = artifact.read(tmp_path / "old", mapped=False, verify=True)
    del config["settings"]["seen_strength"]

    assert artifact.parts_of(arrays, config).settings.seen_strength == 0.0


def test_no_product_is_its_own_reason(shop: Simulation, fitted: FittedRecommender) -> None:
    """Whatever part lifts it: what one looked at oneself is called that."""
    codes = set()
    for user in range(10):
        query = fitted.query(history_of(shop, f"user{user}"), shop.end)
        for row in query.history.items.tolist():
            for part in ("svd", "style", "item_item"):
                lifted = {"recent": 0.0, "popularity": 0.0, part: 1.0}
                ((code, source),) = reasons_for(fitted.parts, query, [row], [lifted])
                assert source != row
                codes.add(code)
    assert "seen-before" in codes


def test_a_stopped_fit_says_so_and_progress_is_told(shop: Simulation) -> None:
    told: list[tuple[int, int, str]] = []
    log = Interactions.from_columns(["a"], ["x"], [1.0])
    fit(log, items=["x"], settings=SETTINGS, now=2.0, on_progress=lambda *step: told.append(step))

    assert [step[:2] for step in told] == [(0, 3), (1, 3), (2, 3)]
    told.clear()
    fit(
        shop.interactions,
        items=shop.item_ids,
        settings=SETTINGS,
        now=shop.end,
        on_progress=lambda *step: told.append(step),
    )
    assert [step[:2] for step in told] == [(step, 15) for step in range(15)]
    with pytest.raises(EngineError) as caught:
        fit(log, items=["x"], settings=SETTINGS, now=2.0, should_stop=lambda: True)
    assert caught.value.code == "stopped"


@pytest.mark.parametrize(
    "change",
    [
        {"factors": 0},
        {"learning_rate": float("nan")},
        {"weights": {"magic": 1.0}},
        {"weights": {"svd": -1.0}},
        {"colour": 1},
    ],
)
def test_bad_settings_are_refused_at_the_door(change: dict) -> None:
    with pytest.raises(EngineError) as caught:
        RecommenderSettings.from_dict(change)
    assert caught.value.code == "bad-settings"


def test_vectors_of_the_wrong_shape_are_refused() -> None:
    log = Interactions.from_columns(["a"], ["x"], [1.0])
    with pytest.raises(EngineError) as caught:
        fit(log, items=["x"], style_vectors=np.zeros((2, 4), np.float32), settings=SETTINGS, now=2.0)
    assert caught.value.code == "bad-vectors"
