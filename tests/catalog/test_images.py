"""The picture door with honest pictures: right colours, right way up, nothing else carried along."""

from __future__ import annotations

import io
import itertools
import struct
from dataclasses import FrozenInstanceError

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from catalog.images import NormalisedImage, RejectedImage, hamming, normalise_upload
from tests.catalog import crafting, profiles
from tests.catalog.crafting import chunk, encoded, png

pytestmark = pytest.mark.pure

KINDS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF")
RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)


def pixels(image: NormalisedImage) -> Image.Image:
    with Image.open(io.BytesIO(image.content)) as opened:
        assert (opened.format, opened.mode, opened.size) == ("JPEG", "RGB", (image.width, image.height))
        return opened.copy()


def colour_of(data: bytes) -> tuple[int, ...]:
    """The one colour of a plain picture, after the door."""
    shown = pixels(normalise_upload(data))
    colour = shown.getpixel((shown.width // 2, shown.height // 2))
    assert isinstance(colour, tuple)
    return colour


def is_near(one: tuple[int, ...], other: tuple[int, ...], by: int = 2) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_every_accepted_format_becomes_a_clean_jpeg(kind):
    image = normalise_upload(encoded(kind, Image.new("RGB", (60, 40), (200, 30, 90))))
    assert (image.source_format, image.format, image.width, image.height) == (kind, "JPEG", 60, 40)
    assert (image.had_alpha, image.notes) == (False, ())
    assert is_near(pixels(image).getpixel((30, 20)), (200, 30, 90))


def test_a_file_may_come_as_bytes_path_file_or_upload(tmp_path):
    data = encoded("PNG")
    path = tmp_path / "vase.png"
    path.write_bytes(data)
    at_its_end = io.BytesIO(data)
    at_its_end.seek(0, io.SEEK_END)
    with path.open("rb") as opened:
        given = [data, bytearray(data), str(path), path, at_its_end, opened, SimpleUploadedFile("a.exe", data)]
        assert {normalise_upload(file).sha256 for file in given} == {normalise_upload(data).sha256}


def test_the_result_names_its_content_and_its_upload_by_hash():
    data = encoded("PNG")
    image = normalise_upload(data)
    other = normalise_upload(encoded("PNG", compress_level=0))
    assert image.original_sha256 != other.original_sha256
    assert image.sha256 == other.sha256
    with pytest.raises(FrozenInstanceError):
        image.width = 3  # type: ignore[misc]


@pytest.mark.parametrize("file", ["no/such/file.jpg", ".", io.StringIO("text")], ids=["missing", "folder", "text"])
def test_a_file_that_cannot_be_read_is_refused_too(file):
    with pytest.raises(RejectedImage) as refused:
        normalise_upload(file)
    assert refused.value.code == "picture-not-read"


#: Where the first row and the first column of the stored picture belong (Exif 2.3, 4.6.4 A, Orientation).
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}
ACROSS = {"top": "bottom", "bottom": "top", "left": "right", "right": "left"}


def four_corners() -> Image.Image:
    """48×32: red and green above, blue and black below."""
    stored = Image.new("RGB", (48, 32), RED)
    stored.paste(GREEN, (24, 0, 48, 16))
    stored.paste(BLUE, (0, 16, 24, 32))
    stored.paste(BLACK, (24, 16, 48, 32))
    return stored


@pytest.mark.parametrize(("kind", "value"), list(itertools.product(("JPEG", "PNG", "WEBP", "AVIF", "TIFF"), SIDES)))
def test_every_orientation_is_brought_upright(kind, value):
    tags = Image.Exif()
    tags[0x0112] = value
    image = normalise_upload(encoded(kind, four_corners(), exif=tags))
    row, column = SIDES[value]
    expected = {
        frozenset((row, column)): RED,
        frozenset((row, ACROSS[column])): GREEN,
        frozenset((ACROSS[row], column)): BLUE,
        frozenset((ACROSS[row], ACROSS[column])): BLACK,
    }
    shown = pixels(image)
    assert shown.size == ((48, 32) if value < 5 else (32, 48))
    for corner, colour in expected.items():
        x = 6 if "left" in corner else shown.width - 6
        y = 6 if "top" in corner else shown.height - 6
        assert is_near(shown.getpixel((x, y)), colour, by=12), (corner, colour)
    assert ("rotated" in image.notes) == (value != 1)


def test_a_profile_says_what_the_colours_mean():
    image = normalise_upload(encoded("PNG", Image.new("RGB", (9, 9), RED), icc_profile=profiles.red_is_blue()))
    assert is_near(pixels(image).getpixel((4, 4)), BLUE, by=4)
    assert image.notes == ("profile-applied",)


def test_an_srgb_profile_changes_nothing():
    profile = profiles.ImageCms.ImageCmsProfile(profiles.ImageCms.createProfile("sRGB")).tobytes()
    image = normalise_upload(encoded("JPEG", Image.new("RGB", (9, 9), (12, 200, 99)), icc_profile=profile))
    assert is_near(pixels(image).getpixel((4, 4)), (12, 200, 99))
    assert image.notes == ()


def test_a_grey_profile_is_followed():
    # 55/255 of the light is sRGB 128: 255 · (1.055 · (55/255)^(1/2.4) − 0.055).
    assert is_near(
        colour_of(encoded("PNG", Image.new("L", (9, 9), 55), icc_profile=profiles.linear_grey())), (128,) * 3
    )


def test_a_broken_profile_is_left_out():
    image = normalise_upload(encoded("PNG", Image.new("RGB", (9, 9), RED), icc_profile=b"nonsense" * 40))
    assert is_near(pixels(image).getpixel((4, 4)), RED)
    assert image.notes == ("profile-ignored",)


@pytest.mark.parametrize(
    ("ink", "colour"),
    [
        ((0, 255, 255, 0), RED),
        ((255, 0, 255, 0), GREEN),
        ((0, 0, 0, 255), BLACK),
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 128, 0, 0), (255, 127, 255)),
    ],
)
def test_cmyk_of_adobe_is_not_shown_as_its_negative(ink, colour):
    data = encoded("JPEG", Image.new("CMYK", (16, 16), ink), quality=100)
    assert b"Adobe" in data
    assert is_near(colour_of(data), colour, by=3)


def test_cmyk_follows_its_profile():
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    image = normalise_upload(encoded("JPEG", cyan, quality=100, icc_profile=profiles.grey_cyan()))
    # L* = 50.2 is sRGB 119.
    assert is_near(pixels(image).getpixel((8, 8)), (119, 119, 119), by=3)
    assert image.notes == ("converted-from-cmyk",)


@pytest.mark.parametrize(("sample", "shown"), [(0, 0), (255, 1), (0x8080, 128), (0xFF00, 254), (0xFFFF, 255)])
def test_grey_of_16_bits_is_scaled_and_not_clipped(sample, shown):
    rows = (b"\0" + struct.pack(">H", sample) * 4) * 4
    image = normalise_upload(png(depth=16, colour=0, rows=rows))
    assert is_near(pixels(image).getpixel((1, 1)), (shown,) * 3, by=1)
    assert image.notes == ("reduced-from-16-bit",)


def test_colours_of_16_bits_are_scaled():
    rows = (b"\0" + struct.pack(">HHH", 0xFFFF, 0x8080, 0) * 4) * 4
    image = normalise_upload(png(depth=16, rows=rows))
    assert is_near(pixels(image).getpixel((1, 1)), (255, 128, 0), by=3)
    assert image.notes == ("reduced-from-16-bit",)


def test_a_16_bit_tiff_is_scaled():
    data = encoded("TIFF", Image.new("I;16", (9, 9), 0x8080))
    assert is_near(colour_of(data), (128,) * 3)


def test_half_transparent_red_on_white_is_pink():
    image = normalise_upload(encoded("PNG", Image.new("RGBA", (9, 9), (255, 0, 0, 128))))
    assert is_near(pixels(image).getpixel((4, 4)), (255, 127, 127))
    assert (image.had_alpha, image.notes) == (True, ("alpha-flattened",))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "TIFF"])
def test_what_is_wholly_transparent_is_white_whatever_its_colour(kind):
    assert is_near(colour_of(encoded(kind, Image.new("RGBA", (16, 16), (0, 90, 0, 0)))), (255, 255, 255))


def test_an_alpha_channel_without_transparency_is_none():
    image = normalise_upload(encoded("PNG", Image.new("RGBA", (9, 9), (10, 20, 30, 255))))
    assert (image.had_alpha, image.notes) == (False, ())


@pytest.mark.parametrize(
    "data",
    [
        encoded("PNG", Image.new("RGB", (9, 9), RED).quantize(4), transparency=0),
        encoded("GIF", Image.new("P", (9, 9), 3), transparency=3),
        encoded("PNG", Image.new("LA", (9, 9), (7, 0))),
        encoded("PNG", Image.new("L", (9, 9), 7), transparency=7),
        encoded("PNG", Image.new("RGB", (9, 9), (7, 8, 9)), transparency=(7, 8, 9)),
        encoded("PNG", Image.new("1", (9, 9), 0), transparency=0),
        png(chunk(b"tRNS", b"\x12\x34"), depth=16, colour=0, rows=(b"\0" + b"\x12\x34" * 4) * 4),
        png(chunk(b"tRNS", b"\x12\x34" * 3), depth=16, rows=(b"\0" + b"\x12\x34" * 12) * 4),
    ],
    ids=["palette", "gif", "grey", "grey key", "colour key", "one bit", "16-bit grey key", "16-bit colour key"],
)
def test_every_kind_of_transparency_shows_the_white_behind(data):
    assert is_near(colour_of(data), (255, 255, 255))


def test_a_palette_gives_its_colours():
    assert is_near(colour_of(encoded("PNG", Image.new("RGB", (9, 9), (250, 128, 3)).quantize(4))), (250, 128, 3), by=3)


def test_one_bit_is_black_or_white():
    assert colour_of(encoded("PNG", Image.new("1", (9, 9), 1))) == (255, 255, 255)


def test_a_png_of_linear_light_is_encoded_for_the_screen():
    linear = chunk(b"gAMA", struct.pack(">I", 100_000))
    rows = (b"\0" + bytes([55] * 12)) * 4
    assert is_near(colour_of(png(linear, rows=rows)), (128, 128, 128), by=1)
    # A picture that says it is sRGB means that, whatever its gamma says.
    assert is_near(colour_of(png(linear, chunk(b"sRGB", b"\0"), rows=rows)), (55, 55, 55), by=1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_of_an_animation_the_first_picture_is_taken(kind):
    first, second = Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), BLUE)
    image = normalise_upload(encoded(kind, first, save_all=True, append_images=[second]))
    assert is_near(pixels(image).getpixel((8, 8)), RED, by=4)
    assert image.notes == ("first-frame-only",)


def test_colour_keeps_its_full_resolution():
    """One red and one blue column side by side stay two colours: 4:2:0 would make both purple."""
    stripes = Image.new("RGB", (16, 16), RED)
    for x in range(0, 16, 2):
        stripes.paste(BLUE, (x, 0, x + 1, 16))
    shown = pixels(normalise_upload(encoded("PNG", stripes)))
    assert is_near(shown.getpixel((8, 8)), BLUE, by=30)
    assert is_near(shown.getpixel((9, 8)), RED, by=30)


def test_the_copy_has_no_segment_that_could_carry_anything():
    image = normalise_upload(encoded("JPEG", exif=crafting.with_gps(), comment=crafting.CANARY, xmp=crafting.CANARY))
    markers, at = [], 2
    while image.content[at + 1] != 0xDA:
        markers.append(image.content[at + 1])
        at += 2 + int.from_bytes(image.content[at + 2 : at + 4], "big")
    assert set(markers) == {0xE0, 0xDB, 0xC0, 0xC4}
    assert image.content[6:20] == b"JFIF\0\1\1\0\0\1\0\1\0\0"


def test_the_hash_survives_size_and_compression_and_tells_pictures_apart():
    picture = four_corners().resize((480, 320), Image.Resampling.BICUBIC)
    picture.paste((240, 200, 20), (60, 180, 300, 260))
    own = normalise_upload(encoded("PNG", picture)).perceptual_hash
    for changed in (encoded("JPEG", picture, quality=30), encoded("WEBP", picture.resize((120, 80)), quality=40)):
        assert hamming(own, normalise_upload(changed).perceptual_hash) <= 5
    mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for other in (encoded("PNG", mirrored), encoded("PNG", crafting.plain(480, 320))):
        assert hamming(own, normalise_upload(other).perceptual_hash) > 10


def test_hashes_are_compared_bit_by_bit():
    assert hamming("00000000000000ff", "000000000000000f") == 4
    assert hamming("8000000000000000", "8000000000000000") == 0
