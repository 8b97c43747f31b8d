"""What shoppers did, as arrays: the raw log, its cleaning, and the integer-coded form that every model is fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recommend.engine.errors import EngineError

#: How strongly an event says "I like this". Impressions say nothing; a dislike says the opposite.
EVENT_WEIGHTS: Mapping[str, float] = {
    "impression": 0.0,
    "view": 1.0,
    "click": 1.0,
    "add_to_cart": 2.0,
    "purchase": 3.0,
    "like": 2.0,
    "rating": 2.0,
    "dislike": -1.0,
}
POSITIVE_RATING = 4.0
NEGATIVE_RATING = 2.0


@dataclass(frozen=True)
class Interactions:
    """A raw event log of n events in any order.

    users, items: n ids (strings or integers). timestamps: n floats, UTC seconds since 1970. values: n floats, a rating
    for ``rating`` events, not a number where an event carries none. events: n event names (see ``EVENT_WEIGHTS``).
    """

    users: NDArray[np.generic]
    items: NDArray[np.generic]
    timestamps: NDArray[np.float64]
    values: NDArray[np.float64]
    events: NDArray[np.str_]

    def __post_init__(self) -> None:
        lengths = {len(self.users), len(self.items), len(self.timestamps), len(self.values), len(self.events)}
        if len(lengths) != 1:
            raise EngineError("bad-row", f"The five columns of a log need one length, not {sorted(lengths)}.")

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def from_columns(
        cls,
        users: Sequence[object],
        items: Sequence[object],
        timestamps: Sequence[float],
        events: Sequence[str] | str = "purchase",
        values: Sequence[float | None] | None = None,
    ) -> Interactions:
        """Build a log from plain sequences; one event name may stand for all rows."""
        n = len(users)
        names = np.full(n, events) if isinstance(events, str) else np.asarray(events, dtype=np.str_)
        numbers = np.full(n, np.nan) if values is None else np.array(values, dtype=np.float64)
        return cls(
            users=np.asarray(users) if n else np.zeros(0, dtype=np.str_),
            items=np.asarray(items) if n else np.zeros(0, dtype=np.str_),
            timestamps=np.asarray(timestamps, dtype=np.float64),
            values=numbers,
            events=names,
        )


@dataclass(frozen=True)
class Cleaning:
    """What cleaning did to a log: how many events were read, dropped for which reason, and kept."""

    read: int = 0
    kept: int = 0
    duplicates: int = 0
    future: int = 0
    unknown_items: int = 0
    unknown_events: int = 0
    bad_timestamps: int = 0
    impressions: int = 0
    over_the_cap: int = 0
    capped_users: int = 0

    def as_dict(self) -> dict[str, int]:
        return {name: int(getattr(self, name)) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class EventLog:
    """A clean log in integer codes, ordered by (user, time, item).

    users, items: int32 codes into ``user_ids`` and ``item_ids``. strengths: float32, > 0 liked, 0 seen, < 0 disliked.
    timestamps: float64 UTC seconds. values: float32 ratings, not a number where there is none. ``item_ids`` is the
    whole catalogue, products without events included.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    strengths: NDArray[np.float32]
    timestamps: NDArray[np.float64]
    values: NDArray[np.float32]
    user_ids: NDArray[np.str_]
    item_ids: NDArray[np.str_]
    cleaning: Cleaning = field(default_factory=Cleaning)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    def where(self, mask: NDArray[np.bool_]) -> EventLog:
        """The events under a mask, in the same codes."""
        return EventLog(
            users=self.users[mask],
            items=self.items[mask],
            strengths=self.strengths[mask],
            timestamps=self.timestamps[mask],
            values=self.values[mask],
            user_ids=self.user_ids,
            item_ids=self.item_ids,
            cleaning=self.cleaning,
        )

    def positive_pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The distinct (user, item) pairs with a liked event, ordered by user, then item."""
        liked = self.strengths > 0
        keys = np.unique(self.users[liked].astype(np.int64) * self.n_items + self.items[liked])
        return keys // max(self.n_items, 1), keys % max(self.n_items, 1)

    def says(self, seen: float) -> NDArray[np.float32]:
        """What each event says for its product: 1 where liked, ``seen`` where only seen, 0 where disliked.

        Who disliked a product, before or after, did not merely see it: those events say 0 too.
        """
        says = (self.strengths > 0).astype(np.float32)
        if seen > 0:
            keys = self.users.astype(np.int64) * self.n_items + self.items
            merely = (self.strengths == 0) & ~np.isin(keys, np.unique(keys[self.strengths < 0]))
            says[merely] = seen
        return says

    def weighed_pairs(self, seen: float) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """The distinct (user, item) pairs whose events say something, ordered by user, then item, and the most of it."""
        says = self.says(seen)
        told = says > 0
        keys = self.users[told].astype(np.int64) * self.n_items + self.items[told]
        pairs, places = np.unique(keys, return_inverse=True)
        weights = np.zeros(len(pairs), dtype=np.float32)
        np.maximum.at(weights, places, says[told])
        return pairs // max(self.n_items, 1), pairs % max(self.n_items, 1), weights


def strengths_of(
    events: NDArray[np.str_], values: NDArray[np.float64], weights: Mapping[str, float]
) -> NDArray[np.float32]:
    """Strength of each event: its weight; a rating is liked from 4, disliked up to 2. Unknown events: not a number."""
    names, codes = np.unique(events, return_inverse=True)
    table = np.array([weights.get(str(name), np.nan) for name in names], dtype=np.float32)
    strengths = table[codes] if len(names) else np.zeros(0, dtype=np.float32)
    ratings = (events == "rating") & np.isfinite(values)
    strengths[ratings & (values < POSITIVE_RATING)] = 0.0
    strengths[ratings & (values <= NEGATIVE_RATING)] = weights.get("dislike", -1.0)
    return strengths


def clean(
    log: Interactions,
    *,
    items: Sequence[str] | None = None,
    now: float | None = None,
    max_events_per_user: int | None = 2000,
    weights: Mapping[str, float] = EVENT_WEIGHTS,
) -> EventLog:
    """Drop what no model should learn from, cap what one visitor may say, and code the rest in integers.

    ``items`` is the catalogue (products of the log that are not in it were deleted and are dropped; by default the
    log's own products). Events after ``now`` are dropped. Of a user with more than ``max_events_per_user`` events
    only the latest stay. Nothing raises on odd data: the report counts it.
    """
    user_names, item_names = log.users.astype(np.str_), log.items.astype(np.str_)
    catalogue = np.unique(item_names) if items is None else np.asarray(list(items), dtype=np.str_)
    if len(np.unique(catalogue)) != len(catalogue):
        raise EngineError("bad-settings", "The catalogue names a product twice.")
    user_ids, user_codes = np.unique(user_names, return_inverse=True)
    item_codes = _codes(item_names, catalogue)
    strengths = strengths_of(log.events, log.values, weights)

    bad_time = ~np.isfinite(log.timestamps)
    future = ~bad_time & (log.timestamps > (np.inf if now is None else now))
    unknown_event = ~np.isfinite(strengths)
    unknown_item = item_codes < 0
    impression = log.events == "impression"
    keep = ~(bad_time | future | unknown_event | unknown_item | impression)
    index = np.flatnonzero(keep)
    order = np.lexsort((strengths[index], item_codes[index], log.timestamps[index], user_codes[index]))
    index = index[order]

    _, event_codes = np.unique(log.events[index], return_inverse=True)
    columns = (user_codes[index], log.timestamps[index], item_codes[index])
    by_identity = np.lexsort((event_codes, *columns[::-1]))
    same = np.zeros(len(index), dtype=bool)
    if len(index) > 1:
        before, after = by_identity[:-1], by_identity[1:]
        equal = event_codes[before] == event_codes[after]
        for column in columns:
            equal &= column[before] == column[after]
        same[after] = equal
    index = index[~same]

    report = Cleaning(
        read=len(log),
        kept=len(index),
        duplicates=int(same.sum()),
        future=int(future.sum()),
        unknown_items=int((unknown_item & ~bad_time & ~future).sum()),
        unknown_events=int(unknown_event.sum()),
        bad_timestamps=int(bad_time.sum()),
        impressions=int(impression.sum()),
    )
    coded = EventLog(
        users=user_codes[index].astype(np.int32),
        items=item_codes[index].astype(np.int32),
        strengths=strengths[index],
        timestamps=log.timestamps[index],
        values=log.values[index].astype(np.float32),
        user_ids=user_ids,
        item_ids=catalogue,
        cleaning=report,
    )
    return coded if max_events_per_user is None else cap_users(coded, max_events_per_user)


def cap_users(log: EventLog, most: int) -> EventLog:
    """Keep the latest ``most`` events of each user, so that a bot is one voice among many; the report counts it."""
    counts = np.bincount(log.users, minlength=log.n_users)
    from_the_end = np.cumsum(counts)[log.users] - 1 - np.arange(len(log))
    over = from_the_end >= most
    kept = log.where(~over)
    report = replace(
        log.cleaning, kept=len(kept), over_the_cap=int(over.sum()), capped_users=int((counts > most).sum())
    )
    return replace(kept, cleaning=report)


def _codes(names: NDArray[np.str_], catalogue: NDArray[np.str_]) -> NDArray[np.int64]:
    """Position of each name in the catalogue, -1 where it is not there."""
    if not len(catalogue) or not len(names):
        return np.full(len(names), -1, dtype=np.int64)
    order = np.argsort(catalogue, kind="stable")
    place = np.minimum(np.searchsorted(catalogue, names, sorter=order), len(catalogue) - 1)
    found = order[place]
    return np.where(catalogue[found] == names, found, -1)
