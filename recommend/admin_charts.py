"""Charts as inline SVG, drawn on the server: nothing to load, crisp at any size, in the theme's colours.

Bars are placed in percent of the width, so they fit a phone and a wide screen without a script. Every drawing stands
beside its figures in text and is hidden from screen readers, which read the figures.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

BAR_HEIGHT = 16
AREA_WIDTH, AREA_HEIGHT = 600, 120


def bar(value: float, *, most: float, tone: str = "accent") -> SafeString:
    """A bar from 0 to ``value``; ``most`` is the scale's end."""
    return format_html(
        '<svg class="dc-bar" width="100%" height="{h}" aria-hidden="true" focusable="false">'
        '<rect class="dc-track" width="100%" height="{h}" rx="4"/>'
        '<rect class="dc-fill {tone}" width="{value}%" height="{h}" rx="4"/></svg>',
        h=BAR_HEIGHT,
        tone=tone,
        value=_percent(value, most),
    )


def interval_bar(value: float, low: float, high: float, *, most: float, tone: str = "accent") -> SafeString:
    """A bar from 0 to ``value`` with the interval [``low``, ``high``] as a whisker; ``most`` is the scale's end."""
    return format_html(
        '<svg class="dc-bar" width="100%" height="{h}" aria-hidden="true" focusable="false">'
        '<rect class="dc-track" width="100%" height="{h}" rx="4"/>'
        '<rect class="dc-fill {tone}" width="{value}%" height="{h}" rx="4"/>'
        '<line class="dc-whisker" x1="{low}%" x2="{high}%" y1="{m}" y2="{m}"/>'
        '<line class="dc-whisker" x1="{low}%" x2="{low}%" y1="4" y2="{e}"/>'
        '<line class="dc-whisker" x1="{high}%" x2="{high}%" y1="4" y2="{e}"/></svg>',
        h=BAR_HEIGHT,
        m=BAR_HEIGHT // 2,
        e=BAR_HEIGHT - 4,
        tone=tone,
        value=_percent(value, most),
        low=_percent(low, most),
        high=_percent(high, most),
    )


def signed_bar(value: float, *, most: float) -> SafeString:
    """A bar to the right of the middle for a positive value, to the left for a negative one."""
    length = _percent(abs(value), most) / 2
    start = 50 - length if value < 0 else 50
    return format_html(
        '<svg class="dc-bar" width="100%" height="{h}" aria-hidden="true" focusable="false">'
        '<rect class="dc-track" width="100%" height="{h}" rx="4"/>'
        '<rect class="dc-fill {tone}" x="{x}%" width="{width}%" height="{h}"/>'
        '<line class="dc-zero" x1="50%" x2="50%" y1="0" y2="{h}"/></svg>',
        h=BAR_HEIGHT,
        tone="bad" if value < 0 else "accent",
        x=round(start, 2),
        width=round(length, 2),
    )


def stacked_bar(parts: Sequence[tuple[str, float]], *, total: float) -> SafeString:
    """Shares of ``total`` side by side; each part is (tone, amount)."""
    start, pieces = 0.0, []
    for tone, amount in parts:
        width = _percent(amount, total)
        pieces.append((tone, round(start, 2), width))
        start += width
    return format_html(
        '<svg class="dc-bar" width="100%" height="{}" aria-hidden="true" focusable="false">'
        '<rect class="dc-track" width="100%" height="{}" rx="4"/>{}</svg>',
        BAR_HEIGHT,
        BAR_HEIGHT,
        format_html_join(
            "",
            '<rect class="dc-fill {}" x="{}%" width="{}%" height="{}"/>',
            ((tone, x, width, BAR_HEIGHT) for tone, x, width in pieces if width),
        ),
    )


def area(series: Sequence[tuple[str, Sequence[float]]]) -> SafeString:
    """Lines over a soft area on one scale from zero; each series is (tone, values), all of one length."""
    most = max((value for _, values in series for value in values), default=0) or 1.0
    drawn = []
    for tone, values in series:
        step = AREA_WIDTH / max(len(values) - 1, 1)
        points = " ".join(
            f"{index * step:.1f},{AREA_HEIGHT - 4 - (AREA_HEIGHT - 10) * value / most:.1f}"
            for index, value in enumerate(values)
        )
        drawn.append((tone, points, AREA_WIDTH, AREA_HEIGHT, AREA_HEIGHT, tone, points))
    grid = ((y, AREA_WIDTH, y) for y in (6, AREA_HEIGHT // 2 + 1, AREA_HEIGHT - 4))
    return format_html(
        '<svg class="dc-area" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" focusable="false">{}{}'
        "</svg>",
        AREA_WIDTH,
        AREA_HEIGHT,
        format_html_join("", '<line class="dc-grid" x1="0" y1="{}" x2="{}" y2="{}"/>', grid),
        format_html_join(
            "",
            '<polygon class="dc-soft {}" points="{} {},{} 0,{}"/><polyline class="dc-line {}" points="{}"/>',
            drawn,
        ),
    )


def _percent(value: float, most: float) -> float:
    """``value`` in percent of ``most``, kept on the scale."""
    return round(100 * min(max(value / most, 0.0), 1.0), 2) if most > 0 else 0.0


def rate_course(
    days: Sequence[tuple[float, float, float] | None], *, expected: tuple[float, float] | None
) -> SafeString | str:
    """A rate day by day as dots with their intervals (value, low, high), over the band that was expected.

    Days without anything are None. Empty where there is no day to draw.
    """
    known = [day for day in days if day is not None]
    if not known:
        return ""
    ordered = sorted(high for _value, _low, high in known)
    # A day of three visitors has an interval up to the sky: the scale fits nine days in ten.
    most = max(ordered[int(0.9 * (len(ordered) - 1))], expected[1] if expected else 0.0, 0.001) * 1.1
    step = AREA_WIDTH / len(days)

    def y(value: float) -> float:
        return round(AREA_HEIGHT - 4 - (AREA_HEIGHT - 10) * min(value / most, 1.0), 1)

    band = (
        format_html(
            '<rect class="dc-expected" x="0" width="{}" y="{}" height="{}"/>',
            AREA_WIDTH,
            y(expected[1]),
            max(round(y(expected[0]) - y(expected[1]), 1), 1.5),
        )
        if expected
        else ""
    )
    dots = (
        (x := round(step * (number + 0.5), 1), x, y(day[1]), y(day[2]), round(x - 3, 1), round(y(day[0]) - 2, 1))
        for number, day in enumerate(days)
        if day is not None
    )
    return format_html(
        '<svg class="dc-area" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" focusable="false">{}{}'
        "</svg>",
        AREA_WIDTH,
        AREA_HEIGHT,
        band,
        format_html_join(
            "",
            '<line class="dc-line" x1="{}" x2="{}" y1="{}" y2="{}"/>'
            '<rect class="dc-fill" x="{}" y="{}" width="6" height="4" rx="1"/>',
            dots,
        ),
    )
