"""One advertising picture, from a product's picture and a brief to a finished canvas and a report on it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from recommend.creatives.drawing.backdrop import fill
from recommend.creatives.drawing.colour import (
    BLACK,
    LEAST_CONTRAST,
    WHITE,
    Palette,
    Rgb,
    luminance,
    mixed,
    readable_on,
    worst_contrast,
)
from recommend.creatives.drawing.formats import Box, Format
from recommend.creatives.drawing.layouts import Plan, plan, words_box
from recommend.creatives.drawing.subject import Subject
from recommend.creatives.drawing.typesetting import Manner, set_text
from recommend.creatives.drawing.words import Column, Words, draw_words, set_words


@dataclass(frozen=True, slots=True)
class Report:
    """What was drawn where: for the preview's overlay, for warnings, and for tests. Boxes in pixels of the canvas."""

    product: Box
    texts: dict[str, Box]
    #: The least WCAG contrast of each text with what lies under it.
    contrast: dict[str, float]
    is_extended: bool
    left_out: list[str] = field(default_factory=list)
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """The shop's sign: a logo, or where there is none its name."""

    name: str = ""
    logo: Image.Image | None = None


def draw_creative(
    picture: Image.Image,
    subject: Subject,
    *,
    form: Format,
    layout: str,
    words: Words,
    palette: Palette,
    mark: Mark | None = None,
) -> tuple[Image.Image, Report]:
    """Draw one creative: an RGB image of the format's size, and the report on it."""
    scale = form.type_scale
    mark = mark or Mark()
    logo_height = round(72 * scale) if mark.logo is not None else round(34 * scale) if mark.name else 0
    width, height = words_box(layout, form)
    column = set_words(words, width=width, height=height, scale=scale)
    regions = plan(layout, form, words_height=column.height, logo_height=logo_height)
    canvas = Image.new("RGB", (form.width, form.height), palette.background)
    product, is_extended = _place(canvas, picture, subject, regions)
    if regions.on_picture:
        ink = _scrim(canvas, regions, column, form, palette)
    else:
        ink = readable_on(palette.background, palette.ink)
    clean = np.asarray(canvas.copy())
    texts = draw_words(canvas, column, box=regions.words, hang=regions.hang, palette=palette, ink=ink)
    contrast = {
        name: worst_contrast(palette.accent if name == "price" else _under(clean, box), colour)
        for name, (box, colour) in texts.items()
    }
    boxes = {name: box for name, (box, _colour) in texts.items()}
    if logo_height:
        boxes["logo"], contrast["logo"] = _draw_mark(canvas, mark, regions, palette, ink)
    return canvas, Report(product, boxes, contrast, is_extended, column.left_out, column.is_cut)


def _under(pixels: np.ndarray, box: Box) -> np.ndarray:
    return pixels[box[1] : max(box[3], box[1] + 1), box[0] : max(box[2], box[0] + 1)]


def _place(canvas: Image.Image, picture: Image.Image, subject: Subject, regions: Plan) -> tuple[Box, bool]:
    """Paste the picture into its region; where the product is now."""
    left, top, right, bottom = regions.picture
    room = (
        regions.product[0] - left,
        regions.product[1] - top,
        regions.product[2] - left,
        regions.product[3] - top,
    )
    placed = fill(picture.convert("RGB"), subject, size=(right - left, bottom - top), room=room)
    if regions.radius:
        # Drawn at four times the size: Pillow's own corners are not smooth.
        mask = Image.new("L", (placed.picture.width * 2, placed.picture.height * 2))
        ImageDraw.Draw(mask).rounded_rectangle(
            (0, 0, mask.width - 1, mask.height - 1), radius=regions.radius * 2, fill=255
        )
        canvas.paste(placed.picture, (left, top), mask.resize(placed.picture.size, Image.Resampling.LANCZOS))
    else:
        canvas.paste(placed.picture, (left, top))
    box = placed.product
    return (box[0] + left, box[1] + top, box[2] + left, box[3] + top), placed.is_extended


def _scrim(canvas: Image.Image, regions: Plan, column: Column, form: Format, palette: Palette) -> Rgb:
    """Darken (or lighten) the picture under the words until they can be read; the ink that goes with it.

    The brand's own colours are tried first; the scrim is as weak as the contrast allows, and fades out towards the product.
    """
    box = regions.words
    under = (box[0], box[3] - column.height, box[2], box[3])
    pixels = np.asarray(canvas, dtype=np.float32)
    is_dark = float(np.median(luminance(_under(np.asarray(canvas), under)))) < 0.35
    shade, ink = (_darker(palette), WHITE) if is_dark else (palette.background, palette.ink)
    if float(luminance(shade)) < float(luminance(ink)) or is_dark:
        ink = readable_on(shade, palette.background if is_dark else ink)
    ink = readable_on(shade, ink)
    ramp = _ramp(form, under, regions.logo if regions.logo[3] > regions.logo[1] else None)
    shade_row = np.array(shade, dtype=np.float32)
    for strength in (0.35, 0.5, 0.62, 0.72, 0.8, 0.88, 0.94, 1.0):
        alpha = (ramp * strength)[..., None]
        shaded = np.clip(pixels * (1 - alpha) + shade_row * alpha + 0.5, 0, 255).astype(np.uint8)
        if worst_contrast(_under(shaded, under), ink) >= LEAST_CONTRAST + 0.2:
            break
    canvas.paste(Image.fromarray(shaded))
    return ink


def _darker(palette: Palette) -> Rgb:
    """The darkest of the brand's colours, darkened until white reads well on it."""
    colour = min((palette.ink, palette.background, palette.accent), key=lambda one: float(luminance(one)))
    while worst_contrast(colour, WHITE) < 10:
        colour = mixed(colour, BLACK, 0.3)
        if colour == BLACK or max(colour) < 24:
            break
    return colour


def _ramp(form: Format, under: Box, logo: Box | None) -> np.ndarray:
    """Opacity 0 to 1 of the scrim, H×W: full under the words, smoothly to nothing towards the product."""
    if form.is_wide:
        across = np.arange(form.width, dtype=np.float32)
        reach = form.width * 0.24
        line = np.clip((under[2] + reach - across) / reach, 0, 1)
        return np.broadcast_to(_eased(line)[None, :], (form.height, form.width))
    down = np.arange(form.height, dtype=np.float32)
    reach = form.height * 0.2
    line = _eased(np.clip((down - (under[1] - reach)) / reach, 0, 1))
    if logo is not None:
        fade = form.height * 0.16
        top = _eased(np.clip((logo[3] + fade - down) / fade, 0, 1))
        line = np.maximum(line, top * 0.9)
    return np.broadcast_to(line[:, None], (form.height, form.width))


def _eased(line: np.ndarray) -> np.ndarray:
    """Smoothstep: a straight ramp shows an edge where it begins."""
    return line * line * (3 - 2 * line)


def _draw_mark(canvas: Image.Image, mark: Mark, regions: Plan, palette: Palette, ink: Rgb) -> tuple[Box, float]:
    """The logo, or the shop's name, in its box; where it is, and its contrast (21 for a logo: it is a picture)."""
    left, top, right, bottom = regions.logo
    if mark.logo is not None:
        return _draw_logo(canvas, mark.logo, regions.logo), 21.0
    height = bottom - top
    manner = Manner(650, round(height * 0.95), max(12, round(height * 0.5)), 1)
    block = set_text(mark.name, width=right - left, height=height, manner=manner)
    ground = _under(np.asarray(canvas), (left, top, left + max(1, block.width), bottom))
    colour = readable_on(ground, ink)
    box = block.draw(ImageDraw.Draw(canvas), (left, top, right, bottom), colour)
    return box, worst_contrast(ground, colour)


def _draw_logo(canvas: Image.Image, logo: Image.Image, box: Box) -> Box:
    """The logo on a plate of its own ground: an uploaded logo has no transparency any more."""
    height = box[3] - box[1]
    pad = max(4, height // 7)
    inner = height - 2 * pad
    wide = min(box[2] - box[0] - 2 * pad, max(1, round(logo.width * inner / logo.height)))
    small = logo.convert("RGB").resize((max(1, wide), max(1, inner)), Image.Resampling.LANCZOS)
    plate = (box[0], box[1], box[0] + small.width + 2 * pad, box[3])
    ground = logo.convert("RGB").getpixel((0, 0))
    mask = Image.new("L", canvas.size)
    ImageDraw.Draw(mask).rounded_rectangle(
        (plate[0], plate[1], plate[2] - 1, plate[3] - 1), radius=height // 5, fill=255
    )
    canvas.paste(ground, (0, 0), mask.filter(ImageFilter.GaussianBlur(0.6)))  # type: ignore[arg-type]
    canvas.paste(small, (box[0] + pad, box[1] + pad))
    return plate
