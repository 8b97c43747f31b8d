"""Fit a recommender on a shop's events: clean, hold out, learn the blend, score it, and fit again on everything.

The public door of the room: ``fit`` makes a ``FittedRecommender``, which answers queries and is saved and loaded as an
artifact. The recipe and its measured figures are in ``docs/recommender.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from recommend.engine.blending import Blend
from recommend.engine.errors import EngineError
from recommend.engine.fitted import FittedRecommender, ItemIndex, ScanIndex, Scored
from recommend.engine.heldout import HeldOut, held_out
from recommend.engine.interactions import EventLog, Interactions, cap_users, clean
from recommend.engine.metrics import bootstrap_mean, paired_bootstrap
from recommend.engine.parts import FitFactors, Parts, fit_parts
from recommend.engine.query import HistoryEvent, UserQuery
from recommend.engine.settings import PARTS, RecommenderSettings
from recommend.engine.splits import Split, SplitKind, split
from recommend.engine.tuning import GRID, Features, Period, fit_period, scorer, tune

__all__ = [
    "FittedRecommender",
    "HistoryEvent",
    "ItemIndex",
    "RecommenderSettings",
    "ScanIndex",
    "Scored",
    "UserQuery",
    "fit",
]

Floats = NDArray[np.float32]
#: (steps done, steps in all, what is being done)
Progress = Callable[[int, int, str], None]


class _Steps:
    """Counts steps, tells the caller, and stops between two of them when asked."""

    def __init__(self, total: int, on_progress: Progress | None, should_stop: Callable[[], bool] | None) -> None:
        self._done, self._total = 0, total
        self._on_progress, self._should_stop = on_progress, should_stop

    def __call__(self, message: str) -> None:
        if self._should_stop is not None and self._should_stop():
            raise EngineError("stopped", "The fit was stopped before its end.")
        if self._on_progress is not None:
            self._on_progress(min(self._done, self._total), self._total, message)
        self._done += 1


def fit(
    interactions: Interactions,
    *,
    items: Sequence[str],
    style_vectors: Floats | None = None,
    content_vectors: Floats | None = None,
    settings: RecommenderSettings,
    now: float,
    fit_factors: FitFactors | None = None,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> FittedRecommender:
    """Fit on all events up to ``now`` (UTC seconds).

    ``items``: the whole catalogue, N ids; products without events are placed by their content. ``style_vectors``: N×d
    and ``content_vectors``: N×m, float32, rows of unit length, or zeros where nothing is known.

    The last ``holdout_days`` are held out for the scores in ``metrics`` and the days before for the settings and the
    blend (``tuning``), as long as there are ``least_users`` people in both; else the last events of every person; else
    the given settings and weights stand and ``metrics["scores"]`` is None with the reason. The result itself is fitted
    on everything. No event at all gives a recommender that still answers, by style where it can. ``fit_factors``
    replaces Surprise's SVD by another engine.

    ``on_progress`` gets (steps done, steps in all, what); ``should_stop`` is asked between steps. Raises ``no-items``,
    ``bad-vectors``, ``bad-settings``, ``stopped``.
    """
    if not len(items):
        raise EngineError("no-items", "There is no product to recommend.")
    for name, vectors in (("style", style_vectors), ("content", content_vectors)):
        if vectors is not None and (vectors.ndim != 2 or len(vectors) != len(items) or not np.isfinite(vectors).all()):
            raise EngineError("bad-vectors", f"The {name} vectors must be {len(items)} rows of finite numbers.")
    log = clean(interactions, items=items, now=now, max_events_per_user=None, weights=settings.event_weights)
    capped = cap_users(log, settings.max_events_per_user)
    trial = _trial_split(log, settings) if settings.learn_weights else None
    features = Features(style_vectors, content_vectors)
    # A fit tells of three steps; each try of the grid is followed by its blend, and the scores come before the last fit.
    step = _Steps(3 if trial is None else 4 * len(GRID) + 3 + 1 + 3, on_progress, should_stop)

    def period(known: EventLog, later: EventLog, moment: float) -> Period:
        return Period(cap_users(known, settings.max_events_per_user), moment, held_out(known, later))

    blend = Blend(dict(settings.weights), settings.confidence_events)
    scores: dict[str, object] | None = None
    note = "Too few people with enough events to hold some out: the blend is the given one."
    if trial is not None:
        tuned = tune(
            period(trial.train, trial.validation, trial.validation_now),
            settings,
            features,
            fit_factors=fit_factors,
            on_step=step,
        )
        settings, blend = tuned.settings, tuned.blend
        test = period(trial.known, trial.test, trial.test_now)
        before = fit_period(test, settings, features, fit_factors=fit_factors, on_step=step)
        step("scores")
        scores = _scores(before, blend, test.people, settings.seed)
        scores["split"] = trial.kind
        note = ""
    parts = fit_parts(
        capped,
        style=style_vectors,
        content=content_vectors,
        settings=settings,
        now=now,
        fit_factors=fit_factors,
        on_step=step,
    )
    metrics: dict[str, object] = {
        "scores": scores,
        "note": note,
        "cleaning": capped.cleaning.as_dict(),
        "users": len(np.unique(log.users)),
        "items": log.n_items,
        "items_without_events": log.n_items - len(np.unique(log.items)),
        "events": len(capped),
        "weights": dict(blend.weights),
        "half_trust_events": blend.half,
    }
    return FittedRecommender(
        item_ids=log.item_ids,
        parts=parts,
        blend=blend,
        item_matrix=item_matrix(parts, blend),
        fitted_at=now,
        metrics=metrics,
    )


def item_matrix(parts: Parts, blend: Blend) -> Floats:
    """N×(k+1+1+d): SVD vector, SVD bias, blended popularity, style. One inner product is a product's dense score."""
    shared = blend.weights.get("recent", 0.0) * parts.recent + blend.weights.get("popularity", 0.0) * parts.popularity
    return np.column_stack([parts.factors.vectors, parts.factors.biases, shared, parts.style]).astype(np.float32)


def _trial_split(log: EventLog, settings: RecommenderSettings) -> Split | None:
    """A split with enough people in both held-out parts, by calendar if possible, or None."""
    kinds: tuple[SplitKind, ...] = ("global-time", "temporal")
    for kind in kinds:
        if not len(log):
            return None
        trial = split(log, kind, days=settings.holdout_days)
        sizes = (len(held_out(trial.train, trial.validation)), len(held_out(trial.known, trial.test)))
        if min(sizes) >= settings.least_users:
            return trial
    return None


def _scores(parts: Parts, blend: Blend, people: HeldOut, seed: int) -> dict[str, object]:
    """Scores of the blend, its interval, what it gains over popularity, and what each part's absence costs."""
    whole = people.evaluate(scorer(parts, blend))
    plain = people.evaluate(lambda _, histories: np.broadcast_to(parts.popularity, (histories.n_users, parts.n_items)))
    low, high = bootstrap_mean(whole.ndcg, seed=seed)
    gain = paired_bootstrap(whole.ndcg, plain.ndcg, seed=seed)
    ablations = {}
    for name in PARTS:
        if not blend.weights.get(name):
            continue
        less = Blend({**blend.weights, name: 0.0}, blend.half)
        without = people.evaluate(scorer(parts, less))
        ablations[name] = round(float(whole.ndcg.mean() - without.ndcg.mean()), 5)
    return {
        **whole.as_dict(),
        "ci": [round(low, 5), round(high, 5)],
        "people": len(people),
        "over_popularity": [round(edge, 5) for edge in gain],
        "lost_without": ablations,
    }
