"""Scores tell untrained, copied, trained and collapsed apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from styling.cyclegan.scoring import Scorer, kernel_distance
from tests.styling.cyclegan.conftest import darkened, shapes


def _tensor(pictures: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.fixture(scope="module")
def drawings() -> tuple[Tensor, Tensor, Scorer]:
    sources = shapes(16, seed=1)
    translated = _tensor([darkened(picture) for picture in sources])
    scorer = Scorer(sources=_tensor(sources), styles=_tensor([darkened(p) for p in shapes(16, seed=2)]))
    return _tensor(sources), translated, scorer


def test_a_copy_has_content_and_no_style(drawings: tuple[Tensor, Tensor, Scorer]) -> None:
    sources, _, scorer = drawings

    scores = scorer.score(sources)

    assert scores.style_score == 0
    assert scores.content_score == pytest.approx(1, abs=1e-4)
    assert scores.quality == 0


def test_the_true_translation_has_both(drawings: tuple[Tensor, Tensor, Scorer]) -> None:
    _, translated, scorer = drawings

    scores = scorer.score(translated)

    assert scores.style_score > 0.9
    assert scores.content_score > 0.9


def test_one_picture_for_all_is_a_collapse(drawings: tuple[Tensor, Tensor, Scorer]) -> None:
    _, translated, scorer = drawings

    scores = scorer.score(translated[:1].expand_as(translated))

    assert scores.variety == 0
    assert scores.retrieval <= 1 / 16
    assert scores.content_score < 0.3


def test_other_pictures_in_the_style_have_style_and_no_content(drawings: tuple[Tensor, Tensor, Scorer]) -> None:
    _, translated, scorer = drawings

    scores = scorer.score(translated.roll(1, 0))

    assert scores.style_score > 0.9
    assert scores.retrieval == 0


def test_half_of_the_way_scores_between(drawings: tuple[Tensor, Tensor, Scorer]) -> None:
    sources, translated, scorer = drawings

    assert 0.05 < scorer.score((sources + translated) / 2).style_score < 0.95


def test_domains_that_look_alike_give_no_style_score() -> None:
    drawn = _tensor(shapes(16, seed=3))

    assert Scorer(sources=drawn, styles=drawn).score(drawn).style_score == 0


def test_kernel_distance_is_about_zero_within_a_distribution_and_grows_with_the_shift() -> None:
    draw = torch.Generator().manual_seed(0)
    one, other = (torch.randn(400, 4, generator=draw) for _ in range(2))

    assert abs(kernel_distance(one, other)) < 0.1
    assert 0.5 < kernel_distance(one, other + 1) < kernel_distance(one, other + 2)
