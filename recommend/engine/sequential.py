"""Reading an experiment at any time, as often as one likes, without fooling oneself.

A fixed-sample p-value looked at every day is wrong far more often than it says. This is the mixture sequential
probability ratio test (Robbins 1970; Johari, Koomen, Pekelis & Walsh, *Always Valid Inference*, Operations Research
2022) on the difference of two means, with a normal mixture and estimated variances, which makes it asymptotic
(Waudby-Smith et al., *Time-uniform central limit theory*, Annals of Statistics 2024): hence no reading while the
outcomes are few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from scipy.stats import norm

from recommend.engine.errors import EngineError
from recommend.engine.experiments import sample_size

#: Shoppers with and without the outcome that each variant needs before normal theory is trusted.
FEWEST_OUTCOMES = 30


@dataclass(frozen=True)
class Sample:
    """One variant's shoppers: how many, and the mean and variance of their outcomes (clicked or not, spend, …)."""

    count: int
    mean: float
    variance: float
    #: The rarer of outcome and no outcome; for a measured value simply the count.
    outcomes: int

    @classmethod
    def of_rate(cls, successes: int, count: int) -> Self:
        """Shoppers of whom ``successes`` did it."""
        if not 0 <= successes <= count:
            raise EngineError("bad-row", "Successes cannot be negative or more than the shoppers.")
        rate = successes / count if count else 0.0
        return cls(count, rate, rate * (1 - rate), min(successes, count - successes))

    @classmethod
    def of_values(cls, count: int, total: float, total_of_squares: float) -> Self:
        """Shoppers whose values sum to ``total`` and their squares to ``total_of_squares``."""
        mean = total / count if count else 0.0
        return cls(count, mean, max(total_of_squares / count - mean**2, 0.0) if count else 0.0, count)


@dataclass(frozen=True)
class Reading:
    """Treatment minus control, now. ``low..high`` and ``p_value`` hold at every look together, not at one.

    ``verdict``: ``too early``, ``undecided``, ``better`` or ``worse``.
    """

    difference: float
    low: float
    high: float
    p_value: float
    verdict: str


def read(control: Sample, treatment: Sample, *, smallest_effect: float, alpha: float = 0.05) -> Reading:
    """Compare two variants at this moment; safe to call after every shopper.

    ``smallest_effect`` (absolute, > 0) is what one hopes to see. It tunes where the test is sharpest, and must be fixed
    before the start; a wrong guess costs shoppers, never the error rate. Raises `EngineError` (``bad-settings``).
    """
    if not (smallest_effect > 0 and 0 < alpha < 1):
        raise EngineError("bad-settings", "The smallest effect is positive and alpha lies between 0 and 1.")
    difference = treatment.mean - control.mean
    if min(control.outcomes, treatment.outcomes) < FEWEST_OUTCOMES:
        return Reading(difference, -math.inf, math.inf, 1.0, "too early")
    variance = control.variance / control.count + treatment.variance / treatment.count
    if not variance:
        return Reading(difference, -math.inf, math.inf, 1.0, "too early")
    mixture = smallest_effect**2
    total = variance + mixture
    log_ratio = 0.5 * math.log(variance / total) + mixture * difference**2 / (2 * variance * total)
    half = _half_width(variance, mixture, alpha)
    p_value = math.exp(-max(log_ratio, 0.0))
    decided = "better" if difference > 0 else "worse"
    return Reading(
        difference, difference - half, difference + half, p_value, decided if p_value <= alpha else "undecided"
    )


def sequential_sample_size(*, base_rate: float, relative_uplift: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Shoppers per variant by which `read` has decided with at least this power, if the uplift is real.

    A promise for the last look alone; earlier looks often decide with half of it. Raises as `sample_size` does.
    """
    low = sample_size(base_rate=base_rate, relative_uplift=relative_uplift, alpha=alpha, power=power)
    treated = base_rate * (1 + relative_uplift)
    effect = abs(treated - base_rate)
    per_shopper = base_rate * (1 - base_rate) + treated * (1 - treated)

    def decides(count: int) -> bool:
        variance = per_shopper / count
        unlucky = effect - float(norm.ppf(power)) * math.sqrt(variance)
        return unlucky >= _half_width(variance, effect**2, alpha)

    high = low
    while not decides(high):
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def _half_width(variance: float, mixture: float, alpha: float) -> float:
    """Where the mixture likelihood ratio of a difference with this variance reaches 1/alpha."""
    total = variance + mixture
    return math.sqrt(2 * variance * total / mixture * (math.log(1 / alpha) + 0.5 * math.log(total / variance)))
