"""The product-truth report in a merchant's words: what each figure says, how far the shop lets it go, what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from styling.cyclegan.truth import TruthLimits

#: ΔE at the end of a colour gauge: beyond it a colour has nothing to do with what it was.
FARTHEST_SHIFT = 60.0
GOOD, FAIR, BAD, PLAIN = "good", "fair", "bad", "plain"

#: From this value on, the words for it and how good that is; the last one holds for everything below.
Words = Sequence[tuple[float, Promise, str]]
_SHIFTS: Words = (
    (45, _("Other colours altogether"), BAD),
    (25, _("Strongly recoloured"), BAD),
    (10, _("Plainly other shades"), FAIR),
    (5, _("A shade off"), FAIR),
    (2, _("Hardly moved"), GOOD),
    (0, _("Colours as before"), GOOD),
)


@dataclass(frozen=True)
class Figure:
    """How one figure of the report is told."""

    label: Promise
    meaning: Promise
    words: Words
    #: The field of ``TruthLimits`` that bounds it, if any.
    limit: str = ""
    #: Whether it is a distance (ΔE, less is better) rather than a share (more is better).
    is_shift: bool = False


FIGURES: dict[str, Figure] = {
    "edges_kept": Figure(
        _("Contours"),
        _(
            "How many of the product's own edges (outline, handle, pattern) the rendering still has. "
            "Lost edges mean that the shape is no longer the one that you sell."
        ),
        (
            (0.8, _("Nearly all kept"), GOOD),
            (0.6, _("Most kept"), GOOD),
            (0.4, _("Many lost"), FAIR),
            (0, _("Most lost"), BAD),
        ),
        "least_edges_kept",
    ),
    "color_shift_median": Figure(
        _("Colours"),
        _(
            "How far the product's colours moved, as the eye sees it (ΔE, over the typical pixel): "
            "2 is just visible, 10 plainly different, above 40 another colour."
        ),
        _SHIFTS,
        "most_color_shift",
        is_shift=True,
    ),
    "color_shift_p95": Figure(
        _("Colours, where they moved most"),
        _("The same distance, for the twentieth of the product that changed most. It has no limit of its own."),
        _SHIFTS,
        is_shift=True,
    ),
    "text_legibility": Figure(
        _("Lettering"),
        _("How well writing and logos on the product can still be told from their ground."),
        (
            (0.85, _("As readable as before"), GOOD),
            (0.6, _("Still readable"), GOOD),
            (0.35, _("Hard to read"), FAIR),
            (0, _("Can no longer be read"), BAD),
        ),
        "least_text_legibility",
    ),
    "mask_confidence": Figure(
        _("Product found"),
        _(
            "The other figures look at the product alone. Where it was hardly told from its background, trust them less."
        ),
        (
            (0.7, _("Clearly told from its background"), GOOD),
            (0.4, _("Roughly told from its background"), FAIR),
            (0, _("Hardly told from its background"), FAIR),
        ),
    ),
}


@dataclass(frozen=True)
class Reading:
    """One line of the report: words, a figure, and a gauge from 0 to 100 %."""

    name: str
    label: str
    words: str
    value: str
    meaning: str
    grade: str
    percent: int
    is_broken: bool
    #: “at least 40 %”; empty where the shop sets no limit.
    limit: str
    #: The part of the gauge that the limit forbids, in percent: where it begins, and how much of it that is.
    forbidden: tuple[int, int] | None


def readings(truth: Mapping[str, Any], breaches: Sequence[Mapping[str, Any]], *, limits: TruthLimits) -> list[Reading]:
    """The report's lines, broken limits first. ``limits`` are the shop's; a breach brings the one that it broke."""
    broken = {str(breach.get("code")): breach.get("limit") for breach in breaches}
    lines = [
        _reading(name, figure, float(value), limits=limits, broken=broken)
        for name, figure in FIGURES.items()
        if isinstance(value := truth.get(name), int | float) and not isinstance(value, bool)
    ]
    return sorted(lines, key=lambda line: not line.is_broken)


def in_short(truth: Mapping[str, Any], breaches: Sequence[Mapping[str, Any]], *, limits: TruthLimits) -> str:
    """What is most worth saying about a rendering: every broken limit, else its contours and its colours."""
    lines = readings(truth, breaches, limits=limits)
    told = [line for line in lines if line.is_broken] or [
        line for line in lines if line.name in {"edges_kept", "color_shift_median"}
    ]
    return " · ".join(f"{line.label}: {line.words}" for line in told)


def _reading(name: str, figure: Figure, value: float, *, limits: TruthLimits, broken: Mapping[str, Any]) -> Reading:
    words, grade = next(((text, grade) for least, text, grade in figure.words if value >= least), figure.words[-1][1:])
    bound = broken.get(name, getattr(limits, figure.limit) if figure.limit else None)
    forbidden = None
    if isinstance(bound, int | float):
        edge = _percent(bound, figure)
        forbidden = (edge, 100 - edge) if figure.is_shift else (0, edge)
    return Reading(
        name=name,
        label=str(figure.label),
        words=str(words),
        value=_amount(value, figure),
        meaning=str(figure.meaning),
        grade=_grade(grade, figure, is_broken=name in broken),
        percent=_percent(value, figure),
        is_broken=name in broken,
        limit=_limit_text(bound, figure) if isinstance(bound, int | float) else "",
        forbidden=forbidden,
    )


def _grade(grade: str, figure: Figure, *, is_broken: bool) -> str:
    """Red is kept for what the shop does not let pass: a style that recolours does what it is for."""
    if is_broken:
        return BAD
    if not figure.limit:
        return PLAIN
    return FAIR if grade == BAD else grade


def _percent(value: float, figure: Figure) -> int:
    share = value / FARTHEST_SHIFT if figure.is_shift else value
    return round(100 * min(max(share, 0.0), 1.0))


def _amount(value: float, figure: Figure) -> str:
    if figure.is_shift:
        return f"ΔE {value:.0f}" if value >= 10 else f"ΔE {value:.1f}"
    return translate("%(percent)d%%") % {"percent": round(100 * value)}


def _limit_text(bound: float, figure: Figure) -> str:
    text = translate("at most %(amount)s") if figure.is_shift else translate("at least %(amount)s")
    return text % {"amount": _amount(bound, figure)}
