"""The artifact: whole, hashed, and refused when it is not what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from styling.cyclegan import artifact
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import build_generator
from styling.cyclegan.settings import TrainingSettings

Toy = Callable[..., TrainingSettings]


@pytest.fixture
def written(tmp_path: Path, toy: Toy) -> Path:
    settings = toy(domain="medical", channels=1, bit_depth=16)
    generator = build_generator(artifact.generator_config(settings))
    artifact.write(
        tmp_path / "model",
        settings=settings,
        weights=generator.state_dict(),
        metrics={"style_score": 0.5},
        losses=[{"step": 1, "cycle": 0.5}, {"step": 2, "cycle": 0.25}],
        samples=b"png",
    )
    return tmp_path / "model"


def _replace(directory: Path, weights: dict[str, torch.Tensor]) -> None:
    """Other weights, with the hash put right: what is left to notice is what is in them."""
    encoded = save(weights)
    (directory / artifact.WEIGHTS).write_bytes(encoded)
    config = json.loads((directory / artifact.CONFIG).read_text())
    config["weights_sha256"] = artifact.sha256_of(directory / artifact.WEIGHTS)
    (directory / artifact.CONFIG).write_text(json.dumps(config))


def test_what_was_written_is_read(written: Path) -> None:
    generator, config = artifact.load_generator(written)

    assert generator(torch.zeros(1, 1, 16, 16)).shape == (1, 1, 16, 16)
    assert not generator.training
    assert config["bit_depth"] == 16
    assert artifact.read_metrics(written) == {"style_score": 0.5}
    assert (written / "losses.csv").read_text() == "step,cycle\n1,0.5\n2,0.25\n"
    assert sorted(path.name for path in written.iterdir()) == sorted(
        ["config.json", "weights.safetensors", "metrics.json", "losses.csv", "samples.png"]
    )


def test_the_domains_rules_travel_with_the_model(written: Path) -> None:
    domain = artifact.read_config(written)["domain"]

    assert domain["never_auto_publish"] is True
    assert "Not for diagnosis" in domain["notice"]


def test_altered_weights_are_refused(written: Path) -> None:
    weights = written / artifact.WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)

    with pytest.raises(CycleGANError, match="hash") as caught:
        artifact.load_generator(written)

    assert caught.value.code == "artifact-tampered"


def test_a_newer_format_asks_for_an_upgrade_before_anything_else(written: Path) -> None:
    (written / artifact.CONFIG).write_text(json.dumps({"format": artifact.FORMAT + 1, "renamed": {}}))

    with pytest.raises(CycleGANError, match="Upgrade") as caught:
        artifact.read_config(written)

    assert caught.value.code == "artifact-newer"


@pytest.mark.parametrize("missing", [artifact.CONFIG, artifact.WEIGHTS])
def test_a_missing_part_is_named(written: Path, missing: str) -> None:
    (written / missing).unlink()

    with pytest.raises(CycleGANError, match=missing) as caught:
        artifact.verify(written)

    assert caught.value.code == "artifact-missing"


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"format": 1}', '{"format": "x"}', "[" * 100_000, "\x00", '{"format": 1, "generator": {}}'],
)
def test_a_config_that_is_none_is_refused(written: Path, content: str) -> None:
    (written / artifact.CONFIG).write_text(content)

    with pytest.raises(CycleGANError) as caught:
        artifact.read_config(written)

    assert caught.value.code == "artifact-invalid"


def test_a_config_cannot_ask_for_a_giant_network(written: Path) -> None:
    config = json.loads((written / artifact.CONFIG).read_text())
    config["generator"]["width"] = 10**9
    (written / artifact.CONFIG).write_text(json.dumps(config))

    with pytest.raises(CycleGANError) as caught:
        artifact.load_generator(written)

    assert caught.value.code in {"artifact-invalid", "bad-settings"}


def test_weights_of_another_network_are_refused(written: Path) -> None:
    _replace(written, {"stem": torch.zeros(3)})

    with pytest.raises(CycleGANError, match="another network"):
        artifact.load_generator(written)


def test_weights_that_are_not_finite_are_refused(written: Path) -> None:
    generator, _ = artifact.load_generator(written)
    weights = generator.state_dict()
    next(iter(weights.values())).flatten()[0] = float("nan")
    _replace(written, weights)

    with pytest.raises(CycleGANError, match="not finite"):
        artifact.load_generator(written)


def test_writing_again_replaces_the_whole(written: Path, toy: Toy) -> None:
    settings = toy(width=4)

    artifact.write(
        written,
        settings=settings,
        weights=build_generator(artifact.generator_config(settings)).state_dict(),
        metrics={},
        losses=[],
        samples=b"",
    )

    assert artifact.load_generator(written)[1]["generator"]["width"] == 4
