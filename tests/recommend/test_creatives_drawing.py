"""Drawing: text stays in its box and can be read, the product is never cut, every layout fits every format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from recommend.creatives.drawing.backdrop import fill
from recommend.creatives.drawing.colour import BLACK, WHITE, Palette, contrast, readable_on, rgb_of, worst_contrast
from recommend.creatives.drawing.creative import Mark, draw_creative
from recommend.creatives.drawing.formats import FORMATS
from recommend.creatives.drawing.layouts import LAYOUTS
from recommend.creatives.drawing.lines import cleaned, clusters, units
from recommend.creatives.drawing.shaping import drawable, stretches
from recommend.creatives.drawing.subject import Subject, find_subject
from recommend.creatives.drawing.typesetting import Manner, set_text
from recommend.creatives.drawing.words import Words
from tests.recommend.creatives import STANDS, product_picture, red_box

MANNER = Manner(700, 64, 20, 3)
PALETTE = Palette(rgb_of("#f6f1e9"), rgb_of("#2b2118"), rgb_of("#b4552d"))
LATIN, CHINESE = "Slow mornings start with a warm cup", "慢下来，从一只温热的茶杯开始"
pytestmark = pytest.mark.pure


def text_of(line) -> str:
    return "".join(stretch.text for stretch in line)


def inside(inner, outer, *, slack: int = 1) -> bool:
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


class TestLines:
    def test_chinese_may_break_anywhere_but_before_closing_and_after_opening_marks(self):
        assert units("茶杯，好（真的）吗？") == ["茶", "杯，", "好", "（真", "的）", "吗？"]

    def test_words_and_numbers_inside_chinese_stay_whole(self):
        assert units("新款Celadon只要50元") == ["新", "款", "Celadon", "只", "要", "50", "元"]

    def test_latin_breaks_at_spaces_and_after_hyphens(self):
        assert units("hand-made mugs 3-in-1") == ["hand-", "made ", "mugs ", "3-", "in-1"]

    def test_joined_characters_are_never_parted(self):
        assert clusters("é👩‍👧🇨🇳x") == ["é", "👩‍👧", "🇨🇳", "x"]

    def test_controls_and_directional_overrides_go_and_spaces_are_single(self):
        assert cleaned("a\x00b\u202ec \n\t d\ud800") == "abc d"

    @given(st.text(max_size=60))
    def test_units_lose_nothing(self, text):
        tidy = cleaned(text)
        assert "".join(units(tidy)) == tidy


class TestTypesetting:
    @pytest.mark.parametrize("text", [LATIN, CHINESE, "Celadon 茶壶 2026 春季新品，限量 50 件"])
    def test_text_is_wrapped_within_the_box_and_loses_nothing(self, text):
        block = set_text(text, width=420, height=240, manner=MANNER)
        assert block.width <= 420
        assert block.height <= 240
        assert not block.is_cut
        assert "".join(text_of(line) for line in block.lines).replace(" ", "") == text.replace(" ", "")

    def test_lines_are_balanced_and_break_after_punctuation(self):
        block = set_text(CHINESE, width=600, height=300, manner=Manner(700, 64, 64, 2))
        assert len(block.lines) == 2
        lengths = [len(text_of(line)) for line in block.lines]
        assert max(lengths) - min(lengths) <= 6

    def test_a_particle_stays_with_its_word(self):
        block = set_text(CHINESE, width=340, height=400, manner=Manner(700, 64, 64, 3))
        assert [text_of(line)[0] for line in block.lines].count("的") == 0

    def test_a_longer_text_is_set_smaller(self):
        short = set_text("Mugs", width=300, height=120, manner=MANNER)
        long = set_text(LATIN, width=300, height=120, manner=MANNER)
        assert short.size == 64
        assert 20 <= long.size < 40

    def test_what_does_not_even_fit_at_the_smallest_size_is_cut_with_an_ellipsis(self):
        block = set_text("很长" * 150, width=300, height=90, manner=MANNER)
        assert block.is_cut
        assert block.size == 20
        assert text_of(block.lines[-1]).endswith("…")
        assert block.height <= 90

    def test_a_word_wider_than_the_box_is_parted_rather_than_let_out(self):
        block = set_text("Donaudampfschifffahrtsgesellschaft" * 3, width=260, height=200, manner=MANNER)
        assert block.width <= 260
        assert len(block.lines) == 3

    def test_right_to_left_text_is_in_visual_order_with_its_latin_words_as_they_are(self):
        block = set_text("בוקר Tea 42", width=900, height=100, manner=MANNER)
        assert block.base_rtl
        assert [stretch.text.strip() for stretch in block.lines[0]] == ["Tea 42", "בוקר"]

    def test_right_to_left_text_hangs_on_the_right(self):
        block = set_text("صباح", width=500, height=100, manner=MANNER)
        box = block.draw(ImageDraw.Draw(Image.new("RGB", (500, 100))), (0, 0, 500, 100), WHITE)
        assert box[0] > 250
        assert box[2] == 500

    def test_emoji_that_no_font_has_are_left_out_and_told(self):
        assert drawable("A 🎉 party") == ("A party", ["🎉"])
        assert set_text("🎉", width=100, height=50, manner=MANNER).lines == ()

    def test_markup_is_text(self):
        block = set_text("<b>bold</b> & co", width=900, height=100, manner=MANNER)
        assert text_of(block.lines[0]) == "<b>bold</b> & co"

    def test_chinese_quotes_take_the_chinese_font(self):
        (only,) = stretches("“茶”", chinese=True)
        assert only.text == "“茶”"

    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(st.text(max_size=80), st.integers(60, 500), st.integers(30, 200))
    def test_no_text_whatever_leaves_its_box(self, text, width, height):
        block = set_text(text, width=width, height=height, manner=Manner(700, 60, 16, 3))
        canvas = Image.new("L", (width + 200, height + 200))
        block.draw(ImageDraw.Draw(canvas), (100, 100, 100 + width, 100 + height), 255)  # type: ignore[arg-type]
        drawn = canvas.getbbox()
        assert drawn is None or inside(drawn, (100, 100, 100 + width, 100 + height), slack=2)


class TestColour:
    def test_contrast_is_wcags(self):
        assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
        assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)

    def test_the_wanted_colour_stays_where_it_can_be_read(self):
        assert readable_on((250, 250, 250), (90, 30, 20)) == (90, 30, 20)

    @given(st.tuples(*[st.integers(0, 255)] * 3), st.tuples(*[st.integers(0, 255)] * 3))
    def test_something_readable_is_found_on_every_colour(self, ground, wanted):
        assert worst_contrast(ground, readable_on(ground, wanted)) >= 4.5

    def test_black_and_white_are_the_last_resort(self):
        assert readable_on((128, 128, 128), (120, 120, 120)) == BLACK


class TestSubject:
    def test_the_product_is_found_within_a_few_pixels(self):
        box = find_subject(product_picture()).box
        assert inside(STANDS, box, slack=0)
        assert max(abs(a - b) for a, b in zip(box, STANDS, strict=True)) <= 16

    def test_a_picture_of_one_colour_has_its_subject_in_the_middle(self):
        subject = find_subject(Image.new("RGB", (200, 100), "#888"))
        assert subject.found_by == "saliency"
        assert subject.box[0] < 100 < subject.box[2]

    def test_a_product_cut_by_the_camera_touches_the_edge(self):
        subject = find_subject(product_picture(box=(240, 110, 400, 310)))
        assert subject.touches == (False, False, True, False)


class TestBackdrop:
    @pytest.mark.parametrize("size", [(400, 400), (900, 300), (300, 900), (120, 120)])
    def test_the_region_is_filled_and_the_product_is_whole_inside_its_room(self, size):
        room = (size[0] // 8, size[1] // 8, size[0] * 7 // 8, size[1] * 7 // 8)
        placed = fill(product_picture(), Subject(STANDS, "mask"), size=size, room=room)
        assert placed.picture.size == size
        assert inside(placed.product, room, slack=2)
        assert inside(red_box(placed.picture), placed.product, slack=3)
        red = red_box(placed.picture)
        shape = (STANDS[2] - STANDS[0]) / (STANDS[3] - STANDS[1])
        assert (red[2] - red[0]) / (red[3] - red[1]) == pytest.approx(shape, rel=0.06)

    def test_the_backdrop_goes_on_without_a_seam(self):
        placed = fill(product_picture(), Subject(STANDS, "mask"), size=(1200, 400), room=(800, 40, 1160, 360))
        assert placed.is_extended
        pixels = np.asarray(placed.picture, dtype=float).mean(axis=2)
        step = np.abs(np.diff(pixels[:, :780], axis=1)).mean(axis=0)
        assert step.max() < 6 * np.median(step) + 1

    def test_where_the_product_touches_the_edge_the_whole_picture_is_shown(self):
        picture = product_picture(box=(240, 110, 400, 310))
        placed = fill(picture, find_subject(picture), size=(900, 300), room=(100, 10, 800, 290))
        assert placed.is_extended
        assert inside(placed.product, (100, 10, 800, 290))
        assert placed.product[3] - placed.product[1] == pytest.approx(200 * 280 / 400, abs=14)


class TestCreative:
    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("code", FORMATS)
    def test_every_layout_fits_every_format(self, layout, code):
        form = FORMATS[code]
        picture = product_picture()
        words = Words(CHINESE if layout == "split" else LATIN, "Celadon teapot · 青瓷茶壶", "€1,249.50")
        image, report = draw_creative(
            picture,
            find_subject(picture),
            form=form,
            layout=layout,
            words=words,
            palette=PALETTE,
            mark=Mark(name="Kiln & Co"),
        )
        assert image.size == (form.width, form.height)
        assert set(report.texts) == {"headline", "name", "price", "logo"}
        for name, box in report.texts.items():
            assert inside(box, form.safe, slack=2), name
            assert not overlap(box, report.product), name
        for one, other in zip(report.texts.values(), list(report.texts.values())[1:], strict=False):
            assert not overlap(one, other)
        assert min(report.contrast.values()) >= 4.5
        assert inside(red_box(image), report.product, slack=4)
        assert inside(red_box(image), (0, 0, form.width, form.height), slack=0)
        assert not report.is_cut

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_hostile_words_are_cut_and_stay_readable_on_a_noisy_photo(self, layout):
        noise = np.random.default_rng(1).integers(0, 256, (240, 240, 3), dtype=np.uint8)
        words = Words("W" * 150 + "\x00🎉<script>" + "很长" * 100, "נ" * 80, "€9,999,999,999.99")
        form = FORMATS["landscape"]
        image, report = draw_creative(
            Image.fromarray(noise),
            Subject((60, 60, 180, 180), "mask"),
            form=form,
            layout=layout,
            words=words,
            palette=Palette((128, 128, 128), (130, 130, 130), (127, 127, 127)),
            mark=Mark(name="𝔘𝔫" * 60, logo=Image.new("RGB", (900, 20), "white")),
        )
        assert image.size == (1200, 628)
        assert report.is_cut
        assert "🎉" in report.left_out
        assert min(report.contrast.values()) >= 4.5
        assert all(inside(box, form.safe, slack=2) for box in report.texts.values())


def overlap(one, other) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
