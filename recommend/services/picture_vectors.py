"""Style vectors of stored pictures, computed once by content."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import structlog
from django.core.files.storage import default_storage
from numpy.typing import NDArray
from PIL import Image

from recommend.engine.style import STYLE_SIZE, style_vector
from recommend.models import PictureVector

log = structlog.get_logger(__name__)

#: Raised when ``style_vector`` changes, so that stored vectors of an older one are not mixed with new ones.
VERSION = 1


def vectors_of(
    files: Mapping[str, str], *, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, NDArray[np.float32]]:
    """``{sha256: vector}`` for pictures given as ``{sha256: name in the storage}``; a missing file is left out."""
    stored = PictureVector.objects.filter(sha256__in=files, version=VERSION).values_list("sha256", "vector")
    found = {sha256: np.frombuffer(bytes(raw), dtype="<f4") for sha256, raw in stored}
    missing = [sha256 for sha256 in files if sha256 not in found]
    fresh = []
    for done, sha256 in enumerate(missing, start=1):
        vector = _compute(files[sha256])
        if vector is not None:
            found[sha256] = vector
            fresh.append(PictureVector(sha256=sha256, version=VERSION, vector=vector.astype("<f4").tobytes()))
        on_progress(done, len(missing))
    PictureVector.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=200)
    return {sha256: vector for sha256, vector in found.items() if len(vector) == STYLE_SIZE}


def _compute(name: str) -> NDArray[np.float32] | None:
    try:
        # Not an upload: the file came through the door when it was stored.
        with default_storage.open(name, "rb") as file, Image.open(file) as picture:
            return style_vector(picture)
    except OSError as error:
        log.warning("picture_vectors.unreadable", name=name, error=str(error))
        return None


def centred(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors (n×d) less their mean, of unit length again; unknown ones (zeros) stay zeros.

    All pictures of a shop share most of their look; what tells them apart is how they deviate from it.
    """
    known = np.linalg.norm(vectors, axis=1) > 0
    if not known.any():
        return vectors
    moved = np.where(known[:, None], vectors - vectors[known].mean(axis=0), 0)
    norms = np.linalg.norm(moved, axis=1, keepdims=True)
    return (moved / np.where(norms > 1e-9, norms, 1)).astype(np.float32)
