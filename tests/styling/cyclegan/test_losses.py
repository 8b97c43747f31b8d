"""Losses with known values, and objectives that touch only what is theirs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from styling.cyclegan.losses import (
    ContrastObjective,
    CycleObjective,
    JudgingObjective,
    adversarial_loss,
    patch_contrast,
    seen_by_judges,
)
from styling.cyclegan.networks import Discriminator, Generator
from styling.cyclegan.settings import TrainingSettings

Toy = Callable[..., TrainingSettings]
#: No noise before either judge.
SILENCE = [torch.zeros(()), torch.zeros(())]


def test_least_squares_and_log_losses_of_known_logits() -> None:
    logits = torch.tensor([0.0, 1.0])

    assert adversarial_loss(logits, real=True, kind="lsgan").item() == pytest.approx(0.5)
    assert adversarial_loss(logits, real=False, kind="lsgan").item() == pytest.approx(0.5)
    assert adversarial_loss(torch.zeros(3), real=True, kind="log").item() == pytest.approx(math.log(2))


def test_patches_that_find_their_place_cost_nothing_and_others_much() -> None:
    patches = F.normalize(torch.eye(6), dim=1).unsqueeze(0)

    assert patch_contrast(patches, patches).item() < 1e-4
    assert patch_contrast(patches.roll(1, dims=1), patches).item() > 10


class _Copy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


def test_a_pair_of_copiers_has_no_cycle_and_no_identity_loss(toy: Toy) -> None:
    judges = [Discriminator(width=4, layers=1) for _ in range(2)]
    objective = CycleObjective(_Copy(), _Copy(), judges, toy())  # type: ignore[arg-type]
    real_a, real_b = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)

    total, (adversarial, cycle, identity), (fake_b, fake_a) = objective(
        real_a, real_b, torch.tensor([5.0, 1.0]), [], SILENCE
    )

    assert cycle == identity == 0
    torch.testing.assert_close(total, adversarial)
    torch.testing.assert_close(fake_b, real_a)
    torch.testing.assert_close(fake_a, real_b)


def test_weights_count_for_cycle_and_identity(toy: Toy) -> None:
    networks = [Generator(width=4, blocks=1) for _ in range(2)]
    judges = [Discriminator(width=4, layers=1) for _ in range(2)]
    objective = CycleObjective(*networks, judges, toy())
    pictures = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)

    total, (adversarial, cycle, identity), _ = objective(*pictures, torch.tensor([5.0, 2.0]), [], SILENCE)

    torch.testing.assert_close(total.detach(), adversarial + 5 * cycle + 2 * identity)


def test_the_generators_objective_owns_no_discriminator_weight(toy: Toy) -> None:
    generator, judges = Generator(width=4, blocks=1), [Discriminator(width=4, layers=1)]
    objective = ContrastObjective(generator, judges, toy(algorithm="cut"))

    owned = {id(parameter) for parameter in objective.parameters()}

    assert owned.isdisjoint(id(parameter) for parameter in judges[0].parameters())
    assert {id(parameter) for parameter in generator.parameters()} <= owned


def test_one_batched_judgement_equals_two(toy: Toy) -> None:
    judge = Discriminator(width=4, layers=2)
    real, fake = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)

    together = JudgingObjective([judge], toy(adversarial="lsgan"))([real], [fake], [torch.zeros(2, 3, 16, 16)])

    apart = 0.5 * (judge(real) - 1).square().mean() + 0.5 * judge(fake).square().mean()
    torch.testing.assert_close(together, apart)


def test_with_colour_kept_the_judges_see_grey() -> None:
    seen = seen_by_judges(torch.rand(1, 3, 4, 4), torch.zeros(()), color_keep=1.0)

    torch.testing.assert_close(seen[:, 0], seen[:, 2])


def test_judges_see_real_and_fake_under_the_given_noise(toy: Toy) -> None:
    judge, noise = Discriminator(width=4, layers=1), torch.randn(2, 3, 16, 16)
    real, fake = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    judging = JudgingObjective([judge], toy())

    noisy = judging([real], [fake], [noise])

    torch.testing.assert_close(noisy, judging([real + noise], [fake + noise], [torch.zeros(2, 3, 16, 16)]))
