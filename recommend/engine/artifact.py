"""The recommender on disk: ``config.json`` (settings, hashes), ``metrics.json``, a ``.npy`` per array. Never pickle.

Every web worker maps the same files into memory, so a worker costs pages, not copies. The directory is written under
another name, flushed, then renamed: readers find the old one or the new one, whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommend.engine.errors import EngineError
from recommend.engine.neighbours import Neighbours
from recommend.engine.parts import Moments, Parts
from recommend.engine.settings import RecommenderSettings
from recommend.engine.svd import ItemFactors

FORMAT = 1


def write(
    directory: Path,
    *,
    arrays: Mapping[str, NDArray[Any]],
    config: Mapping[str, object],
    metrics: Mapping[str, object],
) -> None:
    """Write an artifact to a directory that does not exist yet, or replace the one there."""
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        hashes = {}
        for name, array in arrays.items():
            path = staging / f"{name}.npy"
            with path.open("wb") as file:
                np.save(file, np.ascontiguousarray(array), allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            hashes[path.name] = _sha256(path)
        (staging / "metrics.json").write_text(json.dumps(metrics, indent=2, sort_keys=True), encoding="utf-8")
        hashes["metrics.json"] = _sha256(staging / "metrics.json")
        body = {"format": FORMAT, **config, "sha256": hashes}
        (staging / "config.json").write_text(json.dumps(body, indent=2, sort_keys=True), encoding="utf-8")
        staging.chmod(0o755)
        if directory.exists():
            retired = Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.parent))
            directory.replace(retired / "was")
            staging.replace(directory)
            shutil.rmtree(retired)
        else:
            staging.replace(directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def read(
    directory: Path, *, mapped: bool = True, verify: bool = True
) -> tuple[dict[str, NDArray[Any]], dict[str, Any], dict[str, Any]]:
    """Read (arrays, config, metrics) and check every hash; ``verify=False`` for a file that was checked before.

    Raises ``artifact-missing`` where there is none, ``artifact-newer`` for a format of later versions, and
    ``artifact-corrupt`` for anything else that is not what was written.
    """
    directory = Path(directory)
    if not (directory / "config.json").is_file():
        raise EngineError("artifact-missing", f"There is no recommender in {directory}.")
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        if config["format"] > FORMAT:
            raise EngineError(
                "artifact-newer", f"{directory} has format {config['format']}, here {FORMAT}. Upgrade first."
            )
        if config["format"] != FORMAT:
            raise EngineError("artifact-corrupt", f"{directory} has format {config['format']}, not {FORMAT}.")
        arrays = {}
        for name, expected in config["sha256"].items():
            path = directory / Path(name).name
            if verify and _sha256(path) != expected:
                raise EngineError("artifact-corrupt", f"{path} is not the file that was written.")
            if path.suffix == ".npy":
                loaded = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
                # A plain view of a memory map: every slice of np.memmap itself pays for its subclass.
                arrays[path.stem] = np.asarray(loaded)
        metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RecursionError) as error:
        raise EngineError("artifact-corrupt", f"{directory} cannot be read: {error}") from error
    return arrays, config, metrics


def parts_of(arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any]) -> Parts:
    """The parts as views into the arrays: product factors, biases and style are columns of the one matrix."""
    factors = int(config["factors"])
    matrix = np.asarray(arrays["item_matrix"])
    if matrix.ndim != 2 or matrix.shape[1] < factors + 2 or len(matrix) != len(arrays["item_ids"]):
        raise ValueError("the product matrix has the wrong shape")
    neighbours = {
        name: Neighbours(*(np.asarray(arrays[f"{name}_{array}"]) for array in ("indptr", "indices", "values")))
        for name in ("item_item", "transition")
    }
    return Parts(
        # Written before seen products counted: what was fitted without them is served without them.
        settings=RecommenderSettings.from_dict({"seen_strength": 0.0, **config["settings"]}),
        factors=ItemFactors(matrix[:, :factors], matrix[:, factors]),
        style=matrix[:, factors + 2 :],
        item_item=neighbours["item_item"],
        transition=neighbours["transition"],
        recent=np.asarray(arrays["recent"]),
        popularity=np.asarray(arrays["popularity"]),
        people=np.asarray(arrays["people"]),
        moments=Moments(*(np.array(arrays[field.name]) for field in fields(Moments))),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
