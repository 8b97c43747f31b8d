"""From picture files to training crops: decoded once, kept as small tensors, cropped by (seed, step)."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.settings import TrainingSettings

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
#: A picture with a shorter side than this teaches nothing.
SMALLEST_SIDE = 16
#: The longer side is cut to this multiple of the shorter one.
LONGEST_ASPECT = 2.0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why (``broken``, ``too-small`` or ``too-large``)."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """One domain in memory: C×H×W tensors (uint8, or float32 in [0, 255] for 16-bit pictures)."""

    tensors: list[Tensor]
    paths: list[Path]
    skipped: list[Skipped]

    @property
    def fingerprint(self) -> str:
        """Changes when the pictures do."""
        digest = hashlib.sha256()
        for tensor in self.tensors:
            digest.update(repr(tuple(tensor.shape)).encode() + tensor.numpy().tobytes())
        return digest.hexdigest()

    def squares(self, side: int) -> Tensor:
        """The middle square of each picture, N×C×side×side in [-1, 1]."""
        rows = []
        for tensor in self.tensors:
            height, width = tensor.shape[1:]
            top, left = (height - side) // 2, (width - side) // 2
            rows.append(tensor[:, top : top + side, left : left + side])
        return to_unit(torch.stack(rows))


def to_unit(pictures: Tensor) -> Tensor:
    """[0, 255] to float32 in [-1, 1]."""
    return pictures.float().div_(127.5).sub_(1.0)


def find_pictures(folder: Path) -> list[Path]:
    """All picture files under ``folder``, sorted; raises ``no-pictures`` where there are none."""
    if not folder.is_dir():
        raise CycleGANError("no-pictures", f"{folder} is not a folder. Give one that holds pictures.")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise CycleGANError("no-pictures", f"{folder} holds no pictures ({', '.join(sorted(SUFFIXES))}).")
    return found


def open_picture(path: Path, *, channels: int, bit_depth: int, smallest_side: int = 0) -> np.ndarray:
    """Decode one file, upright, alpha laid on white, to H×W×C float32 in [0, 255] (16 bits keep their
    fractions).

    ``smallest_side`` lets JPEG decode at a fraction of its size, but no smaller. Raises what Pillow raises.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as image:
            if smallest_side:
                image.draft(None, (smallest_side, smallest_side))
            upright = ImageOps.exif_transpose(image)
    deep = upright.mode.startswith("I") or upright.mode == "F"
    if deep:
        values = np.asarray(upright, dtype=np.float32)
        if upright.mode != "F":
            values = values / 257.0
        grey = np.clip(values, 0, 255)
        return np.repeat(grey[:, :, None], channels, axis=2) if bit_depth == 16 else _rounded(grey, channels)
    if "A" in upright.getbands() or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    values = np.asarray(upright.convert("L" if channels == 1 else "RGB"), dtype=np.float32)
    return values if channels == 3 else values[:, :, None]


def _rounded(grey: np.ndarray, channels: int) -> np.ndarray:
    return np.repeat(np.rint(grey)[:, :, None], channels, axis=2)


def to_image(picture: Tensor, *, bit_depth: int) -> Image.Image:
    """A C×H×W tensor in [-1, 1] as an 8-bit picture, or as a 16-bit grey one (mode ``I;16``)."""
    unit = picture.detach().float().cpu().clamp(-1, 1).add(1).div(2).permute(1, 2, 0).numpy()
    if bit_depth == 16:
        return Image.fromarray(np.rint(unit[:, :, 0] * 65535).astype(np.uint16))
    levels = np.rint(unit * 255).astype(np.uint8)
    return Image.fromarray(levels if levels.shape[2] == 3 else levels[:, :, 0])


def _scaled(values: np.ndarray, side: int, *, deep: bool) -> Tensor:
    height, width = values.shape[:2]
    limit = int(min(height, width) * LONGEST_ASPECT)
    top, left = max(0, (height - limit) // 2), max(0, (width - limit) // 2)
    values = values[top : top + limit, left : left + limit]
    height, width = values.shape[:2]
    scale = side / min(height, width)
    size = (max(side, round(width * scale)), max(side, round(height * scale)))
    if deep:
        resized = np.asarray(
            Image.fromarray(np.ascontiguousarray(values[:, :, 0])).resize(size, Image.Resampling.BICUBIC)
        )[:, :, None]
        return torch.from_numpy(np.clip(resized, 0, 255).transpose(2, 0, 1).copy())
    levels = values.astype(np.uint8)
    image = Image.fromarray(levels if levels.shape[2] == 3 else levels[:, :, 0])
    array = np.asarray(image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0))
    return torch.from_numpy(np.atleast_3d(array).transpose(2, 0, 1).copy())


def load_pictures(paths: Sequence[Path], settings: TrainingSettings, *, role: str) -> Pictures:
    """Decode a domain; broken, tiny and enormous files are skipped and named.

    ``role`` is ``source`` or ``target``. Raises ``no-pictures`` and ``too-few-source`` / ``too-few-target``.
    """
    if not paths:
        raise CycleGANError("no-pictures", f"There are no {role} pictures. Add at least {settings.min_pictures}.")
    if len(paths) > settings.max_pictures:
        order = np.random.Generator(np.random.Philox(key=settings.seed)).permutation(len(paths))
        paths = [paths[index] for index in sorted(order[: settings.max_pictures])]
    tensors, kept, skipped = [], [], []
    for path in paths:
        try:
            values = open_picture(
                path,
                channels=settings.channels,
                bit_depth=settings.bit_depth,
                smallest_side=2 * settings.image_size,
            )
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            skipped.append(Skipped(path, "too-large"))
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, MemoryError):
            skipped.append(Skipped(path, "broken"))
        else:
            if min(values.shape[:2]) < SMALLEST_SIDE:
                skipped.append(Skipped(path, "too-small"))
                continue
            tensors.append(_scaled(values, settings.image_size, deep=settings.bit_depth == 16))
            kept.append(path)
    if len(tensors) < settings.min_pictures:
        raise CycleGANError(f"too-few-{role}", _too_few(role, len(tensors), skipped, settings.min_pictures))
    return Pictures(tensors, kept, skipped)


def _too_few(role: str, usable: int, skipped: Sequence[Skipped], needed: int) -> str:
    message = f"Only {usable} usable {role} picture(s); training needs at least {needed}. Add more pictures."
    if skipped:
        message += " Skipped: " + ", ".join(f"{skip.path.name} ({skip.reason})" for skip in skipped[:5])
        message += f" and {len(skipped) - 5} more." if len(skipped) > 5 else "."
    return message


def split(pictures: Pictures, settings: TrainingSettings) -> tuple[Pictures, Pictures]:
    """(training, held-out) parts, decided by the seed."""
    count = len(pictures.tensors)
    held = min(64, max(2, round(count * settings.held_out)))
    order = np.random.Generator(np.random.Philox(key=settings.seed, counter=[0, 0, 2, 0])).permutation(count)

    def part(indices: list[int]) -> Pictures:
        return Pictures(
            [pictures.tensors[i] for i in indices],
            [pictures.paths[i] for i in indices],
            list(pictures.skipped),
        )

    return part(sorted(order[held:])), part(sorted(order[:held]))


class Crops:
    """Random crops of one domain.

    A step's crops follow from (seed, domain, step, lane) alone, so a resumed run needs no saved state.
    """

    def __init__(self, pictures: Pictures, settings: TrainingSettings, *, domain: int) -> None:
        self._tensors = pictures.tensors
        self._settings = settings
        self._domain = domain

    def batch(self, step: int, lanes: range) -> Tensor:
        """One crop for each lane of the global batch, N×C×crop×crop float32 in [-1, 1]."""
        return to_unit(torch.stack([self._crop(step, lane) for lane in lanes]))

    def _crop(self, step: int, lane: int) -> Tensor:
        # Every epoch is a permutation: each picture comes once before any comes twice.
        settings = self._settings
        epoch, place = divmod(step * settings.batch_size + lane, len(self._tensors))
        key = settings.seed * 2 + self._domain
        order = np.random.Generator(np.random.Philox(key=key, counter=[epoch, 0, 3, 0]))
        picture = self._tensors[int(order.permutation(len(self._tensors))[place])]
        draw = np.random.Generator(np.random.Philox(key=key, counter=[step, lane, 4, 0]))
        side = settings.crop_size
        top = int(draw.integers(picture.shape[1] - side + 1))
        left = int(draw.integers(picture.shape[2] - side + 1))
        crop = picture[:, top : top + side, left : left + side]
        return crop.flip(-1) if settings.mirror and draw.random() < 0.5 else crop
