"""Popularity, counted in people: one visitor counts once a product, however often they reload the page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommend.engine.interactions import EventLog

DAY = 86_400.0


def popularity(log: EventLog) -> NDArray[np.float64]:
    """How many people liked each product, N floats."""
    _, items = log.positive_pairs()
    return np.bincount(items, minlength=log.n_items).astype(np.float64)


def recent_popularity(log: EventLog, *, now: float, days: float, least_events: int = 50) -> NDArray[np.float64]:
    """How many people liked each product in the last ``days`` before ``now``, N floats.

    A quiet shop would rank by a handful of events, so the window doubles until it holds ``least_events`` or everything.
    """
    if not len(log):
        return np.zeros(log.n_items)
    oldest = log.timestamps.min()
    while True:
        since = now - days * DAY
        inside = (log.timestamps > since) & (log.timestamps <= now)
        if int(inside.sum()) >= least_events or since <= oldest:
            return popularity(log.where(inside))
        days *= 2


def trending(log: EventLog, *, now: float, days: float, least_people: float = 20.0) -> NDArray[np.float64]:
    """What people take up: root of the number of *first* events per product, fading by e every ``days``, N floats.

    A first event of a person on a product is a discovery; a repeat order says nothing of what is new to anybody, and
    recommending is about what is new. The root keeps one best seller from drowning every other part. In a quiet shop
    the fading slows down until ``least_people`` weigh in, or everything does.
    """
    keys = log.users.astype(np.int64) * max(log.n_items, 1) + log.items
    liked = np.flatnonzero((log.strengths > 0) & (log.timestamps <= now))
    _, first = np.unique(keys[liked], return_index=True)  # the log is in order of time within a user
    events = liked[first]
    if not len(events):
        return np.zeros(log.n_items)
    age = (now - log.timestamps[events]) / DAY
    while True:
        fading = np.exp(-age / days)
        if fading.sum() >= min(least_people, len(events) / 2) or days > age.max():
            return np.sqrt(np.bincount(log.items[events], weights=fading, minlength=log.n_items))
        days *= 2


def standardised(scores: NDArray[np.float64]) -> NDArray[np.float32]:
    """Zero mean and unit deviation over the products; all zeros where every product is alike."""
    spread = float(scores.std()) if len(scores) else 0.0
    if spread < 1e-12:
        return np.zeros(len(scores), dtype=np.float32)
    return ((scores - scores.mean()) / spread).astype(np.float32)
