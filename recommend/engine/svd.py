"""Surprise's SVD taught to rank: implicit 1/0 events with sampled negatives instead of predicted ratings.

SVD sorted by predicted rating ranks badly, because a rating says nothing of what people pick. Fed with what they
picked (1) against what they could have picked (0, drawn by popularity), the same algorithm ranks. Its user vectors are
then dropped: ``fold_in`` recomputes them in closed form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommend.engine.interactions import EventLog


@dataclass(frozen=True)
class ItemFactors:
    """vectors: N×k float32. biases: N float32, the score of a product before anything is known of the shopper."""

    vectors: NDArray[np.float32]
    biases: NDArray[np.float32]


@dataclass(frozen=True)
class SvdSettings:
    """How the SVD is taught."""

    factors: int = 64  #: length of a product's vector
    epochs: int = 20  #: passes of gradient descent
    learning_rate: float = 0.02  #: step of gradient descent
    regularisation: float = 0.02  #: weight decay; from .05 on the model collapses to popularity
    negatives: int = 4  #: products drawn as "not picked" for each one picked
    popularity_power: float = 0.6  #: negatives are drawn with probability ∝ popularity to this power
    seen: float = 0.0  #: the target of a product that was only seen, where a picked one's is 1 and a drawn one's 0
    seed: int = 0  #: of the draws and of the first vectors


def sample_examples(
    log: EventLog, *, negatives: int, popularity_power: float, rng: np.random.Generator, seen: float = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Shuffled (users, items, target) examples: every liked pair (1), every seen one (``seen``), and for each of them
    ``negatives`` drawn ones (0), minus those that were told of."""
    users, items, told = log.weighed_pairs(seen)
    if not len(users):
        return users, items, np.zeros(0)
    chance = np.bincount(items, minlength=log.n_items).astype(np.float64) ** popularity_power
    chance[np.bincount(items, minlength=log.n_items) == 0] = 0.0
    cumulative = np.cumsum(chance / chance.sum())
    drawn_users = np.repeat(users, negatives)
    drawn = np.searchsorted(cumulative, rng.random(len(drawn_users)), side="right").clip(0, log.n_items - 1)
    known = users * log.n_items + items
    keys = drawn_users * log.n_items + drawn
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    free = known[place] != keys
    all_users = np.concatenate([users, drawn_users[free]])
    all_items = np.concatenate([items, drawn[free]])
    targets = np.concatenate([told.astype(np.float64), np.zeros(int(free.sum()))])
    order = rng.permutation(len(all_users))
    return all_users[order], all_items[order], targets[order]


def fit_svd(log: EventLog, settings: SvdSettings) -> ItemFactors:
    """Fit Surprise's SVD on a log and return what it learned of the products. No liked event: zero factors."""
    # Surprise is needed by the worker that fits, not by the web processes that import this package.
    from surprise import SVD, Trainset

    class ExampleTrainset(Trainset):
        """A trainset that yields ready arrays, in their shuffled order, without a dict of lists in between."""

        def all_ratings(self) -> Iterator[tuple[int, int, float]]:
            return zip(users.tolist(), items.tolist(), targets.tolist(), strict=True)

    rng = np.random.default_rng(settings.seed)
    users, items, targets = sample_examples(
        log, negatives=settings.negatives, popularity_power=settings.popularity_power, rng=rng, seen=settings.seen
    )
    if not len(users):
        return ItemFactors(
            np.zeros((log.n_items, settings.factors), dtype=np.float32), np.zeros(log.n_items, dtype=np.float32)
        )
    trainset = ExampleTrainset({}, {}, log.n_users, log.n_items, len(users), (0, 1), {}, {})
    trainset._global_mean = float(targets.mean())
    model = SVD(
        n_factors=settings.factors,
        n_epochs=settings.epochs,
        lr_all=settings.learning_rate,
        reg_all=settings.regularisation,
        init_std_dev=0.05,
        random_state=settings.seed,
    )
    model.fit(trainset)
    seen = np.bincount(items, minlength=log.n_items) > 0
    vectors = np.where(seen[:, None], model.qi, 0.0).astype(np.float32)
    biases = np.where(seen, model.bi + trainset.global_mean, 0.0).astype(np.float32)
    return ItemFactors(vectors, biases)
