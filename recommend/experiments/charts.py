"""The course of an experiment as inline SVG: the uplift and its interval, day by day, around the line of no difference."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from recommend.engine.sequential import Reading

HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 240, 52, 12, 10, 10
#: Of the drawing for a desk and of the one for a phone: each keeps its letters at a size that can be read.
WIDE, NARROW = 720, 340
Point = tuple[float, float, float]


def course(readings: Sequence[Reading], *, rate: float, hoped: float) -> SafeString | str:
    """The chart, wide and narrow; empty while no day has an interval.

    ``rate``: the control's, ``hoped``: the uplift worth knowing.
    """
    drawings = [_drawing(readings, rate=rate, hoped=hoped, width=width) for width in (WIDE, NARROW)]
    return format_html("{}{}", *drawings) if all(drawings) else ""


def _drawing(readings: Sequence[Reading], *, rate: float, hoped: float, width: int) -> SafeString | str:
    places: list[tuple[int, Point]] = [
        (number, (reading.difference / rate, reading.low / rate, reading.high / rate))
        for number, reading in enumerate(readings)
        if rate and math.isfinite(reading.low)
    ]
    if not places:
        return ""
    limit = _limit([point for _number, point in places], hoped)
    first, last = places[0][0], max(len(readings) - 1, 1)

    def x(number: int) -> float:
        return round(LEFT + (width - LEFT - RIGHT) * number / last, 1)

    def y(value: float) -> float:
        inside = min(max(value, -limit), limit)
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (limit - inside) / (2 * limit), 1)

    tone = "good" if places[-1][1][1] > 0 else "bad" if places[-1][1][2] < 0 else "accent"
    upper = " ".join(f"{x(number)},{y(point[2])}" for number, point in places)
    lower = " ".join(f"{x(number)},{y(point[1])}" for number, point in reversed(places))
    middle = " ".join(f"{x(number)},{y(point[0])}" for number, point in places)
    end = places[-1][1]
    return format_html(
        '<svg class="ex-course{}" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">{}'
        '<line class="ex-zero" x1="{left}" x2="{right}" y1="{zero}" y2="{zero}"/>'
        '<line class="ex-hoped" x1="{left}" x2="{right}" y1="{hoped}" y2="{hoped}"/>{}'
        '<polygon class="ex-band {tone}" points="{} {}"/><polyline class="ex-middle {tone}" points="{}"/>'
        '<line class="ex-now {tone}" x1="{at}" x2="{at}" y1="{high}" y2="{low}"/>'
        '<circle class="ex-dot {tone}" cx="{at}" cy="{value}" r="5"/></svg>',
        " narrow" if width == NARROW else "",
        width,
        HEIGHT,
        _grid(limit, y, width),
        _too_early(first, x),
        upper,
        lower,
        middle,
        left=LEFT,
        right=width - RIGHT,
        zero=y(0),
        hoped=y(hoped),
        tone=tone,
        at=x(places[-1][0]),
        high=y(end[2]),
        low=y(end[1]),
        value=y(end[0]),
    )


def _limit(points: Sequence[Point], hoped: float) -> float:
    """The scale's end: what the later half needs, so that neither the wide first days nor a band that says
    nothing yet flatten the rest; what lies beyond is cut off."""
    late = points[len(points) // 2 :]
    most = max(max(abs(low), abs(high)) for _middle, low, high in late)
    widest = 4 * max(abs(hoped), *(abs(middle) for middle, _low, _high in late))
    return max(1.15 * min(most, widest), 1.3 * abs(hoped), 0.02)


def _grid(limit: float, y: Callable[[float], float], width: int) -> SafeString:
    step = _step(limit)
    values = [step * number for number in range(-int(limit / step), int(limit / step) + 1)]
    return format_html_join(
        "",
        '<line class="ex-grid" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text class="ex-tick" x="{}" y="{}" text-anchor="end">{}</text>',
        (
            (
                LEFT,
                width - RIGHT,
                y(value),
                y(value),
                LEFT - 8,
                y(value) + 4,
                f"{100 * value:+.0f}%" if abs(value) > limit / 1000 else "0%",
            )
            for value in values
        ),
    )


def _step(limit: float) -> float:
    """A round step that gives two to four lines on either side."""
    for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0):
        if limit / step < 4.5:
            return step
    return limit / 2


def _too_early(first: int, x: Callable[[int], float]) -> SafeString | str:
    """The days before the first interval, shaded."""
    if first == 0:
        return ""
    return format_html(
        '<rect class="ex-early" x="{}" y="{}" width="{}" height="{}"/>',
        LEFT,
        TOP,
        round(x(first) - LEFT, 1),
        HEIGHT - TOP - BOTTOM,
    )
