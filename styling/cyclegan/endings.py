"""How a run may end before its time, how that is seen, and what the person who asked for it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from styling.cyclegan.scoring import Scores
from styling.cyclegan.settings import TrainingSettings

#: So many steps in a row without a finite loss, and the run is given up.
BAD_STEPS = 5
#: Share of the run before which low content is not yet a collapse.
COLLAPSE_FROM = 0.3
#: Variety of renderings, as a share of the sources', below which they are all one picture.
SMALLEST_VARIETY = 0.1


@dataclass(frozen=True, slots=True)
class Ending:
    reason: Literal["", "stopped", "diverged", "collapsed"]
    message: str = ""


STOPPED = Ending("stopped", "Training was stopped. Resume it to continue where it was.")
DIVERGED = Ending(
    "diverged",
    "Training became unstable and was stopped; the best version so far was kept. "
    "Train again with a lower learning rate or another seed.",
)
COLLAPSED = Ending(
    "collapsed",
    "The style took over and products were no longer recognisable, so training was stopped and the best version "
    "so far was kept. Add more style pictures, raise the cycle weight or train for less time.",
)


def has_collapsed(scores: Scores, settings: TrainingSettings) -> bool:
    return scores.content_score < settings.min_content or scores.variety < SMALLEST_VARIETY


def nothing_usable(ending: Ending) -> str:
    if ending.reason == "diverged":
        return "Training became unstable before it learned anything usable. Lower the learning rate and train again."
    return (
        "The style took over before anything usable was learned: products were no longer recognisable. "
        "Add more and more varied pictures, or raise the cycle weight, and train again."
    )
