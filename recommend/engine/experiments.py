"""A/B experiments: who gets what, how many shoppers it takes, and whether the split can be trusted.

The unit is the shopper: one assignment, one outcome per metric. Clicks of one shopper are not independent, so rates per
impression would claim more certainty than there is. Results are read by `recommend.engine.sequential`.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import chisquare, norm

from recommend.engine.errors import EngineError

#: A split is suspect below this p-value. Strict, because it is looked at every day (Fabijan et al., KDD 2019).
MISMATCH_P = 0.0005


@dataclass(frozen=True)
class Variant:
    """One arm of an experiment and its share of the traffic."""

    name: str
    share: float


@dataclass(frozen=True)
class SampleRatio:
    """Does the split look as planned? A mismatch makes every other figure of the experiment worthless."""

    p_value: float
    mismatch: bool


def assign(*, experiment: str, unit: str, variants: Sequence[Variant], key: bytes) -> str | None:
    """The variant of this shopper, always the same one; None where the shares leave the shopper outside.

    A keyed hash (HMAC-SHA256) of experiment and shopper: nothing is stored, other experiments split independently, and
    nobody without the key can pick a variant. Raising the last variant's share moves nobody out of a variant.
    Raises `EngineError` (``bad-settings``) for shares that are negative or sum to more than 1, or a name used twice.
    """
    shares = [variant.share for variant in variants]
    if not shares or min(shares) < 0 or sum(shares) > 1 + 1e-9:
        raise EngineError("bad-settings", "An experiment needs variants whose shares sum to at most 1.")
    if len({variant.name for variant in variants}) < len(variants):
        raise EngineError("bad-settings", "Two variants have one name.")
    # A length before each part, so that no two pairs of names read alike.
    message = b"".join(len(part).to_bytes(4) + part for part in (experiment.encode(), unit.encode()))
    place = int.from_bytes(hmac.digest(key, message, hashlib.sha256)[:8]) / 2**64
    edge = 0.0
    for variant in variants:
        edge += variant.share
        if place < edge:
            return variant.name
    # Shares such as 0.1 + 0.2 + 0.7 may sum to a hair under 1.
    return variants[-1].name if edge > 1 - 1e-9 else None


def sample_size(*, base_rate: float, relative_uplift: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Shoppers needed *per variant* to show a relative uplift of a rate, with one look at the end.

    Two-sided test of two proportions (Fleiss, Levin & Paik, *Statistical Methods for Rates and Proportions*, eq. 4.14).
    Reading at any time, as `sequential` does, takes more: `sequential_sample_size`.
    Raises `EngineError` (``bad-settings``) where there is nothing to compute.
    """
    treated = base_rate * (1 + relative_uplift)
    if not (0 < base_rate < 1 and 0 < treated < 1 and relative_uplift and 0 < alpha < 1 and 0 < power < 1):
        raise EngineError("bad-settings", "Rates, alpha and power lie between 0 and 1, and the uplift is not 0.")
    pooled = (base_rate + treated) / 2
    at_null = norm.ppf(1 - alpha / 2) * math.sqrt(2 * pooled * (1 - pooled))
    at_uplift = norm.ppf(power) * math.sqrt(base_rate * (1 - base_rate) + treated * (1 - treated))
    return math.ceil(((at_null + at_uplift) / (treated - base_rate)) ** 2)


def sample_ratio(counts: Mapping[str, int], variants: Sequence[Variant]) -> SampleRatio:
    """Chi-squared test of the shoppers counted in each variant against the planned shares."""
    observed = [counts.get(variant.name, 0) for variant in variants]
    total, planned = sum(observed), sum(variant.share for variant in variants)
    if not total or len(variants) < 2:
        return SampleRatio(p_value=1.0, mismatch=False)
    if any(variant.share <= 0 for variant in variants):
        raise EngineError("bad-settings", "Only variants with a share can be compared.")
    expected = [total * variant.share / planned for variant in variants]
    p_value = float(chisquare(observed, expected).pvalue)
    return SampleRatio(p_value=p_value, mismatch=p_value < MISMATCH_P)
