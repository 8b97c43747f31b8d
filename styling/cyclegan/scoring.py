"""Has it learned? Style and content scores on held-out pictures, in [0, 1].

Together they tell the four cases apart: untrained (style 0), a copy (style 0, content 1), trained (both),
collapsed (content low).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from styling.cyclegan.features import ResNetFeatures, content_features, edge_maps, style_features

#: Distances below this are noise: the two domains look alike, and no style score can be given.
SMALLEST_KID = 1e-3


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one translator on held-out pictures."""

    #: 1 − kid / kid_copy in [0, 1]: how much of the way from the sources' look to the style's was gone.
    style_score: float
    #: Mean of ``retrieval`` and ``edges``.
    content_score: float
    #: Kernel distance between translations and held-out style pictures.
    kid: float
    #: The same for untranslated sources, the distance to close.
    kid_copy: float
    #: Share of translations that resemble their own source more than any other source.
    retrieval: float
    #: Mean correlation of the edges of a translation and its source.
    edges: float
    #: Mean distance between translations over that between sources: near 0, all renderings are one picture.
    variety: float

    @property
    def quality(self) -> float:
        """One figure to choose a checkpoint by: the harmonic mean of style and content."""
        total = self.style_score + self.content_score
        return 2 * self.style_score * self.content_score / total if total else 0.0

    def to_dict(self) -> dict[str, float]:
        """A JSON-ready dict, ``quality`` included."""
        return {**{name: round(value, 4) for name, value in asdict(self).items()}, "quality": round(self.quality, 4)}


def kernel_distance(left: Tensor, right: Tensor) -> float:
    """Unbiased squared MMD of N×D and M×D features under KID's cubic kernel (Bińkowski et al. 2018)."""
    left, right = left.double(), right.double()
    width = left.shape[1]

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / width + 1) ** 3

    def within(a: Tensor) -> Tensor:
        products = kernel(a, a)
        return (products.sum() - products.diagonal().sum()) / (len(a) * (len(a) - 1))

    return float(within(left) + within(right) - 2 * kernel(left, right).mean())


class Scorer:
    """Scores translators on the same held-out pictures; what depends on those alone is computed once."""

    @torch.no_grad()
    def __init__(self, *, sources: Tensor, styles: Tensor, feature_weights: Path | None = None) -> None:
        """``sources`` and ``styles`` are N×C×H×W in [-1, 1], two at least of each."""
        self._features = style_features if feature_weights is None else ResNetFeatures(feature_weights)
        source_features, style_reference = self._features(sources), self._features(styles)
        # Feature units differ by orders of magnitude; the two real domains together set the scale.
        real = torch.cat((source_features, style_reference))
        self._mean, self._deviation = real.mean(0), real.std(0) + 5e-3
        self._style_reference = self._scaled(style_reference)
        self._kid_copy = kernel_distance(self._scaled(source_features), self._style_reference)
        self._source_content = content_features(sources)
        self._source_edges = edge_maps(sources)
        self._source_spread = max(_spread(sources), 1e-6)

    @torch.no_grad()
    def score(self, translations: Tensor) -> Scores:
        """Scores of ``translations`` of the sources, in their order (N×C×H×W in [-1, 1])."""
        kid = kernel_distance(self._scaled(self._features(translations)), self._style_reference)
        style = 0.0
        if self._kid_copy >= SMALLEST_KID:
            style = min(1.0, max(0.0, 1 - max(kid, 0.0) / self._kid_copy))
        nearest = (content_features(translations) @ self._source_content.T).argmax(1)
        retrieval = float((nearest == torch.arange(len(nearest))).float().mean())
        edges = float(_correlation(edge_maps(translations), self._source_edges).clamp_min(0).mean())
        return Scores(
            style_score=style,
            content_score=(retrieval + edges) / 2,
            kid=kid,
            kid_copy=self._kid_copy,
            retrieval=retrieval,
            edges=edges,
            variety=_spread(translations) / self._source_spread,
        )

    def _scaled(self, features: Tensor) -> Tensor:
        # Clamped, because a level that neither domain has must count as foreign, not as everything.
        return ((features - self._mean) / self._deviation).clamp(-3, 3)


def _correlation(left: Tensor, right: Tensor) -> Tensor:
    left, right = left.flatten(1), right.flatten(1)
    left, right = left - left.mean(1, keepdim=True), right - right.mean(1, keepdim=True)
    return (left * right).sum(1) / (left.norm(dim=1) * right.norm(dim=1)).clamp_min(1e-8)


def _spread(pictures: Tensor) -> float:
    return float((pictures - pictures.mean(0, keepdim=True)).abs().mean())
