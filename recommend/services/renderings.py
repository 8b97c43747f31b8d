"""Which rendering of a product a shopper sees: one of the published ones, or the original photo.

A stranger sees originals. A shopper with a profile sees the style that they responded to; every choice keeps a floor of
exploration and says the probability it was made with, so that what is learned from the clicks is unbiased. Once the shop's
policy has seen enough, it chooses (Thompson sampling, ``recommend.engine.bandit``); until then the shopper's own shares do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommend.engine.bandit import ArmFeatures, BanditSettings, ThompsonPolicy
from recommend.engine.errors import EngineError
from styling.models import StyledImage

#: Context: how well the shopper is known. Arm: is it a styled rendering, and the shopper's share for its style.
SETTINGS = BanditSettings(context_size=1, arm_size=2)
#: Shown renderings that the policy must have learned from before it takes over.
LEAST_OBSERVATIONS = 500
#: Likes at which a shopper counts as well known.
WELL_KNOWN = 10
ORIGINAL = 0


@dataclass(frozen=True)
class Shown:
    """A choice: the rendering (None is the original), with the probability it had."""

    rendering: StyledImage | None
    propensity: float


class RenderingChooser:
    """Chooses for one shopper on one page; the same picture gets the same rendering until the shopper does something."""

    def __init__(
        self, *, shares: Mapping[int, float], likes: int, seed: str, policy: ThompsonPolicy | None, enabled: bool
    ) -> None:
        self._shares = shares
        self._known = min(1.0, likes / WELL_KNOWN)
        self._seed = seed
        self._policy = policy if policy is not None and policy.observations >= LEAST_OBSERVATIONS else None
        self._enabled = enabled

    @classmethod
    def for_stranger(cls) -> RenderingChooser:
        """Always the original."""
        return cls(shares={}, likes=0, seed="", policy=None, enabled=False)

    def choose(self, image_id: int, published: Sequence[StyledImage]) -> Shown:
        """One of the published renderings of a picture, or the original."""
        if not self._enabled or not published:
            return Shown(None, 1.0)
        options: list[StyledImage | None] = [None, *published]
        digest = hashlib.sha256(f"{self._seed}|{image_id}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8]))
        arms = [self.arm(option, key=key) for key, option in enumerate(options)]
        if self._policy is not None:
            choice = self._policy.choose(np.array([self._known]), arms, rng=rng)
            return Shown(options[int(choice.arm.key)], choice.propensity)
        weights = self._by_shares(options)
        chosen = int(rng.choice(len(options), p=weights))
        return Shown(options[chosen], float(weights[chosen]))

    def arm(self, option: StyledImage | None, *, key: int = 0) -> ArmFeatures:
        """The features of one option."""
        share = self._shares.get(option.style_id if option else ORIGINAL, 0.0)
        return ArmFeatures(str(key), np.array([1.0 if option else 0.0, share]))

    def _by_shares(self, options: Sequence[StyledImage | None]) -> np.ndarray:
        """The shopper's shares, sharpened, over an even floor; an unknown shopper gets all options alike."""
        shares = np.array([self._shares.get(o.style_id if o else ORIGINAL, 0.0) for o in options])
        floor = min(SETTINGS.floor, 1 / len(options))
        even = np.full(len(options), 1 / len(options))
        sharp = shares**3
        liked = sharp / sharp.sum() if sharp.sum() > 0 else even
        trust = self._known**0.5
        mixed = trust * liked + (1 - trust) * even
        weights = floor + (1 - floor * len(options)) * mixed
        return weights / weights.sum()


def load_policy(state: Mapping[str, object]) -> ThompsonPolicy | None:
    """The shop's policy from its row; None where it is new or does not fit this version."""
    if not state:
        return None
    try:
        return ThompsonPolicy.from_state(dict(state))
    except (EngineError, KeyError, ValueError, TypeError):
        return None
