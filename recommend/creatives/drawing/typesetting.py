"""Text set into a box: wrapped by its script's rules, as large as it fits, never beyond the box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw

from recommend.creatives.drawing.colour import Rgb
from recommend.creatives.drawing.formats import Box
from recommend.creatives.drawing.lines import cleaned, clusters, has_ideographs, units
from recommend.creatives.drawing.shaping import Stretch, draw_line, drawable, extent, is_rtl, stretches

ELLIPSIS = "…"
#: Longer text is cut before anything is measured: no advertisement holds it.
MOST_CHARACTERS = 400
#: Beyond this many pieces the lines are filled one after the other instead of being balanced.
_MOST_BALANCED = 120
_GOOD_ENDS = frozenset("，。；！？、：,.;!?:—")
#: Chinese particles that belong to the word before them.
_PARTICLES = frozenset("的地得了着过们吗呢吧啊")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a text is set: weight 100 to 900, sizes in pixels, lines at most; leading in ems, Latin and Chinese."""

    weight: int
    largest: int
    smallest: int
    most_lines: int
    leading: tuple[float, float] = (1.12, 1.3)


@dataclass(frozen=True, slots=True)
class Block:
    """Text that is set. ``width`` and ``height`` are of its ink; both fit the box it was set for."""

    lines: tuple[tuple[Stretch, ...], ...]
    size: int
    weight: int
    leading: float
    base_rtl: bool
    width: int
    height: int
    left_out: tuple[str, ...] = ()
    is_cut: bool = False

    def draw(self, draw: ImageDraw.ImageDraw, box: Box, ink: Rgb, *, centred: bool = False) -> Box:
        """Draw from the top of the box, at the side where reading begins or in the middle; where the ink is."""
        extents = [extent(line, self.size, self.weight) for line in self.lines]
        if not extents:
            return box[0], box[1], box[0], box[1]
        baseline = box[1] + extents[0].above
        spread = []
        for line, measured in zip(self.lines, extents, strict=True):
            room = box[2] - box[0] - measured.width
            left = box[0] + (room / 2 if centred else room if self.base_rtl else 0)
            draw_line(draw, line, at=(left, baseline), size=self.size, weight=self.weight, ink=ink)
            spread.append((left, left + measured.width))
            baseline += self.leading * self.size
        lefts, rights = zip(*spread, strict=True)
        return int(min(lefts)), box[1], int(-(-max(rights) // 1)), box[1] + self.height


def set_text(text: str, *, width: int, height: int, manner: Manner) -> Block:
    """Set ``text`` into a box of pixels: as large as its manner allows, cut with an ellipsis where even that is too much."""
    shortened = cleaned(text)[:MOST_CHARACTERS]
    shown, left_out = drawable(shortened)
    setting = _Setting(shown, width, height, manner, tuple(dict.fromkeys(left_out)))
    if not shown:
        return setting.block((), manner.smallest)
    low, high = manner.smallest, max(manner.smallest, manner.largest)
    best: tuple[Sequence[str], int] | None = None
    while low <= high:
        size = (low + high) // 2
        lines = setting.lines_at(size)
        if lines is not None:
            best, low = (lines, size), size + 1
        else:
            high = size - 1
    if best is not None:
        return setting.block(best[0], best[1])
    return setting.cut(manner.smallest)


def _price_of_break(pieces: Sequence[str], start: int, text: str) -> float:
    """What a line's ends add to its unevenness: ends with punctuation are sought, a particle is kept with its word."""
    price = -0.12 if text.rstrip()[-1:] in _GOOD_ENDS else 0.0
    return price + (0.3 if start and pieces[start][0] in _PARTICLES else 0.0)


@dataclass(frozen=True)
class _Setting:
    """One text and the box that it goes into."""

    text: str
    width: int
    height: int
    manner: Manner
    left_out: tuple[str, ...]

    @property
    def leading(self) -> float:
        return self.manner.leading[1 if has_ideographs(self.text) else 0]

    def _line(self, text: str) -> tuple[Stretch, ...]:
        return stretches(text.strip(), base_rtl=is_rtl(self.text), chinese=has_ideographs(self.text))

    def _width(self, text: str, size: int) -> float:
        return extent(self._line(text), size, self.manner.weight).width

    def _height(self, lines: Sequence[str], size: int) -> int:
        if not lines:
            return 0
        first = extent(self._line(lines[0]), size, self.manner.weight).above
        last = extent(self._line(lines[-1]), size, self.manner.weight).below
        return int(-(-(first + (len(lines) - 1) * self.leading * size + last) // 1))

    def lines_at(self, size: int) -> list[str] | None:
        """The lines at a size; None where they do not fit without parting a word."""
        lines = self._filled(units(self.text), size)
        if lines is None or len(lines) > self.manner.most_lines or self._height(lines, size) > self.height:
            return None
        return self._balanced(len(lines), size) or lines

    def _filled(self, pieces: Sequence[str], size: int) -> list[str] | None:
        """Lines filled one after the other; None where a piece is wider than the box."""
        lines: list[str] = []
        for piece in pieces:
            if lines and self._width(lines[-1] + piece, size) <= self.width:
                lines[-1] += piece
            elif self._width(piece, size) <= self.width:
                lines.append(piece)
            else:
                return None
        return lines

    def _balanced(self, count: int, size: int) -> list[str] | None:
        """The same number of lines, as even as they can be; a line that ends with punctuation may be more uneven."""
        pieces = units(self.text)
        if count < 2 or len(pieces) > _MOST_BALANCED:
            return None
        even = self._width(self.text, size) / count
        # cost[n] after n pieces: the least squared unevenness, and where the last line begins.
        cost: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
        for line in range(1, count + 1):
            reached: dict[int, tuple[float, int]] = {}
            for start, (so_far, _before) in cost[line - 1].items():
                for end in range(start + 1, len(pieces) + 1):
                    text = "".join(pieces[start:end])
                    width = self._width(text, size)
                    if width > self.width:
                        break
                    uneven = (width - even) / even
                    total = so_far + uneven**2 + _price_of_break(pieces, start, text)
                    if end not in reached or total < reached[end][0]:
                        reached[end] = (total, start)
            cost.append(reached)
        if len(pieces) not in cost[count]:
            return None
        lines, end = [], len(pieces)
        for line in range(count, 0, -1):
            start = cost[line][end][1]
            lines.append("".join(pieces[start:end]))
            end = start
        return lines[::-1]

    def cut(self, size: int) -> Block:
        """As many lines as there is room for, words parted where they must be, the last one with an ellipsis."""
        pieces = [
            part
            for unit in units(self.text)
            for part in ([unit] if self._width(unit, size) <= self.width else clusters(unit))
        ]
        lines = self._filled(pieces, size) or []
        kept = lines[: self.manner.most_lines]
        while kept and self._height(kept, size) > self.height:
            kept.pop()
        is_cut = len(kept) < len(lines)
        if kept and is_cut:
            kept[-1] = self._with_ellipsis(kept[-1], size)
        return self.block(kept, size, is_cut=is_cut or not kept)

    def _with_ellipsis(self, line: str, size: int) -> str:
        pieces = clusters(line.strip())
        while pieces and self._width("".join(pieces).rstrip() + ELLIPSIS, size) > self.width:
            pieces.pop()
        return "".join(pieces).rstrip(" ，、,;:") + ELLIPSIS

    def block(self, lines: Sequence[str], size: int, *, is_cut: bool = False) -> Block:
        shaped = tuple(self._line(line) for line in lines)
        width = max((extent(line, size, self.manner.weight).width for line in shaped), default=0)
        return Block(
            lines=shaped,
            size=size,
            weight=self.manner.weight,
            leading=self.leading,
            base_rtl=is_rtl(self.text),
            width=int(-(-width // 1)),
            height=self._height(lines, size),
            left_out=self.left_out,
            is_cut=is_cut,
        )
