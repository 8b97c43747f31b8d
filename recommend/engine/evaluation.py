"""One protocol for every model: choose on validation, fit again on train and validation, score once on test.

Neither the choice nor the fit is given the test part, so what is in it cannot change them; a test proves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recommend.engine.blending import Blend
from recommend.engine.errors import EngineError
from recommend.engine.heldout import held_out
from recommend.engine.interactions import Interactions, cap_users, clean
from recommend.engine.metrics import RankingScores, bootstrap_mean, paired_bootstrap
from recommend.engine.peers import PEERS, Peer
from recommend.engine.settings import PARTS, RecommenderSettings
from recommend.engine.splits import SplitKind, split
from recommend.engine.tuning import GRID, Features, Period, Say, fit_period, learn, scorer, tune

ABLATIONS = {f"hybrid_without_{name}": name for name in PARTS}
#: Single parts of the hybrid, ranked alone: SVD on implicit events with folded-in users, and EASE on recent events.
SINGLES = {"svd_implicit": "svd", "ease_recency": "item_item"}
MODELS: tuple[str, ...] = (*(peer.name for peer in PEERS), *SINGLES, "hybrid", *ABLATIONS)


def tune_peer(peer: Peer, period: Period, seed: int, say: Say = lambda message: None) -> dict[str, Any]:
    """The settings of the peer's grid with the best validation NDCG@10."""
    if len(peer.grid) == 1:
        return dict(peer.grid[0])
    scores = []
    for settings in peer.grid:
        fitted = peer.fit(period.log, period.now, settings, seed)
        scores.append(float(period.people.evaluate(fitted).ndcg.mean()))
        say(f"{peer.name} {dict(settings)}: validation NDCG@10 {scores[-1]:.4f}")
    return dict(peer.grid[int(np.argmax(scores))])


def evaluate(
    interactions: Interactions,
    *,
    kind: SplitKind,
    settings: RecommenderSettings,
    models: Sequence[str] = MODELS,
    items: Sequence[str] | None = None,
    features: Features | None = None,
    say: Say = lambda message: None,
) -> dict[str, Any]:
    """Evaluate models on one log: ``{"models": {name: scores}, "absent": {name: reason}, "data": {…}}``.

    Every entry has ``ndcg@10``, ``recall@10``, ``hit_rate@10``, ``coverage``, ``novelty``, ``ci`` (95 % bootstrap of
    NDCG@10) and, next to the hybrid, ``behind_hybrid`` (95 % paired bootstrap of the hybrid's NDCG@10 minus its own).
    Raises ``no-events``, ``too-few-test-users``, ``bad-settings`` (an unknown model).
    """
    unknown = sorted(set(models) - set(MODELS))
    if unknown:
        raise EngineError("bad-settings", f"Unknown models: {', '.join(unknown)}.")
    log = clean(interactions, items=items, max_events_per_user=None, weights=settings.event_weights)
    parts = split(log, kind, days=settings.holdout_days)
    most = settings.max_events_per_user
    validation = Period(cap_users(parts.train, most), parts.validation_now, held_out(parts.train, parts.validation))
    test = Period(cap_users(parts.known, most), parts.test_now, held_out(parts.known, parts.test))
    if not len(validation.people) or not len(test.people):
        raise EngineError("too-few-test-users", f"The split {kind} leaves nobody to validate or to test on.")
    say(f"{len(log)} events, {len(validation.people)} people to validate on, {len(test.people)} to test on")

    scores, chosen, absent = _peers(models, validation, test, settings.seed, say)
    if set(models) - {peer.name for peer in PEERS}:
        ours, settled = _ours(models, validation, test, settings, features or Features(), say)
        scores |= ours
        chosen |= settled
    return {
        "models": {
            name: _entry(scores[name], scores.get("hybrid") if name != "hybrid" else None, chosen[name], settings.seed)
            for name in models
            if name in scores
        },
        "absent": absent,
        "split": kind,
        "seed": settings.seed,
        "data": {
            "events": len(log),
            "users": len(np.unique(log.users)),
            "items": log.n_items,
            "validation_users": len(validation.people),
            "test_users": len(test.people),
            "cleaning": log.cleaning.as_dict(),
        },
    }


Results = dict[str, RankingScores]


def _peers(
    models: Sequence[str], validation: Period, test: Period, seed: int, say: Say
) -> tuple[Results, dict[str, dict[str, Any]], dict[str, str]]:
    scores: Results = {}
    chosen: dict[str, dict[str, Any]] = {}
    absent: dict[str, str] = {}
    for peer in PEERS:
        if peer.name not in models:
            continue
        try:
            chosen[peer.name] = tune_peer(peer, validation, seed, say)
            fitted = peer.fit(test.log, test.now, chosen[peer.name], seed)
        except EngineError as error:
            absent[peer.name] = error.message
            say(f"{peer.name}: absent, {error.message}")
            continue
        scores[peer.name] = test.people.evaluate(fitted)
        say(f"{peer.name}: test NDCG@10 {scores[peer.name].ndcg.mean():.4f}")
    return scores, chosen, absent


def _ours(
    models: Sequence[str],
    validation: Period,
    test: Period,
    settings: RecommenderSettings,
    features: Features,
    say: Say,
) -> tuple[Results, dict[str, dict[str, Any]]]:
    tuned = tune(validation, settings, features, say=say)
    after = fit_period(test, tuned.settings, features)
    blends = {"hybrid": tuned.blend}
    blends |= {name: Blend({part: 1.0}, 0.0) for name, part in SINGLES.items() if name in models}
    for name, part in ABLATIONS.items():
        if name in models:
            blends[name] = learn(tuned.parts, validation.people, tuned.settings, without=(part,))
    scores: Results = {}
    chosen: dict[str, dict[str, Any]] = {}
    for name, mixture in blends.items():
        scores[name] = test.people.evaluate(scorer(after, mixture))
        chosen[name] = {"weights": dict(mixture.weights), "half_trust_events": mixture.half}
        say(f"{name}: test NDCG@10 {scores[name].ndcg.mean():.4f}")
    chosen["hybrid"] |= {
        name: value
        for name, value in tuned.settings.as_dict().items()
        if name in {key for change in GRID for key in change}
    }
    return scores, chosen


def _entry(scores: RankingScores, hybrid: RankingScores | None, settings: dict[str, Any], seed: int) -> dict[str, Any]:
    entry: dict[str, Any] = {
        **scores.as_dict(),
        "ci": [round(edge, 5) for edge in bootstrap_mean(scores.ndcg, seed=seed)],
        "settings": settings,
    }
    if hybrid is not None:
        gain = paired_bootstrap(hybrid.ndcg, scores.ndcg, seed=seed)
        entry["behind_hybrid"] = [round(edge, 5) for edge in gain]
    return entry
