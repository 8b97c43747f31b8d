"""Headline, product name and price as one column: set together, so that they share a size scale and a left edge."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageDraw

from recommend.creatives.drawing.colour import Palette, Rgb, readable_on
from recommend.creatives.drawing.formats import Box
from recommend.creatives.drawing.typesetting import Block, Manner, set_text


@dataclass(frozen=True, slots=True)
class Words:
    """What a creative says. Empty texts are not drawn."""

    headline: str
    name: str = ""
    price: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """Words that are set. ``height`` includes the space between them."""

    headline: Block
    name: Block | None
    price: Block | None
    pad: int
    gap: int
    rule: int
    height: int

    @property
    def left_out(self) -> list[str]:
        """Characters that no font has."""
        blocks = [self.headline, self.name, self.price]
        return [character for block in blocks if block for character in block.left_out]

    @property
    def is_cut(self) -> bool:
        return any(block.is_cut for block in (self.headline, self.name, self.price) if block)


def set_words(words: Words, *, width: int, height: int, scale: float) -> Column:
    """Set the words into a column of pixels; ``scale`` fits the type to the format."""
    gap, pad, rule = round(30 * scale), round(18 * scale), max(3, round(6 * scale))
    left = height - rule - gap
    price = None
    if words.price:
        manner = Manner(700, round(46 * scale), round(24 * scale), 1)
        price = set_text(words.price, width=width - 2 * pad, height=round(70 * scale), manner=manner)
        left -= price.height + 2 * pad + gap
    name = None
    if words.name:
        manner = Manner(500, round(34 * scale), round(24 * scale), 2, leading=(1.25, 1.4))
        name = set_text(words.name, width=width, height=max(round(40 * scale), left // 3), manner=manner)
        left -= name.height + gap
    manner = Manner(750, round(98 * scale), round(30 * scale), 4, leading=(1.08, 1.26))
    headline = set_text(words.headline, width=width, height=max(1, left), manner=manner)
    total = rule + gap + headline.height
    total += name.height + gap if name else 0
    total += price.height + 2 * pad + gap if price else 0
    return Column(headline, name, price, pad, gap, rule, total)


def draw_words(
    image: Image.Image, column: Column, *, box: Box, hang: float, palette: Palette, ink: Rgb
) -> dict[str, tuple[Box, Rgb]]:
    """Draw the column into its box; where each text is, and in which colour."""
    draw = ImageDraw.Draw(image)
    left, right = box[0], box[2]
    y = box[1] + round((box[3] - box[1] - column.height) * hang)
    rtl = column.headline.base_rtl
    length = round(column.rule * 12)
    start = right - length if rtl else left
    draw.rectangle((start, y, start + length - 1, y + column.rule - 1), fill=palette.accent)
    y += column.rule + column.gap
    drawn: dict[str, tuple[Box, Rgb]] = {}
    if column.headline.lines:
        drawn["headline"] = column.headline.draw(draw, (left, y, right, box[3]), ink), ink
    y += column.headline.height + column.gap
    if column.name is not None:
        drawn["name"] = column.name.draw(draw, (left, y, right, box[3]), ink), ink
        y += column.name.height + column.gap
    if column.price is not None:
        drawn["price"] = _price_tag(draw, column, column.price, (left, y, right, box[3]), palette, rtl)
    return drawn


def _price_tag(
    draw: ImageDraw.ImageDraw, column: Column, price: Block, box: Box, palette: Palette, rtl: bool
) -> tuple[Box, Rgb]:
    """The price on a tag of the accent colour."""
    wide, high = price.width + 2 * column.pad + column.pad, price.height + 2 * column.pad
    left = box[2] - wide if rtl else box[0]
    draw.rounded_rectangle((left, box[1], left + wide - 1, box[1] + high - 1), radius=high / 2, fill=palette.accent)
    ink = readable_on(palette.accent, palette.background)
    text_left = left + (wide - price.width) // 2
    return price.draw(draw, (text_left, box[1] + column.pad, text_left + price.width, box[3]), ink), ink
