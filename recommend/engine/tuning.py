"""Choose on held-out people: the settings that fit a shop best, and how much each part of the score counts.

The same choice is made for a shop's own fit (``recommender.fit``) and in the comparison with peers (``evaluation``), so
that what is measured is what is served.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommend.engine.blending import Blend, blended_scores, collect_candidates, learn_blend
from recommend.engine.heldout import HeldOut, Scorer
from recommend.engine.interactions import EventLog
from recommend.engine.parts import FitFactors, Parts, Step, fit_parts
from recommend.engine.settings import RecommenderSettings
from recommend.engine.svd import ItemFactors, fit_svd

Floats = NDArray[np.float32]
Say = Callable[[str], None]

#: Changes of the settings that are tried: as given (a shop, where tastes last), and quick forgetting (a library, where
#: people go through what is alike in one sitting). Nothing that the SVD depends on: one SVD serves all of them.
GRID: tuple[Mapping[str, float], ...] = (
    {},
    {"profile_tau": 8.0, "transition_tau": 5.0, "transition_reach": 10, "ease_regularisation": 300.0},
)


@dataclass(frozen=True)
class Period:
    """What may be learned from, the moment of asking, and the people that are asked."""

    log: EventLog
    now: float
    people: HeldOut


@dataclass(frozen=True)
class Features:
    """Optional product vectors in the order of the catalogue: ``style`` N×d, ``content`` N×m."""

    style: Floats | None = None
    content: Floats | None = None


@dataclass(frozen=True)
class Tuned:
    """The chosen settings, the parts fitted with them on the period's log, their blend; U NDCG@10, one per person."""

    settings: RecommenderSettings
    parts: Parts
    blend: Blend
    ndcg: NDArray[np.float64]

    def beaten_by(self, other: Tuned) -> bool:
        """Whether the other is better by more than a standard error of the mean of the paired differences."""
        gains = other.ndcg - self.ndcg
        return bool(gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else False


def tune(
    period: Period,
    settings: RecommenderSettings,
    features: Features,
    *,
    fit_factors: FitFactors | None = None,
    on_step: Step = lambda message: None,
    say: Say = lambda message: None,
) -> Tuned:
    """The settings as given, or the change of ``GRID`` that beats them on the period's people beyond chance.

    ``on_step`` is told before each step of each fit and each blend.
    """
    known: list[ItemFactors] = []

    def once(log: EventLog) -> ItemFactors:
        if not known:
            known.append(fit_svd(log, settings.svd) if fit_factors is None else fit_factors(log))
        return known[0]

    best: Tuned | None = None
    for change in GRID:
        trial = replace(settings, **change)  # type: ignore[arg-type]
        parts = fit_period(period, trial, features, fit_factors=once, on_step=on_step)
        on_step("blend")
        blend = learn(parts, period.people, trial)
        tried = Tuned(trial, parts, blend, period.people.evaluate(scorer(parts, blend)).ndcg)
        say(f"hybrid {dict(change) or 'as given'}: validation NDCG@10 {tried.ndcg.mean():.4f}")
        if best is None or best.beaten_by(tried):
            best = tried
    assert best is not None
    return best


def fit_period(
    period: Period,
    settings: RecommenderSettings,
    features: Features,
    *,
    fit_factors: FitFactors | None = None,
    on_step: Step = lambda message: None,
) -> Parts:
    """The parts as they would have been fitted at the period's moment."""
    return fit_parts(
        period.log,
        style=features.style,
        content=features.content,
        settings=settings,
        now=period.now,
        fit_factors=fit_factors,
        on_step=on_step,
    )


def learn(
    parts: Parts, people: HeldOut, settings: RecommenderSettings, *, without: Sequence[str] = (), most: int = 1500
) -> Blend:
    """Learn the blend of parts on what held-out people then picked; at most ``most`` of them are read."""
    chosen = np.arange(len(people))
    if len(chosen) > most:
        chosen = np.sort(np.random.default_rng(settings.seed).choice(len(people), most, replace=False))
    candidates = collect_candidates(parts, people.histories.of(chosen), [people.wanted[user] for user in chosen])
    if not parts.style.shape[1]:
        without = (*without, "style")
    blend, _ = learn_blend(
        candidates, settings.weights, half=settings.confidence_events, without=without, seed=settings.seed
    )
    return blend


def scorer(parts: Parts, blend: Blend) -> Scorer:
    """Scores of all products by the blend, for a block of people."""
    return lambda _, histories: blended_scores(parts, histories, blend)
