"""What an experiment must not harm, and the one conclusion drawn from everything that was read.

A guard-rail is a non-inferiority test: the harm must be shown to stay under a margin. It uses the same any-time
confidence sequence as the goal (`recommend.engine.sequential`), so watching it daily does no damage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommend.engine.errors import EngineError
from recommend.engine.experiments import SampleRatio
from recommend.engine.sequential import Reading, Sample, read


@dataclass(frozen=True)
class Guardrail:
    """A metric to protect. ``margin`` is the relative harm that is tolerated, 0.02 for two percent."""

    name: str
    margin: float
    #: False for latency, returns, complaints: there more is harm.
    more_is_better: bool = True


@dataclass(frozen=True)
class GuardrailReading:
    """``state``: ``safe`` (harm beyond the margin is ruled out), ``harmed`` (it is shown) or ``unclear``."""

    guardrail: Guardrail
    reading: Reading
    state: str


def check(guardrail: Guardrail, control: Sample, treatment: Sample, *, alpha: float = 0.05) -> GuardrailReading:
    """Read one guard-rail now. Raises `EngineError` (``bad-settings``) for a margin that is not positive."""
    if guardrail.margin <= 0:
        raise EngineError("bad-settings", "A guard-rail's margin is positive.")
    tolerated = guardrail.margin * abs(control.mean)
    reading = read(control, treatment, smallest_effect=tolerated or guardrail.margin, alpha=alpha)
    if guardrail.more_is_better:
        worst, best = reading.low, reading.high
    else:
        worst, best = -reading.high, -reading.low
    state = "safe" if worst > -tolerated else "harmed" if best < -tolerated else "unclear"
    return GuardrailReading(guardrail, reading, state)


def conclude(goal: Reading, guardrails: Sequence[GuardrailReading], ratio: SampleRatio) -> str:
    """What to do now, by what weighs most.

    ``distrust``: the split is not the planned one, so find the fault first. ``stop``: a guard-rail is harmed, or the
    goal got worse. ``ship``: the goal is better and every guard-rail safe. ``continue``: anything else.
    """
    if ratio.mismatch:
        return "distrust"
    if goal.verdict == "worse" or any(found.state == "harmed" for found in guardrails):
        return "stop"
    if goal.verdict == "better" and all(found.state == "safe" for found in guardrails):
        return "ship"
    return "continue"
