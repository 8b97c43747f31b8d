"""Which rendering of a product a shopper sees: one of the published ones, or the original photo.

A stranger sees originals. A shopper with a profile sees the style that they responded to; every choice keeps a floor of
exploration and says the probability it was made with, so that what is learned from the clicks is unbiased. Once the shop's
policy has seen enough, it chooses (Thompson sampling, ``recommend.engine.bandit``); until then the shopper's own shares do.
A style that the shopper took out of the profile is never shown to them.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple, Protocol

import numpy as np

from recommend.engine.bandit import ThompsonPolicy
from recommend.services.policies import SETTINGS, arm_features

#: Shown renderings that the policy must have learned from before it takes over.
LEAST_OBSERVATIONS = 500
#: Likes at which a shopper counts as well known.
WELL_KNOWN = 10
ORIGINAL = 0
#: Choices that a chooser remembers.
MOST_CHOSEN = 500


class PublishedRendering(Protocol):
    """What is to be known of a rendering: a row, or as much of it as a card holds."""

    @property
    def pk(self) -> Any: ...

    @property
    def style_id(self) -> Any: ...

    @property
    def style(self) -> Any: ...

    @property
    def file(self) -> Any: ...


@dataclass(frozen=True)
class Shown:
    """A choice: the rendering (None is the original), the probability it had, and what it was chosen by."""

    rendering: PublishedRendering | None
    propensity: float = 1.0
    known: float = 0.0
    share: float = 0.0
    #: (style, the shopper's share of it) of everything that could have been shown, 0 being the original.
    among: tuple[tuple[int, float], ...] = ()


_ORIGINAL = Shown(None)


class _Weighed(NamedTuple):
    """Styles to choose from: the shopper's share of each, its weight, the weights added up, and (style, share)."""

    shares: list[float]
    weights: list[float]
    added: list[float]
    among: tuple[tuple[int, float], ...]


class RenderingChooser:
    """Chooses for one shopper on one page; the same picture gets the same rendering until the shopper does something."""

    def __init__(
        self,
        *,
        shares: Mapping[int, float],
        likes: int,
        seed: str,
        policy: ThompsonPolicy | None = None,
        hidden: frozenset[int] = frozenset(),
        enabled: bool = True,
    ) -> None:
        self._shares = shares
        self._known = min(1.0, likes / WELL_KNOWN)
        self._seed = seed
        self._policy = policy if policy is not None and policy.observations >= LEAST_OBSERVATIONS else None
        self._hidden = hidden
        #: By picture: what there was to choose from, and the choice.
        self._chosen: dict[int, tuple[Sequence[PublishedRendering], Shown]] = {}
        #: By the styles to choose from.
        self._weighed: dict[tuple[int, ...], _Weighed] = {}
        self._enabled = enabled

    @classmethod
    def for_stranger(cls) -> RenderingChooser:
        """Always the original."""
        return cls(shares={}, likes=0, seed="", enabled=False)

    def choose(self, image_id: int, published: Sequence[PublishedRendering]) -> Shown:
        """One of the published renderings of a picture, or the original."""
        if not self._enabled:
            return _ORIGINAL
        known = self._chosen.get(image_id)
        if known is None or known[0] is not published:
            if len(self._chosen) >= MOST_CHOSEN:
                self._chosen.clear()
            known = self._chosen[image_id] = (published, self._choose(image_id, published))
        return known[1]

    def _choose(self, image_id: int, published: Sequence[PublishedRendering]) -> Shown:
        options: list[PublishedRendering | None] = [None]
        options += [image for image in published if image.style_id not in self._hidden]
        if len(options) == 1:
            return _ORIGINAL
        digest = hashlib.sha256(f"{self._seed}|{image_id}".encode()).digest()
        weighed = self._weights(tuple(option.style_id if option else ORIGINAL for option in options))
        shares = weighed.shares
        if self._policy is not None:
            arms = [
                arm_features(styled=option is not None, share=share, key=str(number))
                for number, (option, share) in enumerate(zip(options, shares, strict=True))
            ]
            rng = np.random.default_rng(int.from_bytes(digest[:8]))
            choice = self._policy.choose(np.array([self._known]), arms, rng=rng)
            chosen, propensity = int(choice.arm.key), choice.propensity
        else:
            point = int.from_bytes(digest[:8]) / 2**64  # even between 0 and 1
            chosen = min(bisect_right(weighed.added, point), len(options) - 1)
            propensity = weighed.weights[chosen]
        return Shown(options[chosen], propensity, self._known, shares[chosen], weighed.among)

    def _weights(self, styles: tuple[int, ...]) -> _Weighed:
        """Most products of a page have renderings in the same styles, so their weights are the same."""
        known = self._weighed.get(styles)
        if known is None:
            shares = [self._shares.get(style, 0.0) for style in styles]
            weights = self._by_shares(shares)
            among = tuple((style, round(share, 5)) for style, share in zip(styles, shares, strict=True))
            known = self._weighed[styles] = _Weighed(shares, weights, list(accumulate(weights)), among)
        return known

    def _by_shares(self, shares: Sequence[float]) -> list[float]:
        """The shopper's shares, sharpened, over an even floor; an unknown shopper gets all options alike."""
        count = len(shares)
        floor = min(SETTINGS.floor, 1 / count)
        sharp = [share**3 for share in shares]
        total = sum(sharp)
        trust = self._known**0.5 if total > 0 else 0.0
        liked = [value / total if total > 0 else 0.0 for value in sharp]
        return [floor + (1 - floor * count) * (trust * like + (1 - trust) / count) for like in liked]
