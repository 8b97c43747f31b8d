"""What cleaning keeps, drops and counts."""

import numpy as np
import pytest

from recommend.engine.errors import EngineError
from recommend.engine.histories import histories_of
from recommend.engine.interactions import Interactions, clean


def test_cleaning_drops_what_no_model_should_learn_from_and_counts_it() -> None:
    log = Interactions.from_columns(
        users=["a", "a", "a", "b", "b", "b", "b"],
        items=["x", "x", "gone", "y", "y", "y", "y"],
        timestamps=[1.0, 1.0, 2.0, 99.0, 3.0, float("nan"), 4.0],
        events=["click", "click", "click", "click", "impression", "click", "teleport"],
    )

    coded = clean(log, items=["x", "y"], now=10.0)

    report = coded.cleaning
    assert (report.read, report.kept, report.duplicates, report.future) == (7, 1, 1, 1)
    assert (report.unknown_items, report.impressions, report.bad_timestamps, report.unknown_events) == (1, 1, 1, 1)
    assert coded.item_ids[coded.items].tolist() == ["x"]


def test_two_different_events_at_one_moment_are_not_duplicates() -> None:
    log = Interactions.from_columns(["a"] * 3, ["x"] * 3, [1.0] * 3, ["view", "purchase", "view"])

    assert clean(log).cleaning.duplicates == 1


def test_a_bot_is_capped_to_its_latest_events_and_counts_once_a_product() -> None:
    n = 10_000
    log = Interactions.from_columns(
        ["bot"] * n + ["anna"], ["x", "y"] * (n // 2) + ["x"], [*np.arange(n, dtype=float), 5.0], "view"
    )

    coded = clean(log, max_events_per_user=100)

    assert coded.cleaning.over_the_cap == n - 100
    assert coded.cleaning.capped_users == 1
    assert coded.timestamps[coded.user_ids[coded.users] == "bot"].min() == n - 100
    assert len(coded.positive_pairs()[0]) == 3


@pytest.mark.parametrize(("rating", "sign"), [(5, 1), (4, 1), (3, 0), (2, -1), (1, -1)])
def test_ratings_are_liked_from_four_and_disliked_up_to_two(rating: float, sign: int) -> None:
    log = Interactions.from_columns(["a"], ["x"], [1.0], "rating", [rating])

    assert np.sign(clean(log).strengths).tolist() == [sign]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(EngineError) as caught:
        Interactions.from_columns(["a", "b"], ["x"], [1.0])
    assert caught.value.code == "bad-row"


def test_a_history_is_newest_first_and_a_basket_shares_one_rank() -> None:
    log = Interactions.from_columns(["a"] * 4, ["w", "x", "y", "z"], [1.0, 2.0, 2.0, 3.0], "click")

    history = histories_of(clean(log))

    assert history.items.tolist() == [3, 1, 2, 0]
    assert history.ranks.tolist() == [0, 1, 1, 3]


def test_a_later_dislike_overrules_and_a_later_like_restores() -> None:
    log = Interactions.from_columns(
        ["a"] * 5, ["x", "x", "y", "y", "x"], [1.0, 2.0, 1.0, 2.0, 3.0], ["like", "dislike", "like", "dislike", "click"]
    )

    history = histories_of(clean(log))

    assert dict(zip(history.items.tolist(), np.sign(history.strengths).tolist(), strict=True)) == {0: 1, 1: -1}
