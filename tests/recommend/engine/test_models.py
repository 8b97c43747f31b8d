"""The parts against answers worked out by hand or by another route."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommend.engine.cold_start import place_cold_items
from recommend.engine.ease import cosine_weights, ease_weights, user_item_matrix
from recommend.engine.fold_in import FoldIn
from recommend.engine.histories import histories_of
from recommend.engine.interactions import EventLog, Interactions, clean
from recommend.engine.neighbours import strongest_of_dense
from recommend.engine.parts import fit_parts
from recommend.engine.popularity import DAY, recent_popularity, trending
from recommend.engine.settings import RecommenderSettings
from recommend.engine.splits import split
from recommend.engine.svd import ItemFactors, SvdSettings, fit_svd, sample_examples
from recommend.engine.transitions import transition_weights


def log_of(rows: list[tuple[str, str, float]]) -> EventLog:
    users, items, times = zip(*rows, strict=True)
    return clean(Interactions.from_columns(users, items, times))


def test_fold_in_solves_its_weighted_least_squares() -> None:
    rng = np.random.default_rng(0)
    vectors, biases = rng.standard_normal((30, 4)), rng.standard_normal(30) * 0.1
    factors = ItemFactors(vectors.astype(np.float32), biases.astype(np.float32))
    fold_in = FoldIn(factors, vectors.T @ vectors, vectors.T @ biases, confidence=3.0, regularisation=2.0, last=10)

    folded = fold_in.vector(np.array([4, 7, 9]), np.array([1.0, 2.0, -1.0], dtype=np.float32))

    weights, targets = np.ones(30), np.zeros(30)
    weights[[4, 7, 9]] += 3.0 * np.array([1.0, 2.0, 1.0])
    targets[[4, 7]] = 1.0
    system = vectors.T @ (weights[:, None] * vectors) + 2.0 * np.eye(4)
    expected = np.linalg.solve(system, vectors.T @ (weights * (targets - biases)))
    np.testing.assert_allclose(folded, expected, atol=1e-4)


RATED = Interactions.from_columns(
    ["a", "a", "a", "b", "b", "c"],
    ["x", "y", "z", "y", "x", "z"],
    [1.0, 2.0, 3.0, 1.0, 2.0, 1.0],
    "rating",
    [5.0, 3.0, 1.0, 4.0, 3.0, 5.0],
)


def test_a_middling_rating_says_half_of_a_like_and_a_bad_one_nothing() -> None:
    log = clean(RATED)

    assert user_item_matrix(log, seen=0.5).toarray().tolist() == [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]
    assert user_item_matrix(log).toarray().tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    profile = histories_of(log).profile(3, tau=1e9, uniform=0.0, last=10, seen=1.0)
    np.testing.assert_allclose(profile.toarray(), [[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 2.0]])
    following = transition_weights(log, reach=1, shrinkage=0.0, seen=0.5)
    assert following.toarray().tolist() == [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_who_disliked_a_product_did_not_merely_see_it() -> None:
    log = clean(
        Interactions.from_columns(
            ["a"] * 3 + ["b"] * 3, ["x", "x", "y"] * 2, [1, 2, 3] * 2, "rating", [3, 1, 5, 3, 5, 5]
        )
    )

    assert user_item_matrix(log, seen=0.5).toarray().tolist() == [[0.0, 1.0], [1.0, 1.0]]
    # Only b went from x to y: twice (the seen x and the liked one), at one step and at two.
    assert transition_weights(log.where(log.users == 0), reach=2, shrinkage=0.0, seen=0.5).nnz == 0


def test_a_basket_of_a_liked_and_a_seen_product_weighs_the_same_both_ways() -> None:
    log = clean(
        Interactions.from_columns(["a", "a", "b", "b"], ["x", "y", "x", "y"], [1, 1, 1, 2], "rating", [5, 3, 5, 5])
    )

    both = transition_weights(log, reach=1, shrinkage=0.0, seen=0.5).toarray()
    # Raw: a's basket .5 each way, b's step x → y 1. Over √(out·in): 1.5/1.5 and .5/.5.
    np.testing.assert_allclose(both, [[0, 1], [1, 0]])
    raw = transition_weights(log, reach=1, shrinkage=1e6, seen=0.5).toarray() * 1e6
    np.testing.assert_allclose(raw, [[0, 1.5], [0.5, 0]], rtol=1e-3)


def test_cosine_of_weighted_columns() -> None:
    weights = cosine_weights(sparse.csr_matrix(np.array([[0.5, 0.5, 0], [0.5, 0.5, 1.0]])), 0.0).toarray()

    np.testing.assert_allclose(weights, [[0, 1, 0.5**0.5], [1, 0, 0.5**0.5], [0.5**0.5, 0.5**0.5, 0]], rtol=1e-6)


def test_a_product_that_was_only_seen_keeps_what_was_learned_of_it() -> None:
    people = [f"u{n}" for n in range(60)]
    items = [f"i{n % 30}" for n in range(60)]
    log = clean(
        Interactions.from_columns(
            people + people, items + ["seen"] * 60, [1.0] * 60 + [2.0] * 60, "rating", [5.0] * 60 + [3.0] * 60
        )
    )
    content = np.random.default_rng(0).normal(size=(31, 4)).astype(np.float32)
    settings = RecommenderSettings(factors=4, epochs=3)
    row = int(np.flatnonzero(log.item_ids == "seen")[0])

    placed = fit_parts(log, style=None, content=content, settings=settings, now=3.0).factors
    learned = fit_svd(log, settings.svd)

    np.testing.assert_array_equal(placed.vectors[row], learned.vectors[row])


def test_a_seen_product_is_no_negative_of_the_svd_and_draws_the_folded_vector() -> None:
    users, items, targets = sample_examples(
        clean(RATED), negatives=20, popularity_power=0.0, rng=np.random.default_rng(0), seen=0.5
    )

    told = {(user, item): target for user, item, target in zip(users, items, targets, strict=True) if target}
    assert told == {(0, 0): 1.0, (0, 1): 0.5, (1, 0): 0.5, (1, 1): 1.0, (2, 2): 1.0}
    drawn = {(user, item) for user, item, target in zip(users, items, targets, strict=True) if not target}
    assert drawn == {(0, 2), (1, 2), (2, 0), (2, 1)}
    vectors = np.eye(2, dtype=np.float32)
    blind = FoldIn(ItemFactors(vectors, np.zeros(2, np.float32)), np.eye(2), np.zeros(2), 1.0, 1.0, last=9)
    seen = replace(blind, seen=1.0)
    history = (np.array([0]), np.array([0.0], dtype=np.float32))
    assert blind.vector(*history).tolist() == [0.0, 0.0]
    # (QᵀQ + λI + c s qqᵀ) p = (1 + c s) q with c = s = λ = 1: p = 2 / 3.
    np.testing.assert_allclose(seen.vector(*history), [2 / 3, 0.0], atol=1e-6)


def test_ease_has_no_diagonal_and_solves_its_constrained_regression() -> None:
    log = log_of(
        [(user, item, 1.0) for user, basket in {"a": "xy", "b": "xyz", "c": "zw", "d": "xw"}.items() for item in basket]
    )
    matrix = user_item_matrix(log)

    weights = ease_weights(matrix, 2.0)

    assert np.all(np.diag(weights) == 0)
    dense = matrix.toarray()
    gradient = dense.T @ (dense @ weights - dense) + 2.0 * weights
    np.fill_diagonal(gradient, 0.0)
    np.testing.assert_allclose(gradient, 0.0, atol=1e-4)


def test_neighbours_keep_the_weights_furthest_from_zero() -> None:
    kept = strongest_of_dense(np.array([[0, 3, -5, 1], [1, 0, 0, 0], [0, 0, 0, 0], [2, 2, 2, 0]], dtype=np.float32), 2)

    assert kept.matrix().toarray()[0].tolist() == [0, 3, -5, 0]
    items, scores = kept.evidence(np.array([0, 1]), np.array([1.0, 2.0], dtype=np.float32))
    assert dict(zip(items.tolist(), scores.tolist(), strict=True)) == {0: 2.0, 1: 3.0, 2: -5.0}


def test_transitions_point_forward_except_within_a_basket() -> None:
    weights = transition_weights(
        log_of([("a", "x", 1.0), ("a", "y", 2.0), ("b", "y", 1.0), ("b", "z", 1.0)]), reach=1, shrinkage=0.0
    )

    dense = weights.toarray() > 0
    assert dense[0, 1]
    assert not dense[1, 0]
    assert dense[1, 2]
    assert dense[2, 1]


def test_recent_popularity_counts_people_in_the_window_and_widens_in_a_quiet_shop() -> None:
    log = log_of([("a", "x", 0.0), ("b", "x", 0.0), ("a", "y", 9 * DAY), ("a", "y", 9.5 * DAY)])

    assert recent_popularity(log, now=10 * DAY, days=2, least_events=1).tolist() == [0, 1]
    assert recent_popularity(log, now=10 * DAY, days=2, least_events=4).tolist() == [2, 1]


def test_trending_counts_discoveries_and_not_repeat_orders() -> None:
    known = [(f"u{n}", "staple", 0.0) for n in range(40)] + [(f"u{n}", "staple", 99 * DAY) for n in range(40)]
    fresh = [(f"u{n}", "novelty", 99 * DAY) for n in range(25)]

    scores = trending(log_of(known + fresh), now=100 * DAY, days=7)

    assert scores[0] > 10 * scores[1]


def test_negatives_are_never_what_the_user_liked() -> None:
    log = log_of([(f"u{n}", f"i{(n * k) % 7}", 1.0) for n in range(20) for k in range(1, 4)])

    users, items, labels = sample_examples(log, negatives=5, popularity_power=0.6, rng=np.random.default_rng(1))

    liked = set(zip(*(column.tolist() for column in log.positive_pairs()), strict=True))
    assert {
        pair for pair, label in zip(zip(users.tolist(), items.tolist(), strict=True), labels, strict=True) if label
    } == liked
    assert not liked & {
        pair for pair, label in zip(zip(users.tolist(), items.tolist(), strict=True), labels, strict=True) if not label
    }


def test_svd_is_the_same_for_the_same_seed_and_zero_where_nothing_is_liked() -> None:
    log = log_of([(f"u{n}", f"i{(n + k) % 9}", 1.0) for n in range(30) for k in range(3)])
    settings = SvdSettings(factors=4, epochs=3)

    np.testing.assert_array_equal(fit_svd(log, settings).vectors, fit_svd(log, settings).vectors)
    assert not fit_svd(log.where(np.zeros(len(log), bool)), settings).vectors.any()


def test_cold_products_land_where_their_content_says() -> None:
    rng = np.random.default_rng(3)
    content = rng.standard_normal((60, 5)).astype(np.float32)
    truth = content @ rng.standard_normal((5, 3))
    warm = np.arange(60) < 50
    factors = ItemFactors(np.where(warm[:, None], truth, 0).astype(np.float32), np.zeros(60, np.float32))

    placed = place_cold_items(factors, content, warm, regularisation=1e-3)

    np.testing.assert_allclose(placed.vectors[50:], truth[50:], atol=0.01)
    np.testing.assert_array_equal(placed.vectors[:50], factors.vectors[:50])


@pytest.mark.parametrize("kind", ["temporal", "global-time", "leave-one-out"])
def test_no_split_lets_a_user_know_the_future(kind: str) -> None:
    rng = np.random.default_rng(0)
    log = log_of([(f"u{n % 6}", f"i{rng.integers(9)}", float(rng.uniform(0, 200 * DAY))) for n in range(240)])

    parts = split(log, kind)

    assert len(parts.train) + len(parts.validation) + len(parts.test) == len(log)
    for user in range(log.n_users):
        train, validation, test = (
            part.timestamps[part.users == user] for part in (parts.train, parts.validation, parts.test)
        )
        assert train.max() <= validation.min()
        assert validation.max() <= test.min()


def test_the_temporal_split_takes_a_tenth_and_a_fifth() -> None:
    parts = split(log_of([("a", f"i{n}", float(n)) for n in range(20)]), "temporal")

    assert (len(parts.train), len(parts.validation), len(parts.test)) == (14, 2, 4)
