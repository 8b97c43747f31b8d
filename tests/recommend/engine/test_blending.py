"""Weights are found where a known blend made the picks."""

from dataclasses import replace

import numpy as np
import pytest

from recommend.engine.blending import Candidates, _ascended, blended_ndcg, learn_blend
from recommend.engine.settings import DEFAULT_WEIGHTS, PARTS


def picks(n_users: int, true: dict[str, float], *, seed: int = 0) -> Candidates:
    """Everybody's picks are the best three of forty products under the blend ``true``, over noise in every part."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n_users, 40, len(PARTS))).astype(np.float32)
    total = scores @ np.array([true.get(name, 0.0) for name in PARTS], dtype=np.float32)
    relevant = total >= np.sort(total, axis=1)[:, [-3]]
    ideal = np.full(n_users, (1 / np.log2(np.arange(2, 5))).sum())
    return Candidates(scores, np.ones((n_users, 40), dtype=bool), relevant, ideal, np.full(n_users, 5))


@pytest.mark.parametrize("true", [{"svd": 0.5, "style": 0.5}, {"transition": 0.8, "recent": 0.2}, {"popularity": 1.0}])
@pytest.mark.parametrize("n_users", [40, 240])
def test_the_blend_that_made_the_picks_is_found(true: dict[str, float], n_users: int) -> None:
    candidates = picks(n_users, true)

    blend, ndcg = learn_blend(candidates, DEFAULT_WEIGHTS, half=0.0)

    # With all of the history trusted, the true blend foresees every pick.
    assert ndcg > 0.97
    total = sum(blend.weights.values())
    assert {name for name in PARTS if blend.weights[name] / total > 0.1} == set(true)


def test_a_part_that_is_left_out_stays_out_and_others_carry_what_they_can() -> None:
    candidates = picks(120, {"svd": 0.7, "style": 0.3})

    blend, ndcg = learn_blend(candidates, DEFAULT_WEIGHTS, half=0.0, without=("style",))

    assert blend.weights["style"] == 0
    alone = blended_ndcg(candidates, np.array([1.0, 0, 0, 0, 0, 0]), 0.0)
    assert alone <= ndcg < learn_blend(candidates, DEFAULT_WEIGHTS, half=0.0)[1]


@pytest.mark.parametrize("seed", [10, 11])
def test_halves_lead_past_a_hill_on_which_one_ascent_stops(seed: int) -> None:
    exact = picks(150, {"svd": 0.5, "style": 0.3, "recent": 0.3}, seed=seed)
    noise = np.random.default_rng(seed).normal(scale=1.5, size=exact.scores.shape).astype(np.float32)
    candidates = replace(exact, scores=exact.scores + noise)
    start = np.array([DEFAULT_WEIGHTS[name] for name in PARTS])

    _weights, _half, stopped_at = _ascended(candidates, start, 1.0, ())

    assert learn_blend(candidates, DEFAULT_WEIGHTS, half=1.0)[1] > stopped_at + 0.001


def test_the_same_seed_finds_the_same_blend() -> None:
    candidates = picks(120, {"svd": 0.7, "item_item": 0.3})

    assert learn_blend(candidates, DEFAULT_WEIGHTS, half=1.0, seed=4) == learn_blend(
        candidates, DEFAULT_WEIGHTS, half=1.0, seed=4
    )
