"""Ready settings by name: the domains' and the budgets' presets. Imports no torch."""

from __future__ import annotations

from dataclasses import replace

from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.settings import TrainingSettings

_DRAFT = TrainingSettings(
    # A few hundred steps: small networks take more of them in the time, weak cycle and identity weights are
    # enough where the generator starts as a copy, and the discriminator sees the palette but, for the noise,
    # not the grain.
    width=24,
    blocks=3,
    discriminator_norm="none",
    judge_noise_start=0.3,
    judge_noise_end=0.2,
    learning_rate=1e-3,
    discriminator_learning_rate=3e-4,
    cycle_start=3.0,
    cycle_end=2.0,
    identity_start=0.5,
    identity_end=0.0,
    steps=700,
)
_PAINTERLY = replace(
    # For looks that are brushwork and light instead of lines and flats: here the grain is the style.
    _DRAFT,
    preset="painterly",
    adversarial="log",
    discriminator_norm="instance",
    discriminator_width=48,
    judge_noise_start=0.1,
    judge_noise_end=0.0,
    discriminator_learning_rate=5e-4,
    cycle_end=1.0,
    steps=900,
)
_STANDARD = replace(
    _DRAFT,
    preset="standard",
    width=48,
    blocks=6,
    discriminator_width=48,
    discriminator_layers=3,
    image_size=256,
    crop_size=128,
    steps=8000,
    judge_noise_start=0.2,
    judge_noise_end=0.0,
    learning_rate=3e-4,
    discriminator_learning_rate=3e-4,
    cycle_start=5.0,
    cycle_end=3.0,
    identity_start=1.0,
    identity_end=0.25,
    ema=0.999,
    previews=16,
    evaluations=12,
    checkpoint_every=200,
)
_PAPER = replace(
    _DRAFT,
    preset="paper",
    architecture="resnet",
    width=64,
    blocks=9,
    upsampling="transpose",
    discriminator_width=64,
    discriminator_layers=3,
    image_size=286,
    crop_size=256,
    discriminator_norm="instance",
    judge_noise_start=0.0,
    judge_noise_end=0.0,
    batch_size=1,
    steps=200_000,
    learning_rate=2e-4,
    discriminator_learning_rate=2e-4,
    cycle_start=10.0,
    cycle_end=10.0,
    identity_start=5.0,
    identity_end=5.0,
    pool_size=50,
    ema=0.999,
    previews=40,
    evaluations=20,
    checkpoint_every=500,
)
_TEACHING = replace(
    # Diagrams carry writing: never mirrored, edges held harder, so that labels stay legible.
    _DRAFT,
    preset="teaching",
    domain="teaching",
    mirror=False,
    cycle_start=8.0,
    cycle_end=5.0,
    identity_end=0.5,
)
_MEDICAL = replace(
    # Anatomy must not be invented: grey values at full depth, strong identity and cycle to the very end.
    _DRAFT,
    preset="medical",
    domain="medical",
    channels=1,
    bit_depth=16,
    mirror=False,
    cycle_start=10.0,
    cycle_end=10.0,
    identity_start=5.0,
    identity_end=5.0,
    min_content=0.5,
)
_ART_RESTORATION = replace(
    # Damaged → restored: what is sound stays as it is (identity), colour may be cleaned.
    _DRAFT,
    preset="art-restoration",
    domain="art-restoration",
    cycle_start=4.0,
    cycle_end=2.0,
    identity_start=3.0,
    identity_end=2.0,
)

#: Ready settings by name; start from one and ``dataclasses.replace`` what differs.
PRESETS: dict[str, TrainingSettings] = {
    settings.preset: settings
    for settings in (_DRAFT, _PAINTERLY, _STANDARD, _PAPER, _TEACHING, _MEDICAL, _ART_RESTORATION)
}


def preset(name: str) -> TrainingSettings:
    """The preset ``name``; raises ``CycleGANError('bad-settings')`` with the names there are."""
    try:
        return PRESETS[name]
    except KeyError:
        raise CycleGANError("bad-settings", f"No preset “{name}”. There are: {', '.join(PRESETS)}.") from None
