"""The translator artifact: the directory that a training run leaves behind. Imports torch only to read
weights.

``config.json`` (what the network is, what it learned with, the weights' SHA-256), ``weights.safetensors``
(the generator A→B, its moving average), ``metrics.json``, ``losses.csv``, ``samples.png``; and ``networks.safetensors``,
everything that training further needs, where the model is the one that its run ended with. Never pickle.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from styling.cyclegan.domains import DOMAINS
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor

    from styling.cyclegan.networks import Generator

#: Rises when older code could not read a newer artifact.
FORMAT = 1
#: Rises when the same weights would give other pictures.
CODE_VERSION = "1"

CONFIG, WEIGHTS, NETWORKS, METRICS, SAMPLES, LOSSES = (
    "config.json",
    "weights.safetensors",
    "networks.safetensors",
    "metrics.json",
    "samples.png",
    "losses.csv",
)
_GENERATOR_FIELDS = ("architecture", "width", "blocks", "channels", "upsampling", "color_keep")
_LARGEST_CONFIG = 1_000_000


def generator_config(settings: TrainingSettings) -> dict[str, Any]:
    """The part of ``settings`` that ``networks.build_generator`` needs."""
    return {name: getattr(settings, name) for name in _GENERATOR_FIELDS}


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``path`` so that a crash leaves the old file or the new one, never a part of either."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames in ``directory`` survive a power cut."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(
    directory: Path,
    *,
    settings: TrainingSettings,
    weights: Mapping[str, Tensor],
    metrics: Mapping[str, Any],
    losses: Sequence[Mapping[str, float]],
    samples: bytes,
    networks: Mapping[str, Tensor] | None = None,
) -> None:
    """Write the artifact into ``directory``, which may already hold a run's previews and checkpoints.

    All files are first written and synced in a temporary folder, then renamed into place, ``config.json``
    last: it carries the weights' hash, so a directory with a valid config is a whole artifact.
    ``samples`` is PNG; ``losses`` are rows with the same keys; without ``networks`` it cannot be trained further.
    """
    from safetensors.torch import save

    directory.mkdir(parents=True, exist_ok=True)
    staging = directory / ".artifact.tmp"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    encoded = {
        file: save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
        for file, tensors in ((WEIGHTS, weights), (NETWORKS, networks))
        if tensors is not None
    }
    config = {
        "format": FORMAT,
        "code_version": CODE_VERSION,
        "generator": generator_config(settings),
        "image_size": settings.image_size,
        "bit_depth": settings.bit_depth,
        "preset": settings.preset,
        "domain": DOMAINS[settings.domain].to_dict(),
        "training": settings.to_dict(),
        "weights_sha256": hashlib.sha256(encoded[WEIGHTS]).hexdigest(),
    }
    if NETWORKS in encoded:
        config["networks_sha256"] = hashlib.sha256(encoded[NETWORKS]).hexdigest()
    contents = {
        **encoded,
        METRICS: _json(metrics),
        LOSSES: _csv(losses),
        SAMPLES: samples,
        CONFIG: _json(config),
    }
    for name, content in contents.items():
        write_atomically(staging / name, content)
    for name in contents:
        (staging / name).replace(directory / name)
        sync_directory(directory)
    if NETWORKS not in encoded:
        (directory / NETWORKS).unlink(missing_ok=True)  # of an earlier run in this folder
    staging.rmdir()


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _csv(rows: Sequence[Mapping[str, float]]) -> bytes:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue().encode()


def read_config(directory: Path) -> dict[str, Any]:
    """The artifact's config, checked for format and shape.

    Raises ``CycleGANError``: ``artifact-missing``, ``artifact-invalid`` or ``artifact-newer``.
    """
    path = directory / CONFIG
    if not path.is_file():
        raise CycleGANError("artifact-missing", f"{directory} holds no trained model (no {CONFIG}). Train one first.")
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise ValueError("too large")
        config = json.loads(path.read_bytes())
        version = int(config["format"])
        # Newer formats may have renamed everything else, so this comes before any other look.
        if version > FORMAT:
            raise CycleGANError(
                "artifact-newer",
                f"{directory} needs a newer version: its format is {version}, here {FORMAT}. Upgrade first.",
            )
        TrainingSettings.from_dict({name: config["generator"][name] for name in _GENERATOR_FIELDS}).validate()
        if not 16 <= int(config["image_size"]) <= 2048 or len(str(config["weights_sha256"])) != 64:
            raise ValueError("values out of range")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CycleGANError("artifact-invalid", f"{path} is not a model's configuration. Train again.") from error
    return dict(config)


def read_metrics(directory: Path) -> dict[str, Any]:
    """The artifact's scores; empty when there are none to read."""
    try:
        metrics = json.loads((directory / METRICS).read_bytes())
    except (OSError, ValueError):
        return {}
    return metrics if isinstance(metrics, dict) else {}


def verify(directory: Path) -> dict[str, Any]:
    """Check the weights against the hash in the config, which is returned.

    Raises what ``read_config`` raises, and ``artifact-missing`` / ``artifact-tampered`` for the weights.
    """
    config = read_config(directory)
    path = directory / WEIGHTS
    if not path.is_file():
        raise CycleGANError("artifact-missing", f"{directory} has lost its {WEIGHTS}. Restore it or train again.")
    if sha256_of(path) != config["weights_sha256"]:
        raise CycleGANError(
            "artifact-tampered",
            f"{path} does not match the hash recorded at training. Restore it from a copy or train again.",
        )
    return config


def load_generator(directory: Path) -> tuple[Generator, dict[str, Any]]:
    """The verified generator (float32, CPU, eval mode) and its config.

    Raises what ``verify`` raises, and ``artifact-invalid`` where keys, shapes or values are not this
    network's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from styling.cyclegan.networks import build_generator

    config = verify(directory)
    generator = build_generator(config["generator"])
    try:
        weights = load_file(directory / WEIGHTS)
    except (SafetensorError, ValueError) as error:
        raise CycleGANError("artifact-invalid", f"{directory / WEIGHTS} cannot be read. Train again.") from error
    expected = {name: tuple(tensor.shape) for name, tensor in generator.state_dict().items()}
    if {name: tuple(tensor.shape) for name, tensor in weights.items()} != expected:
        raise CycleGANError("artifact-invalid", f"The weights in {directory} are of another network. Train again.")
    if not all(math.isfinite(tensor.abs().max().item()) for tensor in weights.values()):
        raise CycleGANError("artifact-invalid", f"The weights in {directory} are not finite. Train again.")
    generator.load_state_dict(weights)
    return generator.eval().requires_grad_(False), config


def check_can_go_on(directory: Path) -> TrainingSettings:
    """The settings that the model was trained with, if it can be trained further. Reads no weights.

    Raises what ``read_config`` raises, and ``start-missing`` where only the translator was kept.
    """
    config = read_config(directory)
    if "networks_sha256" not in config or not (directory / NETWORKS).is_file():
        raise CycleGANError(
            "start-missing",
            f"{directory} keeps the translator alone, so it cannot be trained further. Train a new one.",
        )
    return TrainingSettings.from_dict(config["training"])


def read_networks(directory: Path) -> tuple[dict[str, Tensor], TrainingSettings]:
    """Every network that the model's run ended with, verified, and the settings of that run.

    Raises what ``check_can_go_on`` raises, ``artifact-tampered``, and ``artifact-invalid`` for unreadable weights.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    settings = check_can_go_on(directory)
    path = directory / NETWORKS
    if sha256_of(path) != read_config(directory)["networks_sha256"]:
        raise CycleGANError(
            "artifact-tampered",
            f"{path} does not match the hash recorded at training. Restore it from a copy or train again.",
        )
    try:
        return load_file(path), settings
    except (SafetensorError, ValueError) as error:
        raise CycleGANError("artifact-invalid", f"{path} cannot be read. Train again.") from error
