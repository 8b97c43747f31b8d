"""Which rendering for whom: a contextual bandit over a product's published renderings and its original.

Thompson sampling with a Bayesian linear reward model (Agrawal & Goyal, ICML 2013) on the features
``[1, context] ⊗ [1, arm]``: one model for all renderings, so a new style starts from what is known of similar ones, and
a shopper's taste enters through its products with the style. `docs/experiments.md` says why this is not a library.

*Propensities are exact.* A request draws ``draws`` score vectors from the posterior; the share of draws that an arm
wins, mixed with the exploration floor, is the distribution that the arm is then drawn from. The logged propensity is
that very number, so inverse propensity weighting on the log is unbiased however few the draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from recommend.engine.errors import EngineError

Vector = NDArray[np.float64]
#: Above this the state no longer fits a database row comfortably; reduce the style vectors first.
MOST_FEATURES = 256


@dataclass(frozen=True)
class ArmFeatures:
    """One rendering that may be shown: its ``key`` (the original's is the caller's choice) and its style vector."""

    key: str
    features: Vector


@dataclass(frozen=True)
class Choice:
    """The arm to show, the probability it was drawn with, and all arms' probabilities and posterior mean scores."""

    arm: ArmFeatures
    propensity: float
    propensities: Vector
    scores: Vector


@dataclass(frozen=True)
class BanditSettings:
    """Settings of one shop's policy; rewards are expected in [0, 1], a click being 1."""

    context_size: int
    arm_size: int
    #: Least probability of every arm; with more than 1/floor arms all are equally likely.
    floor: float = 0.05
    #: Prior standard deviation of every coefficient: how far a style may move the click rate before any evidence.
    prior_sd: float = 0.3
    #: Standard deviation of one reward around its expectation; .5 bounds a click's from above.
    noise_sd: float = 0.5
    draws: int = 512

    def __post_init__(self) -> None:
        """Refuse impossible settings with `EngineError` (``bad-settings``)."""
        if self.context_size < 0 or self.arm_size < 1 or self.features > MOST_FEATURES:
            raise EngineError("bad-settings", f"(1 + context) × (1 + arm) features must be at most {MOST_FEATURES}.")
        if not (0 < self.floor <= 1 and self.prior_sd > 0 and self.noise_sd > 0 and self.draws >= 1):
            raise EngineError("bad-settings", "The floor lies in (0, 1], deviations and draws are positive.")

    @property
    def features(self) -> int:
        """The number of coefficients."""
        return (1 + self.context_size) * (1 + self.arm_size)


class ThompsonPolicy:
    """The posterior over the coefficients, kept as precision and weighted rewards so that learning is a sum."""

    def __init__(self, settings: BanditSettings) -> None:
        self.settings = settings
        #: The highest id that was learned from.
        self.learned_until = 0
        self.observations = 0
        self._precision = np.eye(settings.features) / settings.prior_sd**2
        self._weighted = np.zeros(settings.features)
        self._solve()

    def choose(self, context: Vector, arms: Sequence[ArmFeatures], *, rng: np.random.Generator) -> Choice:
        """Draw the arm to show to a shopper with this ``context`` (zeros where nothing is known).

        Raises `EngineError`: ``no-arms`` without an arm, ``bad-vectors`` for sizes or values that do not fit.
        """
        propensities, scores = self.propensities(context, arms, rng=rng)
        chosen = int(np.searchsorted(np.cumsum(propensities)[:-1], rng.random(), side="right"))
        return Choice(arms[chosen], float(propensities[chosen]), propensities, scores)

    def propensities(
        self, context: Vector, arms: Sequence[ArmFeatures], *, rng: np.random.Generator
    ) -> tuple[Vector, Vector]:
        """Each arm's probability of being shown now, and its expected reward."""
        if not arms:
            raise EngineError("no-arms", "A choice needs at least one rendering.")
        design = np.array([self._features(context, arm) for arm in arms])
        scores = design @ self._mean
        half = solve_triangular(self._factor[0], design.T, lower=True)
        covariance = half.T @ half
        # The ridge lets equal arms win equally often and keeps the factorisation defined.
        ridge = 1e-9 * max(float(np.trace(covariance)), 1e-12)
        root = np.linalg.cholesky(covariance + ridge * np.eye(len(arms)))
        drawn = scores + rng.standard_normal((self.settings.draws, len(arms))) @ root.T
        wins = np.bincount(drawn.argmax(axis=1), minlength=len(arms)) / self.settings.draws
        floor = min(self.settings.floor, 1 / len(arms))
        return floor + (1 - floor * len(arms)) * wins, scores

    def update(
        self,
        contexts: Sequence[Vector],
        arms: Sequence[ArmFeatures],
        rewards: Sequence[float],
        *,
        ids: Sequence[int] | None = None,
    ) -> int:
        """Learn from shown arms and what they earned; return how many were new.

        With ``ids`` (increasing with time) everything up to `learned_until` is passed over, so that a batch may be
        delivered twice. Raises `EngineError` (``bad-vectors``) before anything is learned.
        """
        fresh = [n for n in range(len(rewards)) if ids is None or ids[n] > self.learned_until]
        if not fresh:
            return 0
        design = np.array([self._features(contexts[n], arms[n]) for n in fresh])
        earned = np.array([rewards[n] for n in fresh], dtype=np.float64)
        if not np.isfinite(earned).all():
            raise EngineError("bad-vectors", "Rewards must be finite.")
        self._precision += design.T @ design / self.settings.noise_sd**2
        self._weighted += design.T @ earned / self.settings.noise_sd**2
        self.observations += len(fresh)
        if ids is not None:
            self.learned_until = max(ids[n] for n in fresh)
        self._solve()
        return len(fresh)

    def state(self) -> dict[str, Any]:
        """Everything as JSON values; the symmetric precision as its upper triangle."""
        return {
            "settings": asdict(self.settings),
            "learned_until": self.learned_until,
            "observations": self.observations,
            "precision": self._precision[np.triu_indices(self.settings.features)].tolist(),
            "weighted": self._weighted.tolist(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The policy that `state` described. Raises `EngineError` (``artifact-corrupt``) for anything else."""
        try:
            policy = cls(BanditSettings(**state["settings"]))
            upper = np.zeros_like(policy._precision)
            upper[np.triu_indices(len(upper))] = state["precision"]
            policy._precision = upper + np.triu(upper, 1).T
            policy._weighted[:] = state["weighted"]
            policy.learned_until, policy.observations = int(state["learned_until"]), int(state["observations"])
            policy._solve()
        except (EngineError, KeyError, TypeError, ValueError, np.linalg.LinAlgError) as error:
            raise EngineError("artifact-corrupt", f"The policy's state cannot be used: {error}") from error
        return policy

    def _solve(self) -> None:
        self._factor = cho_factor(self._precision, lower=True)
        self._mean = cho_solve(self._factor, self._weighted)

    def _features(self, context: Vector, arm: ArmFeatures) -> Vector:
        context, features = np.asarray(context, dtype=np.float64), np.asarray(arm.features, dtype=np.float64)
        if context.shape != (self.settings.context_size,) or features.shape != (self.settings.arm_size,):
            raise EngineError("bad-vectors", "The context or the arm has the wrong size.")
        crossed = np.outer(np.append(1.0, context), np.append(1.0, features)).ravel()
        if not np.isfinite(crossed).all():
            raise EngineError("bad-vectors", "The context or the arm holds values that are not finite.")
        return crossed
