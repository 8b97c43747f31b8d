"""What the product-truth report says: words, gauges, limits."""

from __future__ import annotations

import pytest

from styling.cyclegan.truth import TruthLimits
from styling.truth_texts import in_short, readings

LIMITS = TruthLimits(least_edges_kept=0.4, most_color_shift=45, least_text_legibility=0.35)


def only(truth, breaches=()):
    (line,) = readings(truth, breaches, limits=LIMITS)
    return line


@pytest.mark.parametrize(
    ("name", "value", "words", "amount", "percent", "grade"),
    [
        ("edges_kept", 0.93, "Nearly all kept", "93%", 93, "good"),
        ("edges_kept", 0.1, "Most lost", "10%", 10, "fair"),
        ("color_shift_median", 1.2, "Colours as before", "ΔE 1.2", 2, "good"),
        ("color_shift_median", 30.0, "Strongly recoloured", "ΔE 30", 50, "fair"),
        ("color_shift_p95", 90.0, "Other colours altogether", "ΔE 90", 100, "plain"),
        ("text_legibility", 0.5, "Hard to read", "50%", 50, "fair"),
        ("mask_confidence", 0.0, "Hardly told from its background", "0%", 0, "plain"),
    ],
)
def test_a_figure_is_told_in_words_and_on_a_gauge(name, value, words, amount, percent, grade):
    line = only({name: value})
    assert (line.words, line.value, line.percent, line.grade) == (words, amount, percent, grade)
    assert not line.is_broken


def test_the_limit_stands_in_words_and_as_the_forbidden_part_of_the_gauge():
    assert (only({"edges_kept": 0.9}).limit, only({"edges_kept": 0.9}).forbidden) == ("at least 40%", (0, 40))
    assert (only({"color_shift_median": 3}).limit, only({"color_shift_median": 3}).forbidden) == (
        "at most ΔE 45",
        (75, 25),
    )
    assert (only({"color_shift_p95": 3}).limit, only({"color_shift_p95": 3}).forbidden) == ("", None)


def test_broken_limits_come_first_with_the_limit_that_they_broke():
    breach = {"code": "color_shift_median", "value": 30.0, "limit": 20.0}
    truth = {"edges_kept": 0.9, "color_shift_median": 30.0}
    lines = readings(truth, [breach], limits=LIMITS)
    assert [(line.name, line.is_broken) for line in lines] == [("color_shift_median", True), ("edges_kept", False)]
    assert (lines[0].limit, lines[0].grade) == ("at most ΔE 20", "bad")
    assert in_short(truth, [breach], limits=LIMITS) == "Colours: Strongly recoloured"
    assert "Contours: Nearly all kept" in in_short(truth, [], limits=LIMITS)


def test_what_is_no_figure_is_left_out():
    assert readings({"edges_kept": None, "mask_confidence": True, "else": 1.0}, [], limits=LIMITS) == []
