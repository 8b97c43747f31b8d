"""Cut a log into train, validation and test without letting the later reach the earlier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recommend.engine.errors import EngineError
from recommend.engine.interactions import EventLog
from recommend.engine.popularity import DAY

SplitKind = Literal["temporal", "global-time", "leave-one-out"]
SPLITS: tuple[SplitKind, ...] = ("temporal", "global-time", "leave-one-out")


@dataclass(frozen=True)
class Split:
    """Three logs in the same codes. ``*_now`` is the moment at which each part would have been asked for advice."""

    kind: SplitKind
    train: EventLog
    validation: EventLog
    test: EventLog
    validation_now: float
    test_now: float

    @property
    def known(self) -> EventLog:
        """Train and validation together: what may be learned from before the test."""
        return joined(self.train, self.validation)


def joined(first: EventLog, second: EventLog) -> EventLog:
    """Two logs in the same codes as one, in order again."""
    users = np.concatenate([first.users, second.users])
    items = np.concatenate([first.items, second.items])
    times = np.concatenate([first.timestamps, second.timestamps])
    strengths = np.concatenate([first.strengths, second.strengths])
    values = np.concatenate([first.values, second.values])
    order = np.lexsort((items, times, users))
    return EventLog(
        users=users[order],
        items=items[order],
        strengths=strengths[order],
        timestamps=times[order],
        values=values[order],
        user_ids=first.user_ids,
        item_ids=first.item_ids,
        cleaning=first.cleaning,
    )


def split(log: EventLog, kind: SplitKind, *, days: float = 30.0) -> Split:
    """Split a clean log.

    ``temporal``: of each user's events the last 20 % are test, the 10 % before validation (users with fewer than 10
    events stay in train). ``leave-one-out``: the last event is test, the one before validation (users with at least
    3 events). ``global-time``: the last ``days`` of the log are test, the ``days`` before validation.
    """
    if not len(log):
        raise EngineError("no-events", "There is no event to split.")
    if kind == "global-time":
        end = float(log.timestamps.max())
        test_now, validation_now = end - days * DAY, end - 2 * days * DAY
        part = np.where(log.timestamps > test_now, 2, np.where(log.timestamps > validation_now, 1, 0))
        return _cut(log, kind, part, validation_now, test_now)
    counts = np.bincount(log.users, minlength=log.n_users)
    starts = np.cumsum(counts) - counts
    position = np.arange(len(log)) - starts[log.users]
    count = counts[log.users]
    if kind == "temporal":
        test_size, validation_size, least = np.floor(count * 0.2 + 1e-9), np.floor(count * 0.1 + 1e-9), 10
    elif kind == "leave-one-out":
        test_size, validation_size, least = np.ones(len(log)), np.ones(len(log)), 3
    else:
        raise EngineError("bad-settings", f"Unknown split {kind!r}: one of {', '.join(SPLITS)}.")
    in_test = (position >= count - test_size) & (count >= least)
    in_validation = (position >= count - test_size - validation_size) & ~in_test & (count >= least)
    part = np.where(in_test, 2, np.where(in_validation, 1, 0))
    return _cut(log, kind, part, None, None)


def _cut(
    log: EventLog,
    kind: SplitKind,
    part: NDArray[np.int64],
    validation_now: float | None,
    test_now: float | None,
) -> Split:
    train, validation, test = (log.where(part == number) for number in range(3))
    # Per-user cuts have no common "now"; the latest known event is the one that needs no look into the later part.
    latest = float(train.timestamps.max()) if len(train) else 0.0
    known = max(latest, float(validation.timestamps.max()) if len(validation) else latest)
    return Split(
        kind=kind,
        train=train,
        validation=validation,
        test=test,
        validation_now=latest if validation_now is None else validation_now,
        test_now=known if test_now is None else test_now,
    )
