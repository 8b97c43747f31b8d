"""Variety: near-duplicates wait, the order of the scores is kept where variety is not asked for."""

from __future__ import annotations

import numpy as np
import pytest

from recommend.engine.diversity import intra_list_similarity, mmr
from recommend.engine.errors import EngineError

#: Three products of one look and two of another.
LOOKS = np.array([[1.0, 0.0], [1.0, 0.01], [0.99, 0.0], [0.0, 1.0], [0.1, 1.0]])
SCORES = np.array([1.0, 0.95, 0.9, 0.8, 0.5])


def test_a_second_look_comes_second():
    assert mmr(SCORES, LOOKS, 5, relevance=0.6).tolist()[:2] == [0, 3]


def test_relevance_alone_keeps_the_order_and_equal_candidates_too():
    assert mmr(SCORES, LOOKS, 3, relevance=1.0).tolist() == [0, 1, 2]
    assert mmr(np.ones(4), np.zeros((4, 2)), 4, relevance=0.5).tolist() == [0, 1, 2, 3]


def test_what_is_shown_already_counts():
    shown = np.array([[2.0, 0.0]])

    assert mmr(SCORES, LOOKS, 1, relevance=0.4, shown=shown).tolist() == [3]


def test_variety_lowers_the_similarity_within_the_list():
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(10, 6)), 10, axis=0) + rng.normal(0, 0.1, (100, 6))
    scores = np.sort(rng.random(100))[::-1]

    plain, varied = (vectors[mmr(scores, vectors, 10, relevance=share)] for share in (1.0, 0.5))

    assert intra_list_similarity(plain) > 0.9
    assert intra_list_similarity(varied) < 0.3


def test_similarity_of_a_list_by_hand():
    assert intra_list_similarity(np.array([[1.0, 0], [2.0, 0], [0, 1.0]])) == pytest.approx(1 / 3)
    assert intra_list_similarity(np.ones((1, 3))) == 0


def test_nothing_in_nothing_out_and_nonsense_refused():
    assert mmr(np.empty(0), np.empty((0, 2)), 3).tolist() == []
    assert mmr(SCORES, LOOKS, 0).tolist() == []
    with pytest.raises(EngineError):
        mmr(SCORES, LOOKS[:2], 3)
    with pytest.raises(EngineError):
        mmr(SCORES, LOOKS, 3, relevance=1.5)
    with pytest.raises(EngineError):
        mmr(np.array([np.nan] * 5), LOOKS, 3)
