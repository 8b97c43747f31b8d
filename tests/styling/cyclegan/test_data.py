"""From files to crops: odd pictures, broken ones, and a step's crops that follow from its number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from styling.cyclegan.data import Crops, Pictures, find_pictures, load_pictures, open_picture, split, to_image
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.settings import TrainingSettings
from tests.styling.cyclegan.conftest import shapes, write_pictures

Toy = Callable[..., TrainingSettings]


def test_a_folder_without_pictures_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")

    with pytest.raises(CycleGANError) as caught:
        find_pictures(tmp_path)
    with pytest.raises(CycleGANError) as missing:
        find_pictures(tmp_path / "nowhere")

    assert caught.value.code == missing.value.code == "no-pictures"


def test_pictures_are_found_in_sub_folders(tmp_path: Path) -> None:
    paths = write_pictures(tmp_path / "a" / "b", shapes(2, seed=0))

    assert find_pictures(tmp_path) == paths


def test_every_kind_of_picture_becomes_colour(tmp_path: Path, toy: Toy) -> None:
    kinds = {
        "grey.png": Image.new("L", (30, 40), 128),
        "cmyk.jpg": Image.new("CMYK", (40, 30), (0, 255, 255, 0)),
        "alpha.png": Image.new("RGBA", (32, 32), (255, 0, 0, 0)),
        "palette.gif": Image.new("P", (32, 32), 3),
        "deep.png": Image.fromarray(np.full((32, 32), 257 * 100, dtype=np.uint16)),
        "strip.png": Image.new("RGB", (20_000, 20), "blue"),
        "two.png": Image.new("1", (32, 32), 1),
    }
    for name, image in kinds.items():
        image.save(tmp_path / name)

    pictures = load_pictures(find_pictures(tmp_path), toy(min_pictures=7), role="source")

    by_name = {path.name: tensor for path, tensor in zip(pictures.paths, pictures.tensors, strict=True)}
    assert all(tensor.shape[0] == 3 and min(tensor.shape[1:]) == 32 for tensor in by_name.values())
    assert max(by_name["strip.png"].shape) == 64
    assert by_name["grey.png"].unique().tolist() == [128]
    assert by_name["alpha.png"].unique().tolist() == [255]  # transparent is white
    assert by_name["deep.png"].unique().tolist() == [100]
    red = by_name["cmyk.jpg"].float().mean(dim=(1, 2))
    assert red[0] > 180 > 80 > red[1]


def test_broken_tiny_and_enormous_pictures_are_left_out_and_named(tmp_path: Path, toy: Toy) -> None:
    write_pictures(tmp_path, shapes(8, seed=0))
    (tmp_path / "torn.png").write_bytes((tmp_path / "000.png").read_bytes()[:100])
    (tmp_path / "text.jpg").write_text("not a picture")
    Image.new("RGB", (1, 1)).save(tmp_path / "one.png")
    Image.new("1", (20_000, 20_000)).save(tmp_path / "vast.png")

    pictures = load_pictures(find_pictures(tmp_path), toy(), role="source")

    assert len(pictures.tensors) == 8
    assert {skip.path.name: skip.reason for skip in pictures.skipped} == {
        "torn.png": "broken",
        "text.jpg": "broken",
        "one.png": "too-small",
        "vast.png": "too-large",
    }


@pytest.mark.parametrize("role", ["source", "target"])
def test_a_domain_of_one_picture_is_too_few(tmp_path: Path, toy: Toy, role: str) -> None:
    paths = write_pictures(tmp_path, shapes(1, seed=0))

    with pytest.raises(CycleGANError, match="Only 1 usable") as caught:
        load_pictures(paths, toy(), role=role)

    assert caught.value.code == f"too-few-{role}"


def test_a_domain_that_is_too_few_for_broken_files_names_them(tmp_path: Path, toy: Toy) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG")

    with pytest.raises(CycleGANError, match=r"torn\.png \(broken\)"):
        load_pictures([tmp_path / "torn.png"], toy(), role="source")


def test_sixteen_bits_come_in_and_go_out_whole(tmp_path: Path) -> None:
    values = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    Image.fromarray(values).save(tmp_path / "scan.png")

    opened = open_picture(tmp_path / "scan.png", channels=1, bit_depth=16)
    written = to_image(torch.from_numpy(opened).permute(2, 0, 1) / 127.5 - 1, bit_depth=16)

    assert written.mode == "I;16"
    assert np.array_equal(np.asarray(written), values)


def test_upright_pictures_are_read_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "turned.jpg", exif=exif)

    assert open_picture(tmp_path / "turned.jpg", channels=3, bit_depth=8).shape == (40, 20, 3)


def _numbered(count: int, side: int = 16) -> Pictures:
    tensors = [torch.full((3, side, side), index, dtype=torch.uint8) for index in range(count)]
    return Pictures(tensors, [Path(str(index)) for index in range(count)], [])


def test_every_picture_is_seen_once_before_any_is_seen_twice(toy: Toy) -> None:
    crops = Crops(_numbered(6), toy(batch_size=2), domain=0)

    seen = [
        round(value) for step in range(3) for value in ((crops.batch(step, range(2))[:, 0, 0, 0] + 1) * 127.5).tolist()
    ]

    assert sorted(seen) == list(range(6))


def test_a_steps_crops_do_not_depend_on_who_cuts_them(toy: Toy) -> None:
    pictures = Pictures([torch.randint(0, 255, (3, 32, 40), dtype=torch.uint8) for _ in range(9)], [], [])
    settings = toy(batch_size=4)

    whole = Crops(pictures, settings, domain=0).batch(5, range(4))
    parts = [Crops(pictures, settings, domain=0).batch(5, lanes) for lanes in (range(2), range(2, 4))]

    assert torch.equal(whole, torch.cat(parts))


def test_held_out_pictures_are_not_trained_on(toy: Toy) -> None:
    kept, held = split(_numbered(40), toy())

    assert len(held.paths) == 6
    assert not set(kept.paths) & set(held.paths)
    assert split(_numbered(40), toy())[1].paths == held.paths
