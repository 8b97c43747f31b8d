"""Off-policy estimates: by hand on three rows, against the known value on a simulator, and from logs on disk."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recommend.engine.errors import EngineError
from recommend.engine.off_policy import Estimate, RewardModel, estimate, on_policy, verdict


def test_three_rows_by_hand():
    rewards = np.array([1.0, 0.0, 1.0])
    logged = np.array([0.5, 0.25, 0.5])
    target = np.array([0.25, 0.5, 1.0])  # weights ½, 2, 2
    model = RewardModel(of_logged=np.array([0.5, 0.5, 0.5]), under_target=np.array([0.6, 0.6, 0.6]))

    found = estimate(rewards, logged, target, model=model)

    assert found["ips"].value == pytest.approx(2.5 / 3)
    assert found["snips"].value == pytest.approx(2.5 / 4.5)
    assert found["dr"].value == pytest.approx(0.6 + (0.25 - 1 + 1) / 3)
    assert found["ips"].effective_rows == pytest.approx(4.5**2 / 8.25)
    assert found["ips"].effective_clicks == pytest.approx(2.5**2 / 4.25)


RATES, TARGET = np.array([0.05, 0.10, 0.35]), np.array([0.1, 0.2, 0.7])
KNOWN = 0.27  # RATES @ TARGET


def simulate(rng, rows):
    """Three arms with known click rates; logged mostly arm 0, while the target prefers arm 2."""
    rates, logging, target = RATES, np.array([0.6, 0.2, 0.2]), TARGET
    arms = rng.choice(3, size=rows, p=logging)
    rewards = (rng.random(rows) < rates[arms]).astype(float)
    wrong = np.full(3, 0.2)  # a reward model that knows nothing
    model = RewardModel(of_logged=wrong[arms], under_target=np.full(rows, wrong @ target))
    return rewards, logging[arms], target[arms], model


def test_every_estimator_finds_the_known_value_and_its_interval_covers_it_about_as_often_as_it_says():
    rng = np.random.default_rng(11)
    covered = {"ips": 0, "snips": 0, "dr": 0}
    values = {name: [] for name in covered}
    for _ in range(40):
        rewards, logged, target, model = simulate(rng, 400)
        for name, found in estimate(rewards, logged, target, model=model).items():
            covered[name] += found.low <= KNOWN <= found.high
            values[name].append(found.value)

    for name in covered:
        assert np.mean(values[name]) == pytest.approx(KNOWN, abs=0.015)
        assert covered[name] >= 34  # of 40 at 95 %


def test_evaluating_the_logging_policy_itself_gives_its_mean():
    rewards = np.array([1.0, 0, 0, 1, 0])
    propensities = np.array([0.5, 0.1, 0.3, 0.9, 0.2])

    found = estimate(rewards, propensities, propensities)

    assert found["ips"].value == found["snips"].value == pytest.approx(0.4)
    assert on_policy(rewards).value == pytest.approx(0.4)


def test_a_policy_that_never_does_what_was_logged_has_no_snips():
    found = estimate(np.ones(3), np.full(3, 0.5), np.zeros(3))

    assert set(found) == {"ips"}
    assert found["ips"].value == found["ips"].effective_clicks == 0


@pytest.mark.parametrize(
    ("target", "clicks", "expected"),
    [
        ((0.03, 0.04), 199, "too few clicks"),
        ((0.03, 0.04), 200, "better"),
        ((0.001, 0.004), 200, "worse"),
        ((0.015, 0.04), 200, "no difference shown"),
    ],
)
def test_a_verdict_needs_clicks_and_intervals_apart(target, clicks, expected):
    baseline = Estimate(value=0.015, low=0.01, high=0.02, effective_rows=1e5, effective_clicks=1000)
    found = Estimate(value=np.mean(target), low=target[0], high=target[1], effective_rows=1e5, effective_clicks=clicks)

    assert verdict(found, baseline) == expected


@pytest.mark.parametrize(
    ("rewards", "logged", "target"), [([], [], []), ([1], [0], [1]), ([1], [0.5], [1.5]), ([1, 0], [0.5], [0.5])]
)
def test_a_log_without_sense_is_refused(rewards, logged, target):
    with pytest.raises(EngineError) as caught:
        estimate(np.array(rewards), np.array(logged), np.array(target))

    assert caught.value.code == "bad-row"


def replay(*arguments):
    output = StringIO()
    call_command("replay_policy", *arguments, "--json", stdout=output)
    return json.loads(output.getvalue().splitlines()[-1])


def test_our_own_log_shows_that_a_learned_policy_beats_chance(tmp_path):
    rng = np.random.default_rng(2)
    arms = [{"key": "original", "features": [0]}, {"key": "ink", "features": [1]}]
    lines = []
    for _ in range(2000):  # logged at random; taste decides who likes ink
        taste, chosen = int(rng.integers(2)), int(rng.integers(2))
        reward = float(rng.random() < (0.6 if chosen == taste else 0.2))
        record = {"context": [taste], "arms": arms, "chosen": arms[chosen]["key"], "propensity": 0.5, "reward": reward}
        lines.append(json.dumps(record))
    (tmp_path / "log.jsonl").write_text("\n".join(lines))

    result = replay("--log", str(tmp_path / "log.jsonl"))

    assert result["choices"] == 1000
    assert result["policies"]["learned"]["verdict"] == "better"
    assert result["policies"]["learned"]["estimates"]["snips"]["value"] == pytest.approx(0.58, abs=0.06)
    assert result["policies"]["uniform"]["verdict"] == "no difference shown"
    # Only the half of the log that showed the original speaks of it.
    assert result["policies"]["original"]["verdict"] == "too few clicks"


def write_campaign(folder, policy, rows):
    path = folder / policy / "men"
    path.mkdir(parents=True)
    lines = ["item_id,position,click,propensity_score", *(",".join(map(str, row)) for row in rows)]
    (path / "men.csv").write_text("\n".join(lines))


def test_open_bandit_logs_are_estimated_from_one_another(tmp_path):
    rng = np.random.default_rng(3)
    rates = np.array([0.1, 0.4])
    for policy, shares in (("random", [0.5, 0.5]), ("bts", [0.2, 0.8])):
        items = rng.choice(2, size=3000, p=shares)
        clicks = (rng.random(3000) < rates[items]).astype(int)
        write_campaign(tmp_path, policy, [(i, 1, c, shares[i]) for i, c in zip(items, clicks, strict=True)])

    result = replay("--open-bandit", str(tmp_path))["men"]

    assert result["bts_from_random"]["verdict"] == "better"
    assert result["random_from_bts"]["verdict"] == "worse"
    for name in ("ips", "snips", "dr"):
        assert result["bts_from_random"]["estimates"][name]["value"] == pytest.approx(0.34, abs=0.03)
        assert result["random_from_bts"]["estimates"][name]["value"] == pytest.approx(0.25, abs=0.03)
        assert result["bts_from_random"]["truth_inside"][name]


@pytest.mark.parametrize(
    ("content", "code"),
    [("", "no-events"), ("{}\n", "bad-row"), ("not json\n", "bad-row"), ('{"context": [1], "arms": []}', "bad-row")],
)
def test_a_bad_log_is_named(tmp_path, content, code):
    path = tmp_path / "log.jsonl"
    path.write_text(content)

    with pytest.raises(CommandError, match=code):
        replay("--log", str(path))


def test_a_missing_log_is_named(tmp_path):
    with pytest.raises(CommandError, match="no-file"):
        replay("--log", str(tmp_path / "nothing.jsonl"))
    with pytest.raises(CommandError, match="no-file"):
        replay("--open-bandit", str(tmp_path))
