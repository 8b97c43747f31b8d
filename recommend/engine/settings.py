"""The settings of a recommender: one frozen value, validated at the door, stored whole in the artifact."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from recommend.engine.errors import EngineError
from recommend.engine.interactions import EVENT_WEIGHTS
from recommend.engine.svd import SvdSettings

#: The parts of a score. The first four need a history; the last two are the same for everybody.
PERSONAL_PARTS = ("svd", "style", "item_item", "transition")
SHARED_PARTS = ("recent", "popularity")
PARTS = PERSONAL_PARTS + SHARED_PARTS

#: Used where there are too few people to learn weights from; near what real shops learn.
DEFAULT_WEIGHTS: Mapping[str, float] = {
    "svd": 0.4,
    "style": 0.1,
    "item_item": 0.3,
    "transition": 0.05,
    "recent": 0.6,
    "popularity": 0.1,
}


@dataclass(frozen=True)
class RecommenderSettings:
    """Everything that a fit depends on besides the data."""

    factors: int = 64  #: length of a product's SVD vector
    epochs: int = 20  #: passes of the SVD's gradient descent
    learning_rate: float = 0.02  #: step of the SVD's gradient descent
    regularisation: float = 0.02  #: weight decay of the SVD; from .05 on it collapses to popularity
    negatives: int = 4  #: products drawn as "not picked" for each one picked
    negative_power: float = 0.6  #: negatives are drawn with probability ∝ popularity to this power
    fold_in_confidence: float = 4.0  #: how much more a liked product weighs than an unseen one, per unit of strength
    fold_in_regularisation: float = 10.0  #: pull of a shopper's vector to zero
    history: int = 200  #: newest products of a shopper that the SVD part reads
    ease_regularisation: float = 500.0  #: EASE's λ: higher trusts rare pairs less
    ease_item_limit: int = 10_000  #: above this many products item-kNN takes EASE's place (memory)
    knn_shrinkage: float = 20.0  #: item-kNN's distrust of rare pairs
    neighbours: int = 400  #: strongest neighbours kept for each product
    profile: int = 100  #: newest products of a shopper that speak for their neighbours
    profile_tau: float = 50.0  #: their weight falls by e after this many newer products
    profile_uniform: float = 0.1  #: weight that does not fall
    seen_strength: float = 1.0  #: of a product that was seen without a verdict (a rating of 3); a liked rating has 2
    transition_reach: int = 5  #: how many steps on a product still counts as "next"
    transition_shrinkage: float = 5.0  #: distrust of rare transitions
    transition_tau: float = 20.0  #: as ``profile_tau``, for transitions
    style_tau: float = 20.0  #: as ``profile_tau``, for the shopper's style
    recent_days: float = 7.0  #: "popular now" fades by e after this many days
    cold_start_regularisation: float = 1.0  #: ridge of content → factors for products without events
    confidence_events: float = 1.0  #: a shopper with this many events is trusted half; popularity carries the rest
    max_events_per_user: int = 2000  #: newest events that count of one visitor
    learn_weights: bool = True  #: learn the blend on held-out events; else ``weights`` as given
    holdout_days: float = 30.0  #: the last days are held out for scores, the days before for the blend
    least_users: int = 30  #: held-out people below which a blend is not learned, nor scores claimed
    seed: int = 0  #: of every draw
    weights: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_WEIGHTS))  #: the blend to start from
    event_weights: Mapping[str, float] = field(default_factory=lambda: dict(EVENT_WEIGHTS))  #: what an event says

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if not math.isfinite(value) or value < 0:
                raise EngineError("bad-settings", f"{setting.name} must be a finite number ≥ 0, not {value}.")
        for name in ("factors", "epochs", "learning_rate", "neighbours", "profile_tau", "transition_tau", "style_tau",
                     "recent_days", "holdout_days", "max_events_per_user", "ease_regularisation",
                     "fold_in_regularisation", "cold_start_regularisation"):  # fmt: skip
            if getattr(self, name) <= 0:
                raise EngineError("bad-settings", f"{name} must be above 0.")
        unknown = sorted(set(self.weights) - set(PARTS))
        if unknown:
            raise EngineError("bad-settings", f"Unknown parts {', '.join(unknown)}: the parts are {', '.join(PARTS)}.")
        if any(not math.isfinite(weight) or weight < 0 for weight in self.weights.values()):
            raise EngineError("bad-settings", "Every weight must be a finite number ≥ 0.")

    @property
    def svd(self) -> SvdSettings:
        return SvdSettings(
            factors=self.factors,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            regularisation=self.regularisation,
            negatives=self.negatives,
            popularity_power=self.negative_power,
            seen=self.seen_share,
            seed=self.seed,
        )

    @property
    def seen_share(self) -> float:
        """What a product that was only seen says next to a liked one, where both count without recency: 0..1."""
        liked = self.event_weights.get("rating", 0.0)
        return min(1.0, self.seen_strength / liked) if liked > 0 else 0.0

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> RecommenderSettings:
        """Read stored or posted settings; an unknown name is an error, a missing one takes its default."""
        unknown = sorted(set(values) - {setting.name for setting in fields(cls)})
        if unknown:
            raise EngineError("bad-settings", f"Unknown settings: {', '.join(unknown)}.")
        try:
            return cls(**values)  # type: ignore[arg-type]
        except TypeError as error:
            raise EngineError("bad-settings", str(error)) from error
