"""The three looks of the demo shop, each able to draw any number of reference pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from styling.demo.ink import draw_ink
from styling.demo.neon import draw_neon
from styling.demo.objects import SUBJECTS
from styling.demo.pop_art import draw_pop_art
from styling.demo.sketch import Floats, Sketch, rasterise


@dataclass(frozen=True, slots=True)
class Look:
    """A named look with its texts; ``hand`` turns a sketch into a picture in [0, 1]."""

    slug: str
    name: str
    name_zh: str
    description: str
    description_zh: str
    number: int
    hand: Callable[[Sketch, np.random.Generator], Floats]

    def draw(self, index: int, seed: int = 0, size: int = 256) -> Image.Image:
        """Reference picture ``index`` (0, 1, …) as a square sRGB picture; equal arguments, equal pixels."""
        rng = np.random.default_rng([seed, self.number, index])
        motif = SUBJECTS[index % len(SUBJECTS)](rng)
        picture = self.hand(rasterise(motif, size=size, rng=rng), rng)
        return Image.fromarray(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))


LOOKS: dict[str, Look] = {
    look.slug: look
    for look in (
        Look(
            "ink",
            "Ink on paper",
            "水墨",
            "Brush and ink on warm paper: three washes, a contour that swells and thins, and much left unsaid.",
            "暖色纸上的笔与墨：三层淡染，一道粗细有致的轮廓，其余皆是留白。",
            1,
            draw_ink,
        ),
        Look(
            "pop-art",
            "Pop-art print",
            "波普版画",
            "Thick outlines, flat colours straight from the tin, hard black shadows, plates a hair off register.",
            "粗黑轮廓，罐装颜料般的平涂色块，硬朗的黑影，以及略微错位的套色。",
            2,
            draw_pop_art,
        ),
        Look(
            "neon",
            "Night neon",
            "夜之霓虹",
            "A dark wall and glowing tubes: every edge drawn in magenta and cyan light.",
            "暗墙与发光的灯管：每一道边缘都由品红与青色的光写成。",
            3,
            draw_neon,
        ),
    )
}
