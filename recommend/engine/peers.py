"""What people would use instead, behind one interface: fit on a log, then score all products for a block of users.

Each peer brings a small grid of settings; ``evaluation`` picks from it on the validation part, as it does for our own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommend.engine.ease import DENSE_LIMIT, cosine_weights, ease_weights, user_item_matrix
from recommend.engine.errors import EngineError
from recommend.engine.heldout import Scorer
from recommend.engine.histories import Histories
from recommend.engine.interactions import EventLog
from recommend.engine.neighbours import strongest_of_sparse
from recommend.engine.popularity import popularity, recent_popularity, trending

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Peer:
    """fit: (log, now, settings, seed) → scorer. Raises ``not-installed`` or ``too-many-items`` where it cannot run."""

    name: str
    fit: Callable[[EventLog, float, Settings, int], Scorer]
    grid: tuple[Settings, ...] = ({},)


def _same_for_all(scores: NDArray[np.floating]) -> Scorer:
    return lambda users, histories: np.broadcast_to(scores, (len(users), len(scores)))


def fit_popularity(log: EventLog, now: float, settings: Settings, seed: int) -> Scorer:
    return _same_for_all(popularity(log))


def fit_recent_popularity(log: EventLog, now: float, settings: Settings, seed: int) -> Scorer:
    return _same_for_all(recent_popularity(log, now=now, days=settings["days"]))


def fit_trending(log: EventLog, now: float, settings: Settings, seed: int) -> Scorer:
    return _same_for_all(trending(log, now=now, days=settings["days"]))


def fit_svd_rating(log: EventLog, now: float, settings: Settings, seed: int) -> Scorer:
    """Surprise's SVD as its documentation uses it: predict the value of every product, sort by it."""
    from surprise import SVD, Trainset

    values = np.where(np.isfinite(log.values), log.values, log.strengths).astype(np.float64)

    class ValueTrainset(Trainset):
        def all_ratings(self) -> Any:
            return zip(log.users.tolist(), log.items.tolist(), values.tolist(), strict=True)

    if not len(log):
        return _same_for_all(np.zeros(log.n_items))
    scale = (float(values.min()), float(values.max()))
    trainset = ValueTrainset({}, {}, log.n_users, log.n_items, len(log), scale, {}, {})
    trainset._global_mean = float(values.mean())
    model = SVD(random_state=seed, **settings).fit(trainset)
    return lambda users, histories: model.pu[users] @ model.qi.T + model.bi


def _liked(histories: Histories, n_items: int) -> sparse.csr_matrix:
    keep = histories.strengths > 0
    rows = histories.rows()[keep]
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_matrix((ones, (rows, histories.items[keep])), shape=(histories.n_users, n_items))


def fit_item_knn(log: EventLog, now: float, settings: Settings, seed: int) -> Scorer:
    weights = cosine_weights(user_item_matrix(log), settings["shrinkage"])
    nearest = strongest_of_sparse(weights, settings["neighbours"]).matrix()
    return lambda users, histories: (_liked(histories, log.n_items) @ nearest).toarray()


def fit_ease(log: EventLog, now: float, settings: Settings, seed: int) -> Scorer:
    if log.n_items > DENSE_LIMIT:
        raise EngineError("too-many-items", f"Dense EASE is kept to {DENSE_LIMIT} products.")
    weights = ease_weights(user_item_matrix(log), settings["regularisation"])
    return lambda users, histories: _liked(histories, log.n_items) @ weights


def _implicit(module: str, name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            package = __import__(f"implicit.{module}", fromlist=[name])
    except ImportError as error:
        raise EngineError("not-installed", "The package implicit is not installed.") from error
    return getattr(package, name)


def _train_implicit(model: Any, log: EventLog) -> Scorer:
    with warnings.catch_warnings():
        # It warns about BLAS threads on every machine that has more than one.
        warnings.simplefilter("ignore")
        model.fit(user_item_matrix(log), show_progress=False)
    users_factors, item_factors = np.asarray(model.user_factors), np.asarray(model.item_factors)
    return lambda users, histories: users_factors[users] @ item_factors.T


def fit_als(log: EventLog, now: float, settings: Settings, seed: int) -> Scorer:
    """implicit's ALS (Hu, Koren, Volinsky, ICDM 2008)."""
    model = _implicit("als", "AlternatingLeastSquares")
    return _train_implicit(model(random_state=seed, num_threads=1, **settings), log)


def fit_bpr(log: EventLog, now: float, settings: Settings, seed: int) -> Scorer:
    """implicit's BPR (Rendle et al., UAI 2009)."""
    model = _implicit("bpr", "BayesianPersonalizedRanking")
    # With several threads its gradient steps race, and no two runs agree.
    return _train_implicit(model(random_state=seed, num_threads=1, **settings), log)


PEERS: tuple[Peer, ...] = (
    Peer("popularity", fit_popularity),
    Peer("recent_popularity", fit_recent_popularity, ({"days": 7.0}, {"days": 14.0}, {"days": 30.0})),
    Peer("trending", fit_trending, ({"days": 7.0}, {"days": 14.0}, {"days": 30.0})),
    Peer("svd_rating", fit_svd_rating, ({}, {"n_factors": 50, "reg_all": 0.08, "n_epochs": 40})),
    Peer(
        "item_knn",
        fit_item_knn,
        tuple({"neighbours": k, "shrinkage": s} for k in (50, 200) for s in (5.0, 50.0)),
    ),
    Peer("ease", fit_ease, tuple({"regularisation": value} for value in (100.0, 300.0, 1000.0))),
    Peer(
        "als",
        fit_als,
        (
            {"factors": 32, "regularization": 1.0, "alpha": 1.0},
            {"factors": 64, "regularization": 0.1, "alpha": 1.0},
            {"factors": 64, "regularization": 10.0, "alpha": 10.0},
            {"factors": 128, "regularization": 0.1, "alpha": 1.0},
        ),
    ),
    Peer(
        "bpr",
        fit_bpr,
        (
            {"factors": 64, "learning_rate": 0.05, "regularization": 0.01, "iterations": 100},
            {"factors": 64, "learning_rate": 0.1, "regularization": 0.003, "iterations": 60},
        ),
    ),
)
