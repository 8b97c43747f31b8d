"""A loss curve of bounded length: the longer a run, the more steps share a point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Points that a curve may have (an even number); when it is full, neighbours are merged.
MOST_POINTS = 240


class LossCurve:
    """Means of the losses over equal stretches of steps: ``[{"step": last of the stretch, "cycle": …}]``."""

    def __init__(self, points: Sequence[Mapping[str, Any]] = ()) -> None:
        """Go on from the ``points`` of an earlier attempt."""
        self.points: list[dict[str, float]] = [dict(point) for point in points]
        self._stride = self.points[0]["step"] if self.points else 1
        self._waiting: list[Mapping[str, float]] = []

    def add(self, step: int, losses: Mapping[str, float]) -> None:
        """Take in one step. Steps that a resumed run repeats replace what was there."""
        if self.points and step <= self.points[-1]["step"]:
            self.points = [point for point in self.points if point["step"] < step]
            self._waiting = []
        self._waiting.append(losses)
        if len(self._waiting) < self._stride:
            return
        self.points.append({"step": step, **_mean(self._waiting)})
        self._waiting = []
        if len(self.points) == MOST_POINTS:
            self._stride *= 2
            pairs = zip(self.points[::2], self.points[1::2], strict=True)
            self.points = [{**_mean(pair), "step": pair[1]["step"]} for pair in pairs]


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(sum(row[name] for row in rows) / len(rows), 5) for name in rows[0]}
