"""Settings are checked at the door, travel as JSON, and need no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.presets import PRESETS, preset
from styling.cyclegan.settings import TrainingSettings


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid_and_survives_json(name: str) -> None:
    settings = preset(name).validate()

    assert TrainingSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert settings.preset == name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("algorithm", "pix2pix"),
        ("crop_size", 30),
        ("image_size", 32),
        ("batch_size", 0),
        ("learning_rate", float("nan")),
        ("steps", 0),
        ("minutes", -1.0),
        ("ema", 1.0),
        ("held_out", 0.9),
        ("bit_depth", 16),
        ("min_pictures", 1),
        ("color_keep", 1.5),
    ],
)
def test_a_setting_out_of_range_is_named(field: str, value: object) -> None:
    with pytest.raises(CycleGANError, match=field) as caught:
        replace(preset("draft"), **{field: value}).validate()  # type: ignore[arg-type]

    assert caught.value.code == "bad-settings"


def test_a_run_needs_an_end() -> None:
    with pytest.raises(CycleGANError, match="steps"):
        replace(preset("draft"), steps=None).validate()


def test_unknown_names_say_what_there_is() -> None:
    with pytest.raises(CycleGANError, match="draft, painterly, standard, paper"):
        preset("fast")
    with pytest.raises(CycleGANError, match="colour"):
        TrainingSettings.from_dict({"colour": 1})


def test_a_given_budget_replaces_the_presets() -> None:
    assert preset("draft").within(minutes=2).steps is None
    assert preset("draft").within(steps=7) == replace(preset("draft"), steps=7, minutes=None)
    assert preset("draft").within() == preset("draft")


def test_settings_and_artifacts_are_read_without_torch() -> None:
    program = (
        "import sys, styling.cyclegan.presets, styling.cyclegan.artifact, styling.cyclegan.domains\n"
        "sys.exit('torch' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
