"""The three templates: which part of the canvas is picture, where the product may stand, and where the words go."""

from __future__ import annotations

from dataclasses import dataclass

from recommend.creatives.drawing.formats import Box, Format

FULL_BLEED, SPLIT, FRAMED = "full-bleed", "split", "framed"
LAYOUTS = (FULL_BLEED, SPLIT, FRAMED)


@dataclass(frozen=True, slots=True)
class Plan:
    """Regions of one creative, in pixels of the canvas."""

    #: The picture fills this.
    picture: Box
    #: The product stays inside this.
    product: Box
    #: Headline, name and price.
    words: Box
    #: The shop's logo or name.
    logo: Box
    #: Whether the words stand on the picture (and need a scrim) or on the brand's background.
    on_picture: bool
    #: Words hang at the bottom of their box (1), in its middle (0.5) or at its top (0).
    hang: float
    #: Corner radius of the picture.
    radius: int = 0


def plan(layout: str, form: Format, *, words_height: int, logo_height: int) -> Plan:
    """The regions of a layout in a format, for words and a logo of a given height (0: there is none).

    ``words_height`` is what the words take once they are set: the product gets the rest.
    """
    planner = {FULL_BLEED: _full_bleed, SPLIT: _split, FRAMED: _framed}[layout]
    return planner(form, words_height, logo_height)


def words_box(layout: str, form: Format) -> tuple[int, int]:
    """Width and greatest height that the words of a layout may take in a format."""
    left, top, right, bottom = form.safe
    if form.is_wide:
        # The words' column; logo above it.
        return int(_column(layout, form) - left - _gutter(form)), int((bottom - top) * 0.78)
    share = {FULL_BLEED: 0.34, SPLIT: 0.34, FRAMED: 0.32}[layout]
    return right - left, int((bottom - top) * share)


def _gutter(form: Format) -> int:
    return round(40 * form.type_scale)


def _column(layout: str, form: Format) -> int:
    """Where the words' column ends in a wide format."""
    share = {FULL_BLEED: 0.5, SPLIT: 0.46, FRAMED: 0.5}[layout]
    return int(form.width * share)


def _full_bleed(form: Format, words: int, logo: int) -> Plan:
    left, top, right, bottom = form.safe
    gutter = _gutter(form)
    whole = (0, 0, form.width, form.height)
    logo_box = (left, top, right, top + logo)
    if form.is_wide:
        column = _column(FULL_BLEED, form)
        under_logo = top + logo + (gutter if logo else 0)
        return Plan(
            picture=whole,
            product=(column + gutter // 2, top, right, bottom),
            words=(left, under_logo, column - gutter, bottom),
            logo=(left, top, column - gutter, top + logo),
            on_picture=True,
            hang=1.0,
        )
    begins = bottom - words
    return Plan(
        picture=whole,
        product=(left, top + (logo + gutter // 2 if logo else 0), right, begins - gutter),
        words=(left, begins, right, bottom),
        logo=logo_box,
        on_picture=True,
        hang=1.0,
    )


def _split(form: Format, words: int, logo: int) -> Plan:
    left, top, right, bottom = form.safe
    gutter = _gutter(form)
    if form.is_wide:
        column = _column(SPLIT, form)
        return Plan(
            picture=(column, 0, form.width, form.height),
            product=(column + gutter, top, right, bottom),
            words=(left, top + logo + (gutter if logo else 0), column - gutter, bottom),
            logo=(left, top, column - gutter, top + logo),
            on_picture=False,
            hang=0.5 if not logo else 1.0,
        )
    # The logo stands in the panel, above the words, so that it never lies on the product.
    inside = words + (logo + gutter if logo else 0)
    begins = bottom - inside
    panel = begins - int(gutter * 1.3)
    return Plan(
        picture=(0, 0, form.width, panel),
        product=(left, max(gutter, top - gutter * 2), right, panel - gutter),
        words=(left, bottom - words, right, bottom),
        logo=(left, begins, right, begins + logo),
        on_picture=False,
        hang=0.0,
    )


def _framed(form: Format, words: int, logo: int) -> Plan:
    left, top, right, bottom = form.safe
    gutter = _gutter(form)
    radius = round(18 * form.type_scale)
    inner = gutter // 2
    if form.is_wide:
        column = _column(FRAMED, form)
        frame = (column, top, right, bottom)
        return Plan(
            picture=frame,
            product=(frame[0] + inner, frame[1] + inner, frame[2] - inner, frame[3] - inner),
            words=(left, top + logo + (gutter if logo else 0), column - gutter, bottom),
            logo=(left, top, column - gutter, top + logo),
            on_picture=False,
            hang=0.5 if not logo else 1.0,
            radius=radius,
        )
    above = top + (logo + int(gutter * 0.8) if logo else 0)
    begins = bottom - words
    frame = (left, above, right, begins - gutter)
    return Plan(
        picture=frame,
        product=(frame[0] + inner, frame[1] + inner, frame[2] - inner, frame[3] - inner),
        words=(left, begins, right, bottom),
        logo=(left, top, right, top + logo),
        on_picture=False,
        hang=0.0,
        radius=radius,
    )
