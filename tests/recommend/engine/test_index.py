"""The exact index gives what a full scan gives, whatever the vectors, filters and boosts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommend.engine.errors import EngineError
from recommend.engine.index import ExactIndex


def brute_force(matrix, query, k, *, allow=None, exclude=(), boosts=None):
    """Score every row in double precision; ties go to the lower row."""
    scores = (matrix.astype(np.float64) * query).sum(axis=1)
    for row, added in (boosts or {}).items():
        scores[row] += added
    allowed = np.ones(len(matrix), dtype=bool) if allow is None else allow.copy()
    allowed[list(exclude)] = False
    rows = np.flatnonzero(allowed)
    best = rows[np.lexsort((rows, -scores[rows]))][:k]
    return best, scores[best]


def long_tailed(rng, count, columns):
    """Item vectors with popularity-shaped lengths; every seventh repeats its neighbour, so that ties occur."""
    matrix = rng.normal(size=(count, columns)) * rng.lognormal(0, 0.8, size=(count, 1))
    matrix[6::7] = matrix[5::7][: len(matrix[6::7])]
    return matrix.astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 1500),
    columns=st.integers(1, 24),
    k=st.integers(1, 40),
    bias=st.booleans(),
    weight=st.sampled_from([1.0, 0.0, -2.0, 1e-3, 300.0]),
    share=st.sampled_from([None, 0.0, 0.003, 0.1, 0.9]),
    excluded=st.integers(0, 30),
    boosted=st.integers(0, 60),
    spread=st.sampled_from([0.01, 1.0, 100.0]),
    typical=st.sampled_from([None, 1.0, 1e-3]),
)
def test_search_equals_brute_force(seed, count, columns, k, bias, weight, share, excluded, boosted, spread, typical):
    rng = np.random.default_rng(seed)
    matrix = long_tailed(rng, count, columns)
    query = rng.normal(size=columns)
    bias_column = int(rng.integers(columns)) if bias else None
    if bias_column is not None:
        query[bias_column] = weight
    allow = None if share is None else rng.random(count) < share
    exclude = rng.integers(0, count, size=excluded)
    boosts = {int(row): float(rng.normal() * spread) for row in rng.integers(0, count, size=boosted)}

    queries = None if typical is None else rng.normal(size=(5, columns)) * rng.lognormal(0, 2, columns) * typical

    found = ExactIndex.build(matrix, bias_column=bias_column, typical_queries=queries).search(
        query, k, allow=allow, exclude=exclude, boosts=boosts
    )

    rows, scores = brute_force(matrix, query, k, allow=allow, exclude=exclude, boosts=boosts)
    assert found.rows.tolist() == rows.tolist()
    assert found.scores.tolist() == scores.tolist()


def test_equal_vectors_are_ordered_by_row_over_many_blocks():
    index = ExactIndex.build(np.ones((5000, 8), dtype=np.float32))

    found = index.search(np.full(8, 0.1), 5, exclude=[0, 2])

    assert found.rows.tolist() == [1, 3, 4, 5, 6]


def test_long_tailed_lengths_are_mostly_never_read():
    rng = np.random.default_rng(4)
    directions = rng.normal(size=(20_000, 16)) / 4
    matrix = (directions * rng.lognormal(0, 1.2, size=(20_000, 1))).astype(np.float32)

    found = ExactIndex.build(matrix).search(rng.normal(size=16), 10)

    assert found.scored < 1000


def test_a_boost_lifts_a_row_that_no_bound_would_let_through_and_a_negative_one_sinks_the_best():
    matrix = np.linspace(1, 0, 2000, dtype=np.float32)[:, None]
    index = ExactIndex.build(matrix)

    found = index.search(np.array([1.0]), 2, boosts={1999: 5.0, 0: -1.0})

    assert found.rows.tolist() == [1999, 1]
    assert found.scores[0] == 5.0


def test_a_few_allowed_rows_are_all_found():
    index = ExactIndex.build(np.linspace(1, 0, 3000, dtype=np.float32)[:, None])
    allow = np.zeros(3000, dtype=bool)
    allow[[2999, 2500, 7]] = True

    found = index.search(np.array([1.0]), 10, allow=allow, exclude=[7])

    assert found.rows.tolist() == [2500, 2999]
    assert found.scored == 2


def test_a_saved_index_answers_alike_from_mapped_files(tmp_path):
    rng = np.random.default_rng(1)
    built = ExactIndex.build(long_tailed(rng, 700, 9), bias_column=8)
    built.save(tmp_path / "index")

    loaded = ExactIndex.load(tmp_path / "index")

    query = rng.normal(size=9)
    assert loaded.search(query, 12).rows.tolist() == built.search(query, 12).rows.tolist()
    assert loaded.bias_column == 8
    assert [path.name for path in tmp_path.iterdir()] == ["index"]  # no draft left behind


def test_a_saved_index_is_never_overwritten(tmp_path):
    index = ExactIndex.build(np.ones((3, 2)))
    index.save(tmp_path / "index")

    with pytest.raises(EngineError) as caught:
        index.save(tmp_path / "index")

    assert caught.value.code == "artifact-exists"


@pytest.mark.parametrize("name", ["vectors.npy", "order.npy", "blocks.npy", "index.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "empty"])
def test_a_damaged_index_is_refused(tmp_path, name, damage):
    ExactIndex.build(np.ones((300, 4))).save(tmp_path / "index")
    path = tmp_path / "index" / name
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")

    with pytest.raises(EngineError) as caught:
        ExactIndex.load(tmp_path / "index")

    assert caught.value.code == "artifact-corrupt"


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        (np.ones(3), {}),
        (np.array([1.0, np.nan]), {}),
        (np.ones(2), {"allow": np.ones(4, dtype=bool)}),
        (np.ones(2), {"boosts": {9: 1.0}}),
        (np.ones(2), {"boosts": {-1: 1.0}}),
        (np.ones(2), {"boosts": {1: float("inf")}}),
    ],
)
def test_an_impossible_question_is_refused(query, arguments):
    index = ExactIndex.build(np.ones((5, 2)))

    with pytest.raises(EngineError) as caught:
        index.search(query, 3, **arguments)

    assert caught.value.code == "bad-query"


@pytest.mark.parametrize("matrix", [np.ones(4), np.ones((2, 0)), np.array([[np.nan]])])
def test_an_impossible_matrix_is_refused(matrix):
    with pytest.raises(EngineError) as caught:
        ExactIndex.build(matrix)

    assert caught.value.code == "bad-vectors"


def test_an_empty_catalogue_answers_with_nothing(tmp_path):
    ExactIndex.build(np.empty((0, 3))).save(tmp_path / "index")

    found = ExactIndex.load(tmp_path / "index", mapped=False).search(np.ones(3), 10)

    assert found.rows.tolist() == []


@pytest.mark.parametrize("seed", range(6))
def test_flat_vectors_are_scanned_and_still_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(20_000, 40)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix[18_000:] = matrix[:2000]  # ties across blocks
    query = rng.normal(size=40)
    allow = None if seed % 2 else rng.random(20_000) < 0.7
    exclude = rng.integers(0, 20_000, size=30)
    boosts = {int(row): float(rng.normal()) for row in rng.integers(0, 20_000, size=50)}

    found = ExactIndex.build(matrix).search(query, 10, allow=allow, exclude=exclude, boosts=boosts)

    rows, scores = brute_force(matrix, query, 10, allow=allow, exclude=exclude, boosts=boosts)
    assert found.rows.tolist() == rows.tolist()
    np.testing.assert_allclose(found.scores, scores, rtol=1e-12)
    assert 28_000 < found.scored < 32_000  # two rounds of 40 blocks of 256, then everything once
