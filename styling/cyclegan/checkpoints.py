"""Checkpoints that survive a kill at any moment: written whole or not at all, hashed, the newest two kept.

Each is a pair ``step-N.safetensors`` (every tensor) and ``step-N.json`` (everything else, and the tensors'
SHA-256). The JSON is written last: without it, or with a hash that differs, the pair does not exist and the
one before serves.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from styling.cyclegan.artifact import sha256_of, write_atomically

logger = logging.getLogger(__name__)

FOLDER = "checkpoints"
KEPT = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run's whole state at the end of a step."""

    tensors: dict[str, Tensor]
    record: dict[str, Any]


def write(out: Path, name: str, tensors: dict[str, Tensor], record: dict[str, Any]) -> None:
    """Write checkpoint ``name`` (``step-…`` or ``best``) of the run in ``out``; the newest two steps stay."""
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{name}.safetensors"
    write_atomically(weights, save({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}))
    described = {**record, "sha256": sha256_of(weights)}
    write_atomically(folder / f"{name}.json", json.dumps(described, allow_nan=False).encode())
    for stale in sorted(folder.glob("step-*.json"))[:-KEPT]:
        stale.unlink()
    named = {path.stem for path in folder.glob("*.json")} | {name}
    for orphan in folder.glob("*.safetensors"):
        if orphan.stem not in named:
            orphan.unlink()


def read(out: Path, name: str) -> Checkpoint | None:
    """Checkpoint ``name``, or ``None`` where it is missing, torn or altered."""
    folder = out / FOLDER
    try:
        record = json.loads((folder / f"{name}.json").read_bytes())
        weights = folder / f"{name}.safetensors"
        if sha256_of(weights) != record["sha256"]:
            logger.warning("Checkpoint %s does not match its hash and is passed over.", weights)
            return None
        return Checkpoint(load_file(weights), record)
    except (OSError, ValueError, KeyError, SafetensorError):
        return None


def read_latest(out: Path) -> Checkpoint | None:
    """The newest whole checkpoint of the run in ``out``."""
    for path in sorted((out / FOLDER).glob("step-*.json"), reverse=True):
        checkpoint = read(out, path.stem)
        if checkpoint is not None:
            return checkpoint
    return None


def clear(out: Path) -> None:
    """Forget the checkpoints of an earlier run in ``out``."""
    for path in (out / FOLDER).glob("*"):
        path.unlink()


def step_name(step: int) -> str:
    """Name of the checkpoint after ``step``, in an order that sorts as text."""
    return f"step-{step:08d}"
