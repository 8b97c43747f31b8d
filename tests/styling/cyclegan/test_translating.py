"""A trained translator on pictures of every size and mode: sizes and modes stay, options do what they say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops, ImageCms

from styling.cyclegan import pixels, translating
from styling.cyclegan.devices import choose
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import Generator
from styling.cyclegan.rendering import Core, changed, rows_of
from styling.cyclegan.translating import TranslateOptions, Translator


def make(*, tile: int | None = None, image_size: int = 64, **settings) -> Translator:
    torch.manual_seed(1)
    generator = Generator(width=8, blocks=1, **settings)
    for parameter in generator.head.parameters():
        torch.nn.init.normal_(parameter, std=0.05)  # far enough from a copy to tell
    compute = choose("cpu", precision="float32")
    return Translator(generator, {"image_size": image_size}, compute, engine="eager", tile=tile)


@pytest.fixture(scope="module")
def translator() -> Translator:
    return make()


@pytest.fixture(scope="module")
def grey() -> Translator:
    return make(channels=1)


def noise(width: int, height: int, *, seed: int = 0) -> Image.Image:
    """Soft coloured blobs with some grain."""
    draw = np.random.default_rng(seed)
    soft = Image.fromarray(draw.integers(0, 255, (4, 4, 3), dtype=np.uint8)).resize((width, height))
    grain = draw.integers(-8, 8, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(soft).astype(int) + grain, 0, 255).astype(np.uint8))


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of any value, in 8-bit levels."""
    return int(np.abs(np.asarray(one).astype(int) - np.asarray(other).astype(int)).max())


@pytest.mark.parametrize("size", [(64, 64), (97, 33), (300, 120), (1, 1), (20_000, 1)])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P", "1"])
def test_a_rendering_has_the_size_of_its_picture(translator, size, mode):
    rendered = translator.translate([Image.new(mode, size)])[0]
    assert (rendered.size, rendered.mode) == (size, "RGB")


@pytest.mark.parametrize("size", [(1, 1), (97, 33), (5, 300)])
def test_full_detail_takes_every_size_too(translator, size):
    rendered = translator.translate([Image.new("RGB", size)], options=TranslateOptions(full_detail=True))[0]
    assert rendered.size == size


def test_what_is_transparent_stays_so(translator):
    picture = noise(60, 50).convert("RGBA")
    alpha = Image.linear_gradient("L").resize(picture.size)
    picture.putalpha(alpha)
    rendered = translator.translate([picture])[0]
    assert rendered.mode == "RGBA"
    assert difference(rendered.getchannel("A"), alpha) == 0


def test_a_grey_model_keeps_grey_and_its_16_bits(grey):
    deep = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    rendered = grey.translate([Image.fromarray(deep)], options=TranslateOptions(strength=0.0))[0]
    assert rendered.mode == "I;16"
    assert np.array_equal(np.asarray(rendered), deep)
    assert grey.translate([noise(40, 30)])[0].mode == "L"


def test_a_colour_profile_is_applied():
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    plain, tagged = noise(20, 20), noise(20, 20)
    tagged.info["icc_profile"] = b"not a profile"
    assert np.array_equal(pixels.read(tagged, channels=3).color, np.asarray(plain))
    tagged.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert difference(Image.fromarray(pixels.read(tagged, channels=3).color), plain) <= 2
    tagged.info["icc_profile"] = wide.tobytes()  # of another colour space than the picture: left out
    assert np.array_equal(pixels.read(tagged, channels=3).color, np.asarray(plain))


@pytest.mark.parametrize("full_detail", [False, True])
def test_strength_goes_from_the_picture_itself_to_the_whole_effect(translator, full_detail):
    picture = noise(64, 64)

    def rendered(strength):
        return translator.translate([picture], options=TranslateOptions(strength, full_detail=full_detail))[0]

    assert ImageChops.difference(picture, rendered(0.0)).getbbox() is None
    assert difference(rendered(1.0), picture) > 10
    assert difference(rendered(0.5), Image.blend(picture, rendered(1.0), 0.5)) <= 1


@pytest.mark.parametrize("full_detail", [False, True])
def test_product_or_background_is_kept_and_the_other_restyled(translator, full_detail):
    picture = Image.new("RGB", (120, 120), (230, 225, 220))
    picture.paste((150, 30, 40), (35, 30, 85, 95))
    middle, corner = (50, 50, 70, 70), (0, 0, 15, 15)
    for option, kept, restyled in (("keep_product", middle, corner), ("keep_background", corner, middle)):
        options = TranslateOptions(**{option: True}, full_detail=full_detail)
        rendered = translator.translate([picture], options=options)[0]
        assert difference(rendered.crop(kept), picture.crop(kept)) == 0
        assert difference(rendered.crop(restyled), picture.crop(restyled)) > 5


def test_both_cannot_be_kept():
    with pytest.raises(CycleGANError, match="nothing would change"):
        TranslateOptions(keep_product=True, keep_background=True)


def test_keeping_colours_changes_nothing_but_luma(translator):
    picture = noise(64, 64).point(lambda value: 90 + value // 4)
    rendered = translator.translate([picture], options=TranslateOptions(keep_color=1.0))[0]
    after = np.asarray(rendered).astype(int)
    moved = np.ptp(after - np.asarray(picture), axis=2)
    unclipped = (after.min(axis=2) > 0) & (after.max(axis=2) < 255)
    assert unclipped.mean() > 0.5
    assert moved[unclipped].max() <= 1


def test_pictures_together_are_rendered_as_each_alone(translator):
    pictures = [noise(64, 64), noise(64, 64, seed=1), noise(90, 40, seed=2), noise(64, 64, seed=3)]
    together = translator.translate(pictures)
    for picture, rendered in zip(pictures, together, strict=True):
        assert difference(rendered, translator.translate([picture])[0]) <= 1


@pytest.mark.parametrize("architecture", ["residual", "resnet"])
@pytest.mark.parametrize("full_detail", [False, True])
def test_a_picture_in_tiles_is_the_picture_in_one_piece(architecture, full_detail):
    picture, options = noise(270, 190), TranslateOptions(full_detail=full_detail)
    whole = make(architecture=architecture, tile=512, image_size=256)
    tiled = make(architecture=architecture, tile=100, image_size=256)
    assert (
        difference(whole.translate([picture], options=options)[0], tiled.translate([picture], options=options)[0]) <= 1
    )


def test_a_large_picture_keeps_detail_that_the_network_never_saw(monkeypatch):
    monkeypatch.setattr(translating, "WORKING_SIDE", 64)
    stripes = np.zeros((512, 512, 3), dtype=np.uint8)
    stripes[::2] = 80
    rendered = np.asarray(make(image_size=32).translate([Image.fromarray(stripes + 80)])[0]).astype(int)
    assert np.abs(rendered[100:400:2] - rendered[101:401:2]).mean() > 20


def test_changing_what_the_core_answers_is_the_generator_itself():
    for architecture in ("residual", "resnet"):
        torch.manual_seed(2)
        generator = Generator(architecture=architecture, width=6, blocks=1, color_keep=0.3).eval()
        picture = torch.rand(2, 3, 32, 48) * 2 - 1
        with torch.inference_mode():
            answer = changed(picture, Core(generator)(picture), color_keep=0.3)
            assert torch.allclose(answer, generator(picture), atol=1e-5)


def test_bands_are_the_whole_resized():
    maps = torch.rand(1, 2, 9, 7)
    whole = torch.nn.functional.interpolate(maps, size=(50, 31), mode="bilinear", align_corners=False)
    bands = [rows_of(maps, top=top, bottom=min(50, top + 8), height=50, width=31) for top in range(0, 50, 8)]
    assert torch.allclose(torch.cat(bands, dim=2), whole, atol=1e-5)


def test_options_out_of_range_are_refused():
    with pytest.raises(CycleGANError) as refusal:
        TranslateOptions(strength=1.5)
    assert refusal.value.code == "bad-settings"


@pytest.mark.parametrize(
    ("limited", "full_detail"), [((pixels, "LARGEST_PIXELS"), False), ((translating, "LARGEST_DETAILED"), True)]
)
def test_too_large_a_picture_is_refused_by_name(translator, monkeypatch, limited, full_detail):
    monkeypatch.setattr(*limited, 100)
    with pytest.raises(CycleGANError) as refusal:
        translator.translate([noise(20, 20)], options=TranslateOptions(full_detail=full_detail))
    assert refusal.value.code == "picture-too-large"


def test_when_memory_runs_out_batches_and_then_tiles_get_smaller(translator, monkeypatch):
    pictures = [noise(64, 64), noise(64, 64, seed=1)]
    expected = translator.translate(pictures)

    def starved(_sources):
        raise MemoryError

    monkeypatch.setattr(
        translator,
        "engines",
        type("Starved", (), {"__call__": staticmethod(starved), "compute": translator.engines.compute})(),
    )
    for rendered, whole in zip(translator.translate(pictures), expected, strict=True):
        assert difference(rendered, whole) <= 1
    monkeypatch.setattr(translating.TiledNetwork, "render", lambda *_args, **_options: starved(None))
    with pytest.raises(CycleGANError) as refusal:
        translator.translate(pictures)
    assert refusal.value.code == "out-of-memory"
