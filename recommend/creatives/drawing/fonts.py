"""The fonts that text is set in, all under the SIL Open Font License and installed with the project.

Each stretch of text takes the first font that has all its characters: Inter (Latin, Greek, Cyrillic), Noto Sans CJK,
Noto Sans Arabic, Heebo (Hebrew). What none of them has (emoji, rare scripts) is left out and said so, rather than drawn
as empty boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import ImageFont


@dataclass(frozen=True, slots=True)
class Face:
    """One font file, and how its axes are set for a weight."""

    package: str
    file: str
    index: int = 0
    #: Axis values in the file's own order; ``None`` takes the weight.
    axes: tuple[float | None, ...] = (None,)

    @property
    def path(self) -> str:
        """Where the installed package keeps the file."""
        found = find_spec(self.package)
        if found is None or not found.submodule_search_locations:
            raise RuntimeError(f"the font package {self.package} is not installed: pip install -r requirements.txt")
        return str(Path(found.submodule_search_locations[0]) / self.file)


INTER = Face("fontpkg_inter", "files/Inter[opsz,wght].ttf", axes=(32, None))
CJK = Face("manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc", index=2)  # 2: Simplified Chinese forms
ARABIC = Face("fontpkg_noto_sans_arabic", "files/NotoSansArabic[wdth,wght].ttf", axes=(None, 100))
HEBREW = Face("fontpkg_heebo", "files/Heebo[wght].ttf")
STACK = (INTER, CJK, ARABIC, HEBREW)
#: Punctuation that Chinese sets in its own, full-width forms though Inter has them too.
_CHINESE_PUNCTUATION = frozenset("“”‘’…—·")


@lru_cache(maxsize=8)
def _characters_of(face: Face) -> frozenset[int]:
    with TTFont(face.path, fontNumber=face.index, lazy=True) as font:
        return frozenset(font.getBestCmap())


@lru_cache(maxsize=256)
def loaded(face: Face, size: int, weight: int) -> ImageFont.FreeTypeFont:
    """The face at a size in pixels and a weight from 100 to 900."""
    font = ImageFont.truetype(face.path, size, index=face.index)
    font.set_variation_by_axes([weight if value is None else value for value in face.axes])
    return font


def face_for(cluster: str, *, chinese: bool = False) -> Face | None:
    """The first face that has every character of a cluster; ``None`` where no face has."""
    stack = (CJK, *STACK) if chinese and cluster in _CHINESE_PUNCTUATION else STACK
    needed = {ord(character) for character in cluster} - _INVISIBLE
    return next((face for face in stack if needed <= _characters_of(face)), None)


#: Joiners and variation selectors: shaping reads them, no font need have a glyph for them.
_INVISIBLE = frozenset({0x200C, 0x200D, *range(0xFE00, 0xFE10)})
