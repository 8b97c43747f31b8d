"""A shop whose shoppers' wishes are known: tests and the style ablation ask whether a model finds them.

Every shopper has a taste (what kind of thing) and a style (what look), every product a place in both, a popularity and
a launch day; interest in a product fades after its launch. A shopper picks with probability ∝ exp(utility) among the
products on sale that day that they do not have yet. Pictures are the style seen through noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommend.engine.interactions import Interactions
from recommend.engine.popularity import DAY

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SimulatorSettings:
    """The shop. All strengths are in units of log-odds."""

    users: int = 400  #: shoppers
    items: int = 300  #: products
    days: int = 180  #: length of the log
    events: int = 25  #: mean number of picks of a shopper
    taste_strength: float = 2.0  #: how much taste decides
    style_strength: float = 1.5  #: how much look decides; 0 makes style vectors pure noise to a model
    popularity_strength: float = 0.8  #: how unequal products are for everybody
    fade_days: float = 60.0  #: interest falls by e this many days after launch
    launches: float = 0.6  #: share of the products launched during the log
    taste_size: int = 8  #: dimensions of taste
    style_size: int = 6  #: dimensions of style
    vector_size: int = 16  #: length of the style vectors that a model is given
    noise: float = 0.3  #: of the style vectors
    seed: int = 0


@dataclass(frozen=True)
class Simulation:
    """interactions: the log. item_ids: N. style_vectors: N×vector_size unit rows. launch_days: N.

    utility: U×N, what each shopper truly wants, apart from time; rows in the order of ``user_ids``.
    """

    interactions: Interactions
    user_ids: list[str]
    item_ids: list[str]
    style_vectors: Floats
    launch_days: NDArray[np.float64]
    utility: NDArray[np.float64]
    end: float


def _unit(rng: np.random.Generator, n: int, size: int) -> NDArray[np.float64]:
    rows = rng.standard_normal((n, size))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def simulate(settings: SimulatorSettings) -> Simulation:
    """Draw a shop and its log; the same seed gives the same log."""
    rng = np.random.default_rng(settings.seed)
    n_users, n_items = settings.users, settings.items
    user_taste, item_taste = (_unit(rng, n, settings.taste_size) for n in (n_users, n_items))
    user_style, item_style = (_unit(rng, n, settings.style_size) for n in (n_users, n_items))
    utility = (
        settings.taste_strength * np.sqrt(settings.taste_size) * (user_taste @ item_taste.T)
        + settings.style_strength * np.sqrt(settings.style_size) * (user_style @ item_style.T)
        + settings.popularity_strength * rng.standard_normal(n_items)
    )
    launch = np.where(
        rng.random(n_items) < settings.launches, rng.uniform(0, settings.days, n_items), -rng.exponential(60, n_items)
    )
    users: list[str] = []
    items: list[str] = []
    times: list[float] = []
    for user in range(n_users):
        owned = np.zeros(n_items, dtype=bool)
        start = rng.uniform(0, settings.days * 0.5)
        moments = np.sort(rng.uniform(start, settings.days, max(2, rng.poisson(settings.events))))
        for moment in moments:
            age = moment - launch
            score = utility[user] - np.maximum(age, 0) / settings.fade_days
            score = np.where((age < 0) | owned, -np.inf, score)
            if not np.isfinite(score).any():
                break
            # Gumbel's trick: the largest of score plus noise is a draw from the softmax.
            pick = int(np.argmax(score + rng.gumbel(size=n_items)))
            owned[pick] = True
            users.append(f"user{user}")
            items.append(f"item{pick}")
            times.append(float(moment * DAY))
    mixing = rng.standard_normal((settings.style_size, settings.vector_size))
    seen = item_style @ mixing + settings.noise * rng.standard_normal((n_items, settings.vector_size))
    vectors = (seen / np.linalg.norm(seen, axis=1, keepdims=True)).astype(np.float32)
    return Simulation(
        interactions=Interactions.from_columns(users, items, times, "purchase"),
        user_ids=[f"user{user}" for user in range(n_users)],
        item_ids=[f"item{item}" for item in range(n_items)],
        style_vectors=vectors,
        launch_days=launch,
        utility=utility,
        end=settings.days * DAY,
    )
