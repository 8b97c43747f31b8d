"""Can what is written on a product still be read? Lettering found by its strokes, and what a rendering leaves of it.

Lettering is several marks of one size in a row, each drawn with strokes of even width that are much darker or lighter
than their ground: the geometry of stroke-width detectors (Epshtein, Ofek & Wexler 2010), on marks found by
morphological top-hats instead of learned weights. A mark's legibility in a rendering is how well light and dark there
follow the mark's own pattern, either way round, times how much of a readable contrast there is. Numpy and SciPy only.

What this cannot know: whether a word is still *spelled* the same, and logos that are one shape instead of a row of
marks. Those count with the product's edges. A row of equal dots is taken for lettering, and judged alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from styling.cyclegan.colors import Floats, to_lab

#: Longer side in pixels at which lettering is looked for, and again at half of it, for larger letters.
LONGEST_SIDE = 512
#: A mark differs by so much lightness (L*) from its ground.
_LEAST_CONTRAST = 24.0
#: Share of a mark's variance that its two tones may leave unexplained.
_UNEXPLAINED = 0.3
#: With this standard deviation of L*, or as much as the original has, lettering is as readable as it gets.
_READABLE_SPREAD = 12.0
#: Strokes are at most this wide, in pixels.
_WIDEST_STROKE = 11
_SIDES = (7, 90)  # smallest and largest height of a mark, in pixels
_FEWEST_MARKS = 3  # in a row

Slices = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Lettering:
    """One line of marks, at one scale of the picture."""

    #: Size (width, height) of the picture that ``marks`` are places in.
    size: tuple[int, int]
    #: Bounding boxes, each with a margin.
    marks: tuple[Slices, ...]


def find_lettering(picture: Image.Image, mask: NDArray[np.bool_] | None = None) -> list[Lettering]:
    """Lines of lettering on a picture of any size and mode; only where ``mask`` (any size) is set, if given."""
    lines: list[Lettering] = []
    for side in (LONGEST_SIDE, LONGEST_SIDE // 2):
        scale = side / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        light = to_lab(picture, size)[..., 0]
        for polarity in (1, -1):
            marks = _marks(light * polarity)
            if mask is not None:
                marks = [mark for mark in marks if _lies_on(mark.box, mask, light.shape)]
            found = [Lettering(size, tuple(_with_margin(mark) for mark in row)) for row in _rows(marks)]
            lines += [line for line in found if not any(_overlap(line, other) for other in lines)]
    return lines


def legibility(original: Image.Image, rendering: Image.Image, lines: list[Lettering]) -> float:
    """How readable ``lines`` of the original are in its rendering, 0 to 1: three of four marks are more so.

    A lower quarter, because a lost word must count and a single mark that was none must not.
    """
    lights: dict[tuple[int, int], tuple[Floats, Floats]] = {}
    scores: list[float] = []
    for line in lines:
        if line.size not in lights:
            lights[line.size] = to_lab(original, line.size)[..., 0], to_lab(rendering, line.size)[..., 0]
        before, after = lights[line.size]
        scores += [_mark_legibility(before[mark], after[mark]) for mark in line.marks]
    return float(np.percentile(scores, 25, method="lower")) if scores else 1.0


@dataclass(frozen=True, slots=True)
class _Mark:
    """A mark that could be a letter."""

    box: Slices
    stroke: float  #: median width of its strokes, in pixels
    contrast: float  #: of its lightness to its ground's

    @property
    def height(self) -> int:
        return self.box[0].stop - self.box[0].start


def _marks(light: Floats) -> list[_Mark]:
    """The light marks that could be letters: even strokes, one tone on one ground."""
    window = _WIDEST_STROKE + 2
    lift = light - ndimage.grey_opening(light, size=(window, window))
    # Half of what is strongest nearby, or blur would join letters.
    threshold = np.maximum(_LEAST_CONTRAST, ndimage.maximum_filter(lift, size=window)) / 2
    labels, _count = ndimage.label(lift > threshold)
    marks = []
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        height, width = (part.stop - part.start for part in box)
        if not (_SIDES[0] <= height <= _SIDES[1] and width <= 3 * height):
            continue
        shape = np.pad(labels[box] == index, 1)
        depth = ndimage.distance_transform_edt(shape)
        ridge = depth[(depth == ndimage.maximum_filter(depth, size=3)) & shape]
        stroke = 2 * float(np.median(ridge))
        is_drawn = stroke <= max(3.0, 0.45 * height) and ridge.std() < 0.6 * ridge.mean()
        tones, grounds = light[box][shape[1:-1, 1:-1]], light[box][~shape[1:-1, 1:-1]]
        if not is_drawn or len(grounds) < 0.1 * height * width:
            continue
        contrast = float(np.median(tones) - np.median(grounds))
        # Two tones explain what is seen, where folds and weaves have every shade between.
        within = (tones.var() * len(tones) + grounds.var() * len(grounds)) / (height * width)
        if contrast >= _LEAST_CONTRAST and within <= _UNEXPLAINED * float(light[box].var()):
            marks.append(_Mark(box, stroke, contrast))
    return marks


def _rows(marks: list[_Mark]) -> list[list[Slices]]:
    """Marks of one hand side by side, in lines."""
    remaining = sorted(marks, key=lambda mark: mark.box[1].start)
    rows = []
    while remaining:
        row = [remaining.pop(0)]
        for mark in list(remaining):
            if _is_next(row[-1], mark):
                row.append(mark)
                remaining.remove(mark)
        if len(row) >= _FEWEST_MARKS:
            rows.append([mark.box for mark in row])
    return rows


def _is_next(left: _Mark, right: _Mark) -> bool:
    """Whether ``right`` goes on with the line that ``left`` ends."""
    tall, low = max(left.height, right.height), min(left.height, right.height)
    gap = right.box[1].start - left.box[1].stop
    shared = min(left.box[0].stop, right.box[0].stop) - max(left.box[0].start, right.box[0].start)
    return (
        tall <= 2 * low
        and -0.2 * low <= gap <= 1.2 * tall
        and shared >= 0.5 * low
        and max(left.stroke, right.stroke) <= 2 * min(left.stroke, right.stroke)
        and max(left.contrast, right.contrast) <= 1.8 * min(left.contrast, right.contrast)
    )


def _with_margin(mark: Slices) -> Slices:
    return tuple(slice(max(0, part.start - 3), part.stop + 3) for part in mark)  # type: ignore[return-value]


def _lies_on(mark: Slices, mask: NDArray[np.bool_], shape: tuple[int, ...]) -> bool:
    row, column = (
        int((part.start + part.stop) / 2 * length / across)
        for part, length, across in zip(mark, mask.shape, shape, strict=True)
    )
    return bool(mask[min(row, mask.shape[0] - 1), min(column, mask.shape[1] - 1)])


def _overlap(left: Lettering, right: Lettering) -> bool:
    """Whether two lines are the same lettering, found twice."""
    first, second = _extent(left), _extent(right)
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def _extent(line: Lettering) -> tuple[float, float, float, float]:
    """Top, left, bottom and right of a line, as shares of its picture."""
    rows, columns = zip(*line.marks, strict=True)
    width, height = line.size
    return (
        min(part.start for part in rows) / height,
        min(part.start for part in columns) / width,
        max(part.stop for part in rows) / height,
        max(part.stop for part in columns) / width,
    )


def _mark_legibility(before: Floats, after: Floats) -> float:
    """By fill or by outline, whichever is clearer: a letter that is drawn round is read as well."""
    outlines = [ndimage.gaussian_gradient_magnitude(light, 0.7) for light in (before, after)]
    return max(_agreement(before, after), _agreement(*outlines))


def _agreement(before: Floats, after: Floats) -> float:
    """How well ``after`` follows the pattern, at best over a pixel's shift, times the contrast that is left of it."""
    pattern = before - before.mean()
    spread = float(pattern.std())
    if spread == 0:
        return 1.0
    best = 0.0
    smooth = ndimage.gaussian_filter(after, 0.5)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            moved = np.roll(smooth, (down, right), axis=(0, 1))
            moved = moved - moved.mean()
            # The sign does not matter: dark on light reads as well as light on dark.
            shared = abs(float((pattern * moved).mean())) / spread
            alike = shared / max(float(moved.std()), 1e-9)
            best = max(best, alike * min(1.0, shared / min(spread, _READABLE_SPREAD)))
    return best
