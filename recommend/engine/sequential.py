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
    #: The rarer of outcome and no outcome; of amounts how many equal ones would carry as much (see ``of_values``).
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
        """Shoppers whose values (0 or more) sum to ``total`` and their squares to ``total_of_squares``.

        Of a hundred buyers of whom one spent nearly everything, the mean is known as from one. ``outcomes`` is Kish's
        effective number, (Σx)² / Σx²; for values of 0 and 1 it is the count of ones.
        """
        mean = total / count if count else 0.0
        variance = max(total_of_squares / count - mean**2, 0.0) if count else 0.0
        return cls(count, mean, variance, int(total**2 / total_of_squares + 1e-9) if total_of_squares else 0)


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
    return _first_that_decides(low, effect, base_rate * (1 - base_rate) + treated * (1 - treated), alpha, power)


def sequential_sample_size_of_means(
    *, mean: float, variance: float, relative_uplift: float, alpha: float = 0.05, power: float = 0.8
) -> int:
    """The same for an amount per shopper with this mean and variance; the uplift is taken to scale every amount.

    Raises `EngineError` (``bad-settings``) where there is nothing to compute.
    """
    scale = 1 + relative_uplift
    if not (mean > 0 and variance > 0 and scale > 0 and relative_uplift and 0 < alpha < 1 and 0 < power < 1):
        raise EngineError("bad-settings", "Mean and variance are positive, and the uplift is not 0.")
    effect, per_shopper = abs(mean * relative_uplift), variance * (1 + scale**2)
    at_one_look = float(norm.ppf(1 - alpha / 2) + norm.ppf(power)) / effect
    return _first_that_decides(math.ceil(at_one_look**2 * per_shopper), effect, per_shopper, alpha, power)


def _first_that_decides(low: int, effect: float, per_shopper: float, alpha: float, power: float) -> int:
    """From ``low`` shoppers per variant on, the first number at which `read` decides with this power."""

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
