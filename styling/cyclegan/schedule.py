"""How far a run is, and what that means for its rates and weights."""

from __future__ import annotations

from styling.cyclegan.settings import TrainingSettings


def fraction_done(settings: TrainingSettings, *, step: int, seconds: float) -> float:
    """Share of the budget that is used, in [0, 1]: of the steps, of the minutes, or the larger of the two."""
    shares = []
    if settings.steps is not None:
        shares.append(step / settings.steps)
    if settings.minutes is not None:
        shares.append(seconds / (60 * settings.minutes))
    return min(1.0, max(shares))


def rate_factor(settings: TrainingSettings, fraction: float) -> float:
    """1 until ``decay_from``, then linearly towards 0 at the end of the run."""
    if fraction <= settings.decay_from or settings.decay_from == 1:
        return 1.0
    return (1 - fraction) / (1 - settings.decay_from)


def annealed(settings: TrainingSettings, fraction: float, *, start: float, end: float) -> float:
    """A weight on its straight way from ``start`` to ``end``, which it reaches at ``anneal_until``."""
    share = min(1.0, fraction / settings.anneal_until) if settings.anneal_until > 0 else 1.0
    return start + (end - start) * share
