"""Logs to replay policies on: our own choices of renderings, and the Open Bandit Dataset.

*Ours* is JSON Lines, one choice a line, oldest first::

    {"context": [...], "arms": [{"key": "original", "features": [...]}, ...],
     "chosen": "original", "propensity": 0.62, "reward": 1}

*Open Bandit* (Saito et al., NeurIPS 2021 Datasets) is ``DIR/{random,bts}/CAMPAIGN/CAMPAIGN.csv``: the same fashion shop
served by a uniform and by a Bernoulli Thompson policy side by side, so each log tells what the other should estimate.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommend.engine.bandit import ArmFeatures, BanditSettings, ThompsonPolicy
from recommend.engine.errors import EngineError
from recommend.engine.off_policy import FEWEST_CLICKS, Estimate, RewardModel, Values, estimate, on_policy, verdict

#: Rows of prior weight with which an item's click rate is drawn to the mean of all items.
SHRINKAGE = 200
ORIGINAL = "original"


@dataclass(frozen=True)
class LoggedChoice:
    """One rendering that was chosen, among which, how likely, and what it earned."""

    context: Values
    arms: tuple[ArmFeatures, ...]
    chosen: int
    propensity: float
    reward: float


def read_choices(paths: Iterable[Path]) -> list[LoggedChoice]:
    """All choices of the JSON Lines files. Raises `EngineError` (``no-file``, ``bad-row``)."""
    choices = []
    for path in paths:
        for number, line in _lines(path):
            try:
                record = json.loads(line)
                arms = tuple(ArmFeatures(str(arm["key"]), np.array(arm["features"], float)) for arm in record["arms"])
                choices.append(
                    LoggedChoice(
                        context=np.array(record["context"], dtype=float),
                        arms=arms,
                        chosen=[arm.key for arm in arms].index(str(record["chosen"])),
                        propensity=float(record["propensity"]),
                        reward=float(record["reward"]),
                    )
                )
            except (KeyError, TypeError, ValueError) as error:
                raise EngineError("bad-row", f"{path} line {number}: {error!r}.") from error
    if not choices:
        raise EngineError("no-events", "The log holds no choice.")
    return choices


def replay_choices(choices: list[LoggedChoice], *, fewest_clicks: int = FEWEST_CLICKS, seed: int = 0) -> dict[str, Any]:
    """What chance, the original alone, and a policy learned on the older half would have earned on the newer half."""
    half = len(choices) // 2
    older, newer = choices[:half], choices[half:]
    rewards = np.array([choice.reward for choice in newer])
    logged = np.array([choice.propensity for choice in newer])
    actual = on_policy(rewards, seed=seed)
    targets = {
        "uniform": np.array([1 / len(choice.arms) for choice in newer]),
        "original": np.array([float(choice.arms[choice.chosen].key == ORIGINAL) for choice in newer]),
    }
    if older:
        targets["learned"] = _learned(older, newer, seed=seed)
    return {
        "choices": len(newer),
        "clicks": float(rewards.sum()),
        "on_policy": asdict(actual),
        "policies": {
            name: _compared(estimate(rewards, logged, target, seed=seed), actual, fewest_clicks)
            for name, target in targets.items()
        },
    }


def _learned(older: list[LoggedChoice], newer: list[LoggedChoice], *, seed: int) -> Values:
    first = older[0]
    settings = BanditSettings(context_size=len(first.context), arm_size=len(first.arms[0].features))
    policy, rng = ThompsonPolicy(settings), np.random.default_rng(seed)
    policy.update(
        [choice.context for choice in older],
        [choice.arms[choice.chosen] for choice in older],
        [choice.reward for choice in older],
    )
    return np.array([policy.propensities(choice.context, choice.arms, rng=rng)[0][choice.chosen] for choice in newer])


@dataclass(frozen=True)
class OpenBanditLog:
    """One campaign under one policy; ``items`` and ``positions`` count from 0."""

    items: np.ndarray
    positions: np.ndarray
    clicks: Values
    propensities: Values


def read_open_bandit(path: Path) -> OpenBanditLog:
    """Read one ``CAMPAIGN.csv``. Raises `EngineError` (``no-file``, ``missing-column``, ``bad-row``)."""
    rows = csv.DictReader(line for _, line in _lines(path))
    try:
        columns = np.array(
            [[row["item_id"], row["position"], row["click"], row["propensity_score"]] for row in rows], dtype=float
        )
    except KeyError as error:
        raise EngineError("missing-column", f"{path} has no column {error}.") from error
    except (TypeError, ValueError) as error:
        raise EngineError("bad-row", f"{path}: {error}.") from error
    if not len(columns):
        raise EngineError("no-events", f"{path} holds no choice.")
    return OpenBanditLog(
        items=columns[:, 0].astype(int),
        positions=columns[:, 1].astype(int) - 1,
        clicks=columns[:, 2],
        propensities=columns[:, 3],
    )


def replay_open_bandit(folder: Path, *, fewest_clicks: int = FEWEST_CLICKS, seed: int = 0) -> dict[str, Any]:
    """For each campaign: each policy's value estimated from the other's log, beside what it really earned."""
    campaigns = sorted(
        path.name
        for path in (folder / "random").glob("*")
        if (folder / "bts" / path.name / f"{path.name}.csv").is_file()
    )
    if not campaigns:
        raise EngineError("no-file", f"{folder} holds no campaign under both random/ and bts/.")
    results: dict[str, Any] = {}
    for campaign in campaigns:
        logs = {name: read_open_bandit(folder / name / campaign / f"{campaign}.csv") for name in ("random", "bts")}
        count = 1 + max(int(log.items.max()) for log in logs.values())
        places = 1 + max(int(log.positions.max()) for log in logs.values())
        policies = {
            "random": np.full((places, count), 1 / count),
            # The Thompson policy learned during the week; how often it showed an item stands for its mean.
            "bts": _frequencies(logs["bts"], places, count),
        }
        results[campaign] = {
            f"{target}_from_{source}": _crosswise(
                logs[source], policies[target], logs[target], fewest_clicks=fewest_clicks, seed=seed
            )
            for source, target in (("random", "bts"), ("bts", "random"))
        }
    return results


def _crosswise(
    log: OpenBanditLog, policy: Values, truth: OpenBanditLog, *, fewest_clicks: int, seed: int
) -> dict[str, Any]:
    estimates = estimate(
        log.clicks,
        log.propensities,
        policy[log.positions, log.items],
        model=_click_rates(log, policy, seed=seed),
        seed=seed,
    )
    actual = on_policy(truth.clicks, seed=seed)
    return {
        "log": {"rows": len(log.clicks), "clicks": int(log.clicks.sum()), "rate": float(log.clicks.mean())},
        "on_policy": asdict(actual),
        "estimates": {name: asdict(found) for name, found in estimates.items()},
        "truth_inside": {name: found.low <= actual.value <= found.high for name, found in estimates.items()},
        "verdict": verdict(
            estimates.get("snips", estimates["ips"]), on_policy(log.clicks, seed=seed), fewest_clicks=fewest_clicks
        ),
    }


def _click_rates(log: OpenBanditLog, policy: Values, *, seed: int) -> RewardModel:
    """An item's click rate drawn to the mean; each half of the log is predicted from the other half."""
    half = np.random.default_rng(seed).random(len(log.clicks)) < 0.5
    of_logged, under_target = np.empty(len(half)), np.empty(len(half))
    for predicted in (half, ~half):
        items, clicks = log.items[~predicted], log.clicks[~predicted]
        mean = clicks.mean() if len(clicks) else 0.0
        shown = np.bincount(items, minlength=policy.shape[1])
        earned = np.bincount(items, weights=clicks, minlength=policy.shape[1])
        rates = (earned + SHRINKAGE * mean) / (shown + SHRINKAGE)
        of_logged[predicted] = rates[log.items[predicted]]
        under_target[predicted] = (policy @ rates)[log.positions[predicted]]
    return RewardModel(of_logged=of_logged, under_target=under_target)


def _frequencies(log: OpenBanditLog, places: int, count: int) -> Values:
    shown = np.zeros((places, count))
    np.add.at(shown, (log.positions, log.items), 1)
    return shown / np.maximum(shown.sum(axis=1, keepdims=True), 1)


def _compared(estimates: dict[str, Estimate], actual: Estimate, fewest_clicks: int) -> dict[str, Any]:
    return {
        "estimates": {name: asdict(found) for name, found in estimates.items()},
        "verdict": verdict(estimates.get("snips", estimates["ips"]), actual, fewest_clicks=fewest_clicks),
    }


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())
    except FileNotFoundError as error:
        raise EngineError("no-file", f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError("bad-row", f"{path} cannot be read as text: {error}") from error
