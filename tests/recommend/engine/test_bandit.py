"""The rendering policy learns whose taste is whose, and logs the probabilities it really acts with."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm

from recommend.engine.bandit import ArmFeatures, BanditSettings, ThompsonPolicy
from recommend.engine.errors import EngineError

ORIGINAL = ArmFeatures("original", np.array([0.0, 0.0]))
INK = ArmFeatures("ink", np.array([1.0, 0.0]))
NEON = ArmFeatures("neon", np.array([0.0, 1.0]))
ARMS = [ORIGINAL, INK, NEON]
#: Two groups of shoppers: the first clicks on ink, the second on neon.
GROUPS = np.array([[1.0, 0.0], [0.0, 1.0]])
CLICK_RATES = np.array([[0.10, 0.45, 0.05], [0.10, 0.05, 0.45]])


def fresh_policy(**changes):
    return ThompsonPolicy(BanditSettings(context_size=2, arm_size=2, **changes))


def play(policy, rounds, seed):
    """Serve and learn in batches of 20; return the mean regret of the second half and of a random policy."""
    rng = np.random.default_rng(seed)
    regrets = []
    for _ in range(rounds // 20):
        batch = []
        for group in rng.integers(0, 2, 20):
            choice = policy.choose(GROUPS[group], ARMS, rng=rng)
            rate = CLICK_RATES[group, ARMS.index(choice.arm)]
            regrets.append(CLICK_RATES[group].max() - rate)
            batch.append((GROUPS[group], choice.arm, float(rng.random() < rate)))
        policy.update(*zip(*batch, strict=True))
    random_regret = (CLICK_RATES.max(axis=1) - CLICK_RATES.mean(axis=1)).mean()
    return np.mean(regrets[len(regrets) // 2 :]), random_regret


def test_each_taste_group_gets_its_style():
    policy = fresh_policy(draws=64)

    regret, random_regret = play(policy, 1600, seed=0)

    rng = np.random.default_rng(1)
    for group, favourite in ((0, 1), (1, 2)):
        propensities, _ = policy.propensities(GROUPS[group], ARMS, rng=rng)
        assert propensities[favourite] > 0.85
    assert regret < random_regret / 4


def test_choices_are_as_frequent_as_their_logged_propensities():
    policy = fresh_policy(draws=16)  # few draws make each request's distribution coarse, and still right
    play(policy, 100, seed=3)
    rng = np.random.default_rng(4)
    rounds = 6000
    shown, promised, weighted = np.zeros(3), np.zeros(3), np.zeros(3)

    for _ in range(rounds):
        choice = policy.choose(GROUPS[0], ARMS, rng=rng)
        at = ARMS.index(choice.arm)
        shown[at] += 1
        promised += choice.propensities
        weighted[at] += 1 / choice.propensity

    assert shown / rounds == pytest.approx(promised / rounds, abs=0.02)  # three standard errors
    assert weighted / rounds == pytest.approx(np.ones(3), abs=0.12)  # inverse weighting is unbiased


def test_two_arms_win_as_often_as_the_normal_distribution_says():
    policy = fresh_policy(draws=40_000, floor=0.01)
    policy.update([GROUPS[0]] * 3, [INK, INK, NEON], [1.0, 0.0, 0.0])

    (ink, _), (ink_score, neon_score) = policy.propensities(GROUPS[0], [INK, NEON], rng=np.random.default_rng(0))

    design = np.array([np.outer([1, 1, 0], [1, *arm.features]).ravel() for arm in (INK, INK, NEON)])
    covariance = np.linalg.inv(design.T @ design / 0.25 + np.eye(9) / 0.09)
    gap = design[0] - design[2]
    exact = norm.cdf((ink_score - neon_score) / np.sqrt(gap @ covariance @ gap))
    assert (ink - 0.01) / 0.98 == pytest.approx(exact, abs=0.01)


def test_every_arm_keeps_the_floor_and_the_probabilities_sum_to_one():
    policy = fresh_policy(floor=0.1)
    policy.update([GROUPS[0]] * 500, [INK] * 500, [1.0] * 500)
    policy.update([GROUPS[0]] * 500, [NEON] * 500, [0.0] * 500)

    propensities, _ = policy.propensities(GROUPS[0], ARMS, rng=np.random.default_rng(0))

    assert propensities.min() >= 0.1
    assert propensities.sum() == pytest.approx(1)


def test_one_arm_is_shown_for_certain_and_equal_arms_share():
    policy = fresh_policy()

    assert policy.choose(GROUPS[0], [INK], rng=np.random.default_rng(0)).propensity == 1
    twins = [INK, ArmFeatures("ink again", INK.features)]
    propensities, _ = policy.propensities(GROUPS[0], twins, rng=np.random.default_rng(0))
    assert propensities == pytest.approx([0.5, 0.5], abs=0.1)


def test_learning_in_pieces_is_learning_at_once_and_a_repeated_batch_changes_nothing():
    contexts, arms, rewards, ids = [*GROUPS, *GROUPS], [INK, NEON, NEON, INK], [1.0, 0.0, 1.0, 0.0], [3, 5, 8, 9]
    at_once, in_pieces = fresh_policy(), fresh_policy()
    at_once.update(contexts, arms, rewards, ids=ids)

    assert in_pieces.update(contexts[:2], arms[:2], rewards[:2], ids=ids[:2]) == 2
    assert in_pieces.update(contexts, arms, rewards, ids=ids) == 2
    assert in_pieces.update(contexts, arms, rewards, ids=ids) == 0

    assert in_pieces.state()["weighted"] == pytest.approx(at_once.state()["weighted"])
    assert in_pieces.state()["precision"] == pytest.approx(at_once.state()["precision"])
    assert in_pieces.learned_until == 9


def test_the_state_survives_json():
    policy = fresh_policy()
    play(policy, 40, seed=5)

    copy = ThompsonPolicy.from_state(json.loads(json.dumps(policy.state())))

    ours = policy.choose(GROUPS[1], ARMS, rng=np.random.default_rng(7))
    theirs = copy.choose(GROUPS[1], ARMS, rng=np.random.default_rng(7))
    assert theirs.arm.key == ours.arm.key
    assert theirs.propensities.tolist() == ours.propensities.tolist()
    assert copy.observations == 40


@pytest.mark.parametrize(
    "damage",
    [{"precision": [1.0]}, {"settings": {"context_size": 2}}, {"weighted": "x"}, {"learned_until": None},
     {"precision": [-1.0] * 45}],
)  # fmt: skip
def test_a_damaged_state_is_refused(damage):
    with pytest.raises(EngineError) as caught:
        ThompsonPolicy.from_state({**fresh_policy().state(), **damage})

    assert caught.value.code == "artifact-corrupt"


def test_what_cannot_be_chosen_is_refused():
    policy = fresh_policy()
    rng = np.random.default_rng(0)

    with pytest.raises(EngineError, match="at least one"):
        policy.choose(GROUPS[0], [], rng=rng)
    with pytest.raises(EngineError, match="wrong size"):
        policy.choose(np.ones(3), ARMS, rng=rng)
    with pytest.raises(EngineError, match="not finite"):
        policy.choose(np.array([np.nan, 0]), ARMS, rng=rng)
    with pytest.raises(EngineError, match="finite"):
        policy.update([GROUPS[0]], [INK], [np.nan])


@pytest.mark.parametrize("wrong", [{"floor": 0}, {"prior_sd": 0}, {"draws": 0}, {"arm_size": 300}, {"arm_size": 0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(EngineError) as caught:
        BanditSettings(**{"context_size": 2, "arm_size": 2, **wrong})

    assert caught.value.code == "bad-settings"
