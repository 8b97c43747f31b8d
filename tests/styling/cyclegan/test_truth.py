"""The product-truth report: colours by the published pairs, edges and masks by drawn pictures."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from styling.cyclegan.truth import TruthLimits, ciede2000, lab_of, product_mask, product_truth

#: Sharma, Wu & Dalal (2005), table 1: rows 1, 7, 13, 17, 25 and 34.
PAIRS = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), PAIRS)
def test_ciede2000_gives_the_published_differences(first, second, expected):
    assert ciede2000(np.array(first), np.array(second)) == pytest.approx(expected, abs=5e-5)


@pytest.fixture
def vase() -> Image.Image:
    picture = Image.new("RGB", (200, 200), (230, 225, 215))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 40, 140, 180), fill=(40, 90, 150))
    draw.line((70, 110, 130, 110), fill=(240, 240, 240), width=6)
    return picture


def test_the_product_is_found(vase):
    mask, confidence = product_mask(lab_of(vase))
    true = Image.new("1", (200, 200))
    ImageDraw.Draw(true).ellipse((60, 40, 140, 180), fill=1)
    wanted = np.asarray(true.resize(mask.shape[::-1]))
    assert (mask & wanted).sum() / (mask | wanted).sum() > 0.9
    assert confidence > 0.5


def test_an_empty_picture_has_no_product_and_says_so():
    mask, confidence = product_mask(lab_of(Image.new("RGB", (64, 64), "white")))
    assert confidence == 0
    assert mask.any()


def test_an_unchanged_picture_breaks_no_limit(vase):
    report = product_truth(vase, vase)
    assert (report.edges_kept, report.color_shift_median) == (1.0, 0.0)
    assert report.exceeds(TruthLimits()) == []


def test_changed_colours_and_lost_edges_are_named(vase):
    inverted = product_truth(vase, ImageOps.invert(vase)).exceeds(TruthLimits(most_color_shift=20))
    assert [breach.code for breach in inverted] == ["color_shift_median"]
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8))
    assert "edges_kept" in [b.code for b in product_truth(vase, noise).exceeds(TruthLimits(least_edges_kept=0.8))]


def test_lettering_that_is_lost_is_named_and_none_is_no_figure(vase):
    assert "text_legibility" not in product_truth(vase, vase).to_dict()
    lettered, blank = Image.new("RGB", (300, 300), (230, 225, 215)), Image.new("RGB", (300, 300), (230, 225, 215))
    for picture in (lettered, blank):
        ImageDraw.Draw(picture).rectangle((50, 50, 250, 250), fill=(40, 90, 150))
    ImageDraw.Draw(lettered).text((150, 150), "COFFEE", font=ImageFont.load_default(36), fill="white", anchor="mm")
    assert product_truth(lettered, lettered).exceeds(TruthLimits()) == []
    assert "text_legibility" in [breach.code for breach in product_truth(lettered, blank).exceeds(TruthLimits())]


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (5, 900), (300, 40)])
def test_pictures_of_any_mode_and_size_are_compared(mode, size):
    picture = Image.new("L", size, 120).convert("I;16" if mode == "I;16" else mode)
    report = product_truth(picture, Image.new("RGB", (64, 64), "white"))
    assert set(report.to_dict()) == {"edges_kept", "color_shift_median", "color_shift_p95", "mask_confidence"}


def test_a_report_needs_no_torch():
    code = "import sys, styling.cyclegan.truth; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
