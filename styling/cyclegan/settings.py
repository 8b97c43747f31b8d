"""The settings of one training run. Imports no torch, so that web processes can read and show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args, get_type_hints

from styling.cyclegan.errors import CycleGANError

Algorithm = Literal["cyclegan", "cut", "fastcut"]
Adversarial = Literal["lsgan", "log"]
Architecture = Literal["residual", "resnet"]
Upsampling = Literal["resize", "transpose"]
DiscriminatorNorm = Literal["instance", "none"]
Precision = Literal["auto", "float32", "bfloat16"]
CompileChoice = Literal["auto", "always", "never"]
Domain = Literal["shop", "teaching", "medical", "art-restoration"]


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Everything that decides what a run learns. Stored whole in the job, the checkpoint and the artifact."""

    #: Name of the preset these settings came from (a label; nothing is looked up by it).
    preset: str = "draft"
    #: What the pictures are; carries the rules of that domain (see ``styling.cyclegan.domains``).
    domain: Domain = "shop"
    #: ``cyclegan`` (two-sided, Zhu et al. 2017) or one-sided contrastive ``cut`` / ``fastcut`` (Park et al.
    #: 2020).
    algorithm: Algorithm = "cyclegan"
    #: Adversarial loss: least squares, or the log loss of the original GAN.
    adversarial: Adversarial = "lsgan"

    #: Generator: ``residual`` adds what it learns to its input (learns fast), ``resnet`` is the paper's.
    architecture: Architecture = "residual"
    #: Filters of the generator's first layer; doubled at each of the two halvings.
    width: int = 32
    #: Residual blocks at a quarter of the resolution.
    blocks: int = 4
    #: ``resize`` (nearest + convolution, no checkerboards) or the paper's ``transpose`` convolution.
    upsampling: Upsampling = "resize"
    #: Filters of the discriminator's first layer.
    discriminator_width: int = 32
    #: Strided layers of the PatchGAN: 3 sees 70 px patches as in the paper, 2 sees 34 px.
    discriminator_layers: int = 2
    #: ``instance`` as in the paper, or ``none``: the norm hides a crop's palette and contrast from it.
    discriminator_norm: DiscriminatorNorm = "instance"

    #: Pictures are scaled so that their shorter side has this many pixels.
    image_size: int = 128
    #: Side of the random square crop that one step sees; a multiple of 4.
    crop_size: int = 64
    #: Crops may be mirrored. Off where left and right mean something (text, anatomy).
    mirror: bool = True
    #: Colour channels: 3, or 1 for grey pictures.
    channels: int = 3
    #: Bits per channel that are read and written: 8, or 16 for grey pictures.
    bit_depth: int = 8

    #: Pictures per step, over all devices together.
    batch_size: int = 4
    #: Step budget; ``None`` leaves the end to ``minutes``. With both, whichever is reached first.
    steps: int | None = 900
    #: Wall-clock budget in minutes; ``None`` leaves the end to ``steps``.
    minutes: float | None = None
    #: Learning rate of the generators' Adam.
    learning_rate: float = 5e-4
    #: Learning rate of the discriminators' Adam.
    discriminator_learning_rate: float = 5e-4
    #: Share of the run after which both learning rates fall linearly to zero.
    decay_from: float = 0.5
    #: Adam's first momentum.
    beta1: float = 0.5

    #: Weight of the cycle loss at the start of the run.
    cycle_start: float = 5.0
    #: Weight of the cycle loss once annealed.
    cycle_end: float = 3.0
    #: Weight of the identity loss at the start of the run (absolute, not a multiple of the cycle weight).
    identity_start: float = 1.0
    #: Weight of the identity loss once annealed.
    identity_end: float = 0.25
    #: Share of the run over which both weights go from start to end.
    anneal_until: float = 0.5
    #: Weight of the patch-contrastive loss (``cut``; ``fastcut`` takes it ten times, as in the paper).
    contrast: float = 1.0

    #: Standard deviation of the noise under which discriminators see pictures, at the start of the run.
    judge_noise_start: float = 0.0
    #: The same once annealed. Noise helps where a look has fine grain that gives every fake away (halftone,
    #: hatching).
    judge_noise_end: float = 0.0

    #: Earlier fakes kept for the discriminators (Shrivastava et al. 2017); 0 shows them only the newest.
    pool_size: int = 48
    #: Decay of the generators' moving average, which is what the artifact holds; 0 keeps the raw weights.
    ema: float = 0.99
    #: 0 translates colour freely, 1 translates luma alone and keeps the source's chroma.
    color_keep: float = 0.0
    #: Everything random follows from this and the step's number.
    seed: int = 0

    #: Fewest pictures that a domain must have.
    min_pictures: int = 8
    #: Most pictures of a domain that are decoded and kept in memory (a seeded sample of the rest).
    max_pictures: int = 1500
    #: Share of each domain held out for scores and samples (at least 2, at most 64 pictures).
    held_out: float = 0.15
    #: Sample grids drawn over the run.
    previews: int = 8
    #: Held-out evaluations over the run, the last one at its end.
    evaluations: int = 4
    #: Steps between checkpoints.
    checkpoint_every: int = 100
    #: Held-out content score below which a run counts as collapsed.
    min_content: float = 0.3
    #: File with torchvision's ResNet-18 weights to score with; empty for the feature bank in the code.
    feature_weights: str = ""

    #: Arithmetic: ``auto`` takes bfloat16 where the device has it.
    precision: Precision = "auto"
    #: torch.compile: ``auto`` compiles when the step budget is large enough to earn it back.
    compile: CompileChoice = "auto"

    def validate(self) -> Self:
        """Return ``self``, or raise ``CycleGANError('bad-settings')`` that names the first field at fault."""
        hints = get_type_hints(type(self))
        for field in fields(self):
            choices = get_args(hints[field.name])
            if choices and all(isinstance(choice, str) for choice in choices):
                _require(getattr(self, field.name) in choices, field.name, f"be one of {', '.join(choices)}")
        _require(self.steps is not None or self.minutes is not None, "steps", "be given when minutes is not")
        _require(self.steps is None or self.steps >= 1, "steps", "be at least 1")
        _require(
            self.minutes is None or 0 < self.minutes <= 60 * 24 * 14,
            "minutes",
            "be positive, two weeks at most",
        )
        for name in ("width", "discriminator_width"):
            _require(1 <= getattr(self, name) <= 256, name, "be between 1 and 256")
        _require(1 <= self.blocks <= 24, "blocks", "be between 1 and 24")
        _require(1 <= self.discriminator_layers <= 5, "discriminator_layers", "be between 1 and 5")
        _require(
            self.crop_size % 4 == 0 and 16 <= self.crop_size <= 1024,
            "crop_size",
            "be a multiple of 4, 16 to 1024",
        )
        _require(
            self.crop_size >= 2 ** (self.discriminator_layers + 2),
            "discriminator_layers",
            "be fewer for crops this small",
        )
        _require(self.crop_size <= self.image_size <= 2048, "image_size", "be between crop_size and 2048")
        _require(
            (self.channels, self.bit_depth) in {(3, 8), (1, 8), (1, 16)},
            "bit_depth",
            "be 8, or 16 with 1 channel",
        )
        _require(self.color_keep == 0 or self.channels == 3, "color_keep", "be 0 for grey pictures")
        _require(1 <= self.batch_size <= 256, "batch_size", "be between 1 and 256")
        for name in ("learning_rate", "discriminator_learning_rate"):
            _require(0 < getattr(self, name) <= 0.1, name, "be positive, 0.1 at most")
        for name in ("decay_from", "anneal_until", "color_keep", "min_content"):
            _require(0 <= getattr(self, name) <= 1, name, "be between 0 and 1")
        for name in ("ema", "beta1"):
            _require(0 <= getattr(self, name) < 1, name, "be at least 0 and below 1")
        for name in (
            "cycle_start",
            "cycle_end",
            "identity_start",
            "identity_end",
            "contrast",
            "judge_noise_start",
            "judge_noise_end",
        ):
            _require(0 <= getattr(self, name) <= 1000, name, "be between 0 and 1000")
        _require(0 < self.held_out <= 0.5, "held_out", "be above 0, 0.5 at most")
        _require(self.min_pictures >= 2, "min_pictures", "be at least 2")
        _require(self.max_pictures >= self.min_pictures, "max_pictures", "be at least min_pictures")
        _require(0 <= self.pool_size <= 1000, "pool_size", "be between 0 and 1000")
        for name in ("previews", "evaluations"):
            _require(1 <= getattr(self, name) <= 1000, name, "be between 1 and 1000")
        _require(self.checkpoint_every >= 1, "checkpoint_every", "be at least 1")
        return self

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict; ``from_dict`` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings from ``to_dict``'s output; missing fields take their defaults, unknown ones raise."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise CycleGANError("bad-settings", f"Unknown training settings: {', '.join(unknown)}. Remove them.")
        return cls(**values)

    def within(self, *, minutes: float | None = None, steps: int | None = None) -> Self:
        """These settings under another budget: the one given replaces both of the preset's."""
        if minutes is None and steps is None:
            return self
        return replace(self, minutes=minutes, steps=steps)

    def going_on(self) -> Self:
        """These settings for a run that goes on from a trained model.

        Cycle and identity stay where they were annealed to, and other crops are drawn. The noise is annealed once more,
        since the optimisers begin afresh (docs/training.md says what was measured, and how little that proves).
        """
        return replace(
            self,
            cycle_start=self.cycle_end,
            identity_start=self.identity_end,
            seed=self.seed + 1,
        )


def _require(holds: bool, field: str, what: str) -> None:
    if not holds:
        raise CycleGANError("bad-settings", f"The training setting “{field}” must {what}.")
