"""Ranking measures against values worked out by hand."""

import numpy as np
import pytest

from recommend.engine.metrics import bootstrap_mean, paired_bootstrap, score_lists


def test_ndcg_recall_hit_coverage_and_novelty_of_two_lists() -> None:
    lists = np.array([[0, 1, 2], [3, 4, -1]])
    wanted = [np.array([1, 7]), np.array([5])]

    scores = score_lists(lists, wanted, people=np.array([6, 0, 0, 0, 0, 0, 0, 0.0]), n_users=6)

    assert scores.ndcg[0] == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))
    assert scores.recall.tolist() == [0.5, 0.0]
    assert scores.hit.tolist() == [1.0, 0.0]
    assert scores.coverage == pytest.approx(5 / 8)
    assert scores.novelty == pytest.approx(-(np.log2(7 / 8) + 4 * np.log2(1 / 8)) / 5)


def test_a_paired_interval_sees_a_small_gain_that_holds_for_everybody() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 200)

    low, high = paired_bootstrap(noise + 0.1, noise)

    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)
    assert bootstrap_mean(noise)[0] < noise.mean() < bootstrap_mean(noise)[1]
