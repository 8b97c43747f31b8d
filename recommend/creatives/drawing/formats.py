"""The sizes that advertising places ask for, and what of each stays free of the place's own buttons."""

from __future__ import annotations

from dataclasses import dataclass

#: Left, top, right, bottom in pixels; right and bottom are outside.
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Format:
    """One size. ``inset``: pixels at left, top, right and bottom that hold no text, price, logo or product."""

    code: str
    width: int
    height: int
    inset: tuple[int, int, int, int]

    @property
    def safe(self) -> Box:
        """What the place's own buttons and rounded corners never cover."""
        left, top, right, bottom = self.inset
        return left, top, self.width - right, self.height - bottom

    @property
    def is_wide(self) -> bool:
        """Whether words stand beside the product rather than below it."""
        return self.width > 1.3 * self.height

    @property
    def type_scale(self) -> float:
        """Sizes of type are given for a canvas of 1080 pixels; this fits them to the format."""
        return (self.width * self.height) ** 0.5 / 1080


#: Stories: profile row above, reply row and swipe area below. The other insets keep clear of rounded corners and badges.
FORMATS: dict[str, Format] = {
    form.code: form
    for form in (
        Format("square", 1080, 1080, (64, 64, 64, 64)),
        Format("portrait", 1080, 1350, (64, 64, 64, 64)),
        Format("story", 1080, 1920, (72, 270, 72, 340)),
        Format("landscape", 1200, 628, (48, 44, 48, 44)),
        Format("banner", 1920, 600, (96, 44, 96, 44)),
    )
}
