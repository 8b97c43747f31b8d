"""One line of text as stretches of one font and one direction, in the order in which the eye meets them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from PIL import ImageDraw, ImageFont, features

from recommend.creatives.drawing.colour import Rgb
from recommend.creatives.drawing.fonts import CJK, STACK, Face, face_for, loaded
from recommend.creatives.drawing.lines import clusters, has_ideographs

_HAS_RAQM = features.check("raqm")
#: The gap between Chinese and Latin that stand side by side without a space, in ems (a quarter is for print).
_SCRIPT_GAP = 0.12


@dataclass(frozen=True, slots=True)
class Stretch:
    """Text of one face and one direction; ``gap`` is left free before it, in ems."""

    text: str
    face: Face
    is_rtl: bool
    gap: float = 0.0


@dataclass(frozen=True, slots=True)
class Extent:
    """What a line takes, in pixels from its origin on the baseline: ink to left and right, above and below."""

    left: float
    right: float
    above: float
    below: float

    @property
    def width(self) -> float:
        return self.right - self.left


def drawable(text: str) -> tuple[str, list[str]]:
    """The text without what no font has, and what that was."""
    chinese = has_ideographs(text)
    kept, left_out = [], []
    for cluster in clusters(text):
        if cluster == " " or face_for(cluster, chinese=chinese) is not None:
            kept.append(cluster)
        else:
            left_out.append(cluster)
    return " ".join("".join(kept).split()), left_out


def is_rtl(text: str) -> bool:
    """The direction of a paragraph: that of its first letter (UAX #9, rules P2 and P3)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"L", "R", "AL"}:
            return kind != "L"
    return False


@lru_cache(maxsize=4096)
def stretches(text: str, *, base_rtl: bool = False, chinese: bool = False) -> tuple[Stretch, ...]:
    """The stretches of one line, from left to right. ``text`` holds drawable characters only."""
    pieces = clusters(text)
    directions = _directions(pieces, base_rtl)
    faces: list[Face] = []
    for cluster in pieces:
        face = faces[-1] if cluster == " " and faces else face_for(cluster, chinese=chinese)
        faces.append(face or STACK[0])
    found: list[Stretch] = []
    start = 0
    for _key, group in groupby(zip(faces, directions, strict=True)):
        length = len(list(group))
        part = "".join(pieces[start : start + length])
        gap = _SCRIPT_GAP if found and _needs_gap(found[-1], part, faces[start]) else 0.0
        found.append(Stretch(part, faces[start], directions[start], gap))
        start += length
    return tuple(_in_visual_order(found, base_rtl))


def _needs_gap(before: Stretch, text: str, face: Face) -> bool:
    """Whether a Han character and a letter or digit meet here."""
    return (before.face == CJK) != (face == CJK) and before.text[-1].isalnum() and text[0].isalnum()


def _directions(pieces: list[str], base_rtl: bool) -> list[bool]:
    """Right-to-left or not, piece by piece; what has no direction follows its neighbours where they agree."""
    strong: list[bool | None] = []
    for cluster in pieces:
        kind = unicodedata.bidirectional(cluster[0])
        strong.append(kind != "L" if kind in {"L", "R", "AL"} else False if kind in {"EN", "AN"} else None)
    resolved: list[bool] = []
    for index, direction in enumerate(strong):
        if direction is None:
            before = resolved[-1] if resolved else base_rtl
            after = next((later for later in strong[index:] if later is not None), base_rtl)
            direction = before if before == after else base_rtl
        resolved.append(direction)
    return resolved


def _in_visual_order(found: list[Stretch], base_rtl: bool) -> list[Stretch]:
    """Levels 0 to 2 of UAX #9: stretches against the paragraph's direction keep their own order among themselves."""
    ordered: list[Stretch] = []
    for against, group in groupby(found, key=lambda stretch: stretch.is_rtl != base_rtl):
        same = list(group)
        ordered += reversed(same) if against else same
    return ordered[::-1] if base_rtl else ordered


def _given(stretch: Stretch) -> tuple[str, dict[str, str]]:
    """Text and options for Pillow; without Raqm, right-to-left letters are at least put in order."""
    if _HAS_RAQM:
        return stretch.text, {"direction": "rtl" if stretch.is_rtl else "ltr"}
    return "".join(reversed(clusters(stretch.text))) if stretch.is_rtl else stretch.text, {}


@lru_cache(maxsize=16384)
def extent(line: tuple[Stretch, ...], size: int, weight: int) -> Extent:
    """What the ink of a line takes."""
    across, left, right, above, below = 0.0, 0.0, 0.0, 0.0, 0.0
    for stretch in line:
        font: ImageFont.FreeTypeFont = loaded(stretch.face, size, weight)
        text, options = _given(stretch)
        across += stretch.gap * size
        box = font.getbbox(text, anchor="ls", **options)  # type: ignore[arg-type]
        left, right = min(left, across + box[0]), max(right, across + box[2])
        above, below = max(above, -box[1]), max(below, box[3])
        across += font.getlength(text, **options)  # type: ignore[arg-type]
    return Extent(left, max(right, across), above, below)


def draw_line(
    draw: ImageDraw.ImageDraw, line: tuple[Stretch, ...], *, at: tuple[float, float], size: int, weight: int, ink: Rgb
) -> None:
    """Draw a line with its ink's left edge and its baseline at ``at``."""
    across = at[0] - extent(line, size, weight).left
    for stretch in line:
        font = loaded(stretch.face, size, weight)
        text, options = _given(stretch)
        across += stretch.gap * size
        draw.text((across, at[1]), text, fill=ink, font=font, anchor="ls", **options)  # type: ignore[arg-type]
        across += font.getlength(text, **options)  # type: ignore[arg-type]
