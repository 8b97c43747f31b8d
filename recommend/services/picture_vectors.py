"""The looks of stored pictures, computed once by content: hand-made numbers, and a network's where its weights are given.

``STYLEREC_RESNET18_WEIGHTS`` names torchvision's file for ResNet-18; without it nothing here needs torch, and with it a
worker alone does. What the network sees is stored beside the hand-made numbers, and the two are brought to 64 by the
catalogue's principal axes when a recommender is fitted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import structlog
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from PIL import Image

from jobs.errors import UserError
from recommend.engine.style import STYLE_SIZE, centred, principal, style_vector
from recommend.models import PictureVector

Floats = NDArray[np.float32]
#: (pictures done, pictures in all)
Progress = Callable[[int, int], None]
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Recipe:
    """A way to turn a picture into numbers. ``name`` changes with the way, so that stored vectors are never mixed."""

    name: str
    size: int
    describe: Callable[[Image.Image], Floats]


HAND_MADE = Recipe("hand-made-1", STYLE_SIZE, style_vector)


def recipes() -> tuple[Recipe, ...]:
    """The recipes that this installation uses. Raises ``UserError`` where the named weights cannot be read."""
    weights = settings.RESNET18_WEIGHTS
    return (HAND_MADE, _network(Path(weights))) if weights else (HAND_MADE,)


def looks_of(pictures: Sequence[tuple[str, str] | None], *, on_progress: Progress = lambda done, total: None) -> Floats:
    """N×64 float32: how each picture, (sha256, name in the storage), deviates from the mean look of all of them.

    Rows have unit length; zeros where there is no picture or it cannot be read.
    """
    files = dict(picture for picture in pictures if picture is not None)
    used = recipes()
    blocks = []
    for place, recipe in enumerate(used):

        def report(done: int, total: int, before: int = place) -> None:
            on_progress(before * total + done, len(used) * total)

        known = vectors_of(files, recipe, on_progress=report)
        nothing = np.zeros(recipe.size, dtype=np.float32)
        rows = [nothing if picture is None else known.get(picture[0], nothing) for picture in pictures]
        blocks.append(centred(np.array(rows, dtype=np.float32).reshape(-1, recipe.size)))
    return blocks[0] if len(blocks) == 1 else principal(np.hstack(blocks), STYLE_SIZE)


def vectors_of(
    files: Mapping[str, str], recipe: Recipe = HAND_MADE, *, on_progress: Progress = lambda done, total: None
) -> dict[str, Floats]:
    """``{sha256: vector}`` for pictures given as ``{sha256: name in the storage}``; a missing file is left out."""
    stored = PictureVector.objects.filter(sha256__in=files, recipe=recipe.name).values_list("sha256", "vector")
    found = {sha256: np.frombuffer(bytes(raw), dtype="<f4") for sha256, raw in stored}
    missing = [sha256 for sha256 in files if sha256 not in found]
    fresh = []
    for done, sha256 in enumerate(missing, start=1):
        vector = _compute(files[sha256], recipe)
        if vector is not None:
            found[sha256] = vector
            fresh.append(PictureVector(sha256=sha256, recipe=recipe.name, vector=vector.astype("<f4").tobytes()))
        on_progress(done, len(missing))
    PictureVector.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=200)
    return {sha256: vector for sha256, vector in found.items() if len(vector) == recipe.size}


def _compute(name: str, recipe: Recipe) -> Floats | None:
    try:
        # Not an upload: the file came through the door when it was stored.
        with default_storage.open(name, "rb") as file, Image.open(file) as picture:
            return recipe.describe(picture)
    except OSError as error:
        log.warning("picture_vectors.unreadable", name=name, error=str(error))
        return None


@cache
def _network(weights: Path) -> Recipe:
    # Torch is loaded by the worker that fits, and only where the weights are given.
    from recommend.services.network_looks import NetworkLooks
    from styling.cyclegan.errors import CycleGANError

    try:
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        looks = NetworkLooks(weights)
    except (OSError, CycleGANError) as error:
        raise UserError(
            "bad-weights",
            _("STYLEREC_RESNET18_WEIGHTS cannot be used: %(error)s") % {"error": error},
            _("Give the file that torchvision downloads for ResNet-18, or leave the variable empty."),
        ) from error
    return Recipe(f"resnet18-{digest[:16]}", looks.size, looks)
