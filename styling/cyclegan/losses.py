"""The losses, and the two objectives that the trainer minimises in turn.

Each objective is one module with one forward pass, so that it is also the unit that is compiled and that
DistributedDataParallel wraps.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from styling.cyclegan.networks import Discriminator, Generator, luma
from styling.cyclegan.settings import TrainingSettings

#: Softmax temperature of the patch contrast (Park et al. 2020).
TEMPERATURE = 0.07
#: Patches per picture and feature map that are contrasted.
PATCHES = 128


def adversarial_loss(logits: Tensor, *, real: bool, kind: str) -> Tensor:
    """Mean loss of ``logits`` that should say ``real``: squares (Mao et al. 2017) or logs (Goodfellow
    2014).
    """
    logits = logits.float()
    target = torch.ones_like(logits) if real else torch.zeros_like(logits)
    if kind == "lsgan":
        return F.mse_loss(logits, target)
    return F.binary_cross_entropy_with_logits(logits, target)


def patch_contrast(queries: Tensor, keys: Tensor) -> Tensor:
    """PatchNCE (Park et al. 2020): each query (N×P×D, unit length) must find the key of its own place."""
    logits = torch.bmm(queries.float(), keys.detach().float().transpose(1, 2)) / TEMPERATURE
    places = torch.arange(logits.shape[1], device=logits.device).expand(logits.shape[0], -1)
    return F.cross_entropy(logits.flatten(0, 1), places.flatten())


def seen_by_judges(x: Tensor, noise: Tensor, *, color_keep: float) -> Tensor:
    """What a discriminator may see of ``x``: under noise, and where colour is kept, with so much less of it.

    The noise (Sønderby et al. 2017) keeps it from judging by the finest grain, where it would always win and
    the generator would learn nothing. Colour that cannot change must not be judged.
    """
    if color_keep > 0:
        x = torch.lerp(x, luma(x).expand_as(x), color_keep)
    return x + noise


class CycleObjective(nn.Module):
    """The generators' side of CycleGAN (Zhu et al. 2017): adversarial, cycle and identity losses, both ways.

    Translations that need the same generator and are known at the same time share one batched pass.
    """

    def __init__(
        self, forward_: Generator, backward_: Generator, judges: Sequence[Discriminator], settings: TrainingSettings
    ) -> None:
        super().__init__()
        self.generator = forward_
        self.backward_generator = backward_
        self._judges = tuple(judges)  # a tuple, so that their weights are not ours
        self._settings = settings

    def forward(
        self, real_a: Tensor, real_b: Tensor, weights: Tensor, places: Sequence[Tensor], noise: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Total loss, the parts (adversarial, cycle, identity) and the fakes (B, A), detached.

        ``weights`` is [cycle, identity]; ``places`` belongs to the contrastive objective; ``noise`` is what
        the judges of B and A see their pictures under.
        """
        settings = self._settings
        count = len(real_a)
        if max(settings.identity_start, settings.identity_end) > 0:
            fake_b, same_b = self.generator(torch.cat((real_a, real_b))).split(count)
            fake_a, same_a = self.backward_generator(torch.cat((real_b, real_a))).split(count)
            identity = F.l1_loss(same_a, real_a) + F.l1_loss(same_b, real_b)
        else:
            fake_b, fake_a = self.generator(real_a), self.backward_generator(real_b)
            identity = real_a.new_zeros(())
        back_a, back_b = self.backward_generator(fake_b), self.generator(fake_a)
        cycle = F.l1_loss(back_a, real_a) + F.l1_loss(back_b, real_b)
        adversarial = torch.stack(
            [
                adversarial_loss(
                    judge(seen_by_judges(fake, grain, color_keep=settings.color_keep)),
                    real=True,
                    kind=settings.adversarial,
                )
                for judge, fake, grain in zip(self._judges, (fake_b, fake_a), noise, strict=True)
            ]
        ).sum()
        total = adversarial + weights[0] * cycle + weights[1] * identity
        return total, torch.stack((adversarial, cycle, identity)).detach(), (fake_b.detach(), fake_a.detach())


class ContrastObjective(nn.Module):
    """The generator's side of CUT and FastCUT (Park et al. 2020): one-sided, half the networks.

    A patch of the translation must resemble the source's patch at its place more than the source's other
    patches.
    """

    WIDTH = 128

    def __init__(self, generator: Generator, judges: Sequence[Discriminator], settings: TrainingSettings) -> None:
        super().__init__()
        self.generator = generator
        self.projections = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, self.WIDTH), nn.ReLU(), nn.Linear(self.WIDTH, self.WIDTH))
            for channels in generator.feature_channels
        )
        for module in self.projections.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0.0, 0.02)
                nn.init.zeros_(module.bias)
        self._judges = tuple(judges)
        self._settings = settings

    def forward(
        self, real_a: Tensor, real_b: Tensor, weights: Tensor, places: Sequence[Tensor], noise: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Total loss, the parts (adversarial, contrast) and the fake (B), detached.

        ``places`` holds for each feature map the flat positions to contrast; ``weights`` belongs to CycleGAN;
        ``noise`` is what the judge sees its pictures under.
        """
        settings = self._settings
        one_sided = settings.algorithm == "fastcut"
        reals = real_a if one_sided else torch.cat((real_a, real_b))
        fakes, keys = self.generator.translate(reals)
        queries = self.generator.features(fakes)
        # CUT's two contrasts (translation and identity) weigh the same, so one batch holds both.
        contrast = torch.stack(
            [
                patch_contrast(self._project(query, index, place), self._project(key, index, place))
                for index, (query, key, place) in enumerate(zip(queries, keys, places, strict=True))
            ]
        ).mean()
        fake_b = fakes[: len(real_a)]
        adversarial = adversarial_loss(
            self._judges[0](seen_by_judges(fake_b, noise[0], color_keep=settings.color_keep)),
            real=True,
            kind=settings.adversarial,
        )
        total = adversarial + settings.contrast * (10.0 if one_sided else 1.0) * contrast
        return total, torch.stack((adversarial, contrast)).detach(), (fake_b.detach(),)

    def _project(self, features: Tensor, index: int, places: Tensor) -> Tensor:
        patches = features.flatten(2)[:, :, places].transpose(1, 2)
        return F.normalize(self.projections[index](patches).float(), dim=-1)


class JudgingObjective(nn.Module):
    """The discriminators' side: real from fake, told apart in one batched pass."""

    def __init__(self, judges: Sequence[Discriminator], settings: TrainingSettings) -> None:
        super().__init__()
        self.judges = nn.ModuleList(judges)
        self._settings = settings

    def forward(self, reals: Sequence[Tensor], fakes: Sequence[Tensor], noise: Sequence[Tensor]) -> Tensor:
        """Summed loss of all discriminators; ``reals``, ``fakes`` and ``noise`` in their order."""
        settings = self._settings
        losses = []
        for judge, real, fake, grain in zip(self.judges, reals, fakes, noise, strict=True):
            seen = seen_by_judges(torch.cat((real, fake)), torch.cat((grain, grain)), color_keep=settings.color_keep)
            real_logits, fake_logits = judge(seen).split(len(real))
            losses.append(
                0.5
                * (
                    adversarial_loss(real_logits, real=True, kind=settings.adversarial)
                    + adversarial_loss(fake_logits, real=False, kind=settings.adversarial)
                )
            )
        return torch.stack(losses).sum()


def part_names(settings: TrainingSettings) -> tuple[str, ...]:
    """Names of the parts that the generators' objective returns."""
    if settings.algorithm == "cyclegan":
        return ("adversarial", "cycle", "identity")
    return ("adversarial", "contrast")
