"""Looks of stored pictures: computed once by content, a network's beside them where its weights are given."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from torchvision.models import resnet18

from jobs.errors import UserError
from recommend.engine.style import principal
from recommend.models import PictureVector
from recommend.services.picture_vectors import looks_of, recipes

pytestmark = pytest.mark.django_db
COLOURS = {"red": (200, 30, 30), "rose": (220, 60, 60), "blue": (30, 30, 200)}


@pytest.fixture
def pictures() -> list[tuple[str, str] | None]:
    stored: list[tuple[str, str] | None] = []
    for name, colour in COLOURS.items():
        file = io.BytesIO()
        Image.new("RGB", (32, 32), colour).save(file, "PNG")
        stored.append((name.ljust(64, "0"), default_storage.save(f"looks/{name}.png", ContentFile(file.getvalue()))))
    return [*stored, None, ("lost".ljust(64, "0"), "looks/lost.png")]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    path = tmp_path / "resnet18.pth"
    torch.save(resnet18(weights=None).state_dict(), path)
    return path


def test_looks_are_unit_rows_and_nothing_where_there_is_no_picture(pictures: list[tuple[str, str] | None]) -> None:
    looks = looks_of(pictures)

    np.testing.assert_allclose(np.linalg.norm(looks, axis=1), [1, 1, 1, 0, 0], atol=1e-5)
    assert looks[0] @ looks[1] > looks[0] @ looks[2]
    assert set(PictureVector.objects.values_list("recipe", flat=True)) == {"hand-made-1"}


def test_a_network_adds_what_it_sees_and_is_asked_once(
    pictures: list[tuple[str, str] | None], weights: Path, settings: Any
) -> None:
    plain = looks_of(pictures)
    settings.RESNET18_WEIGHTS = str(weights)

    looks = looks_of(pictures)

    assert looks.shape == plain.shape == (5, 64)
    np.testing.assert_allclose(np.linalg.norm(looks, axis=1), [1, 1, 1, 0, 0], atol=1e-5)
    assert not np.allclose(looks, plain)
    assert PictureVector.objects.filter(recipe=recipes()[1].name).count() == 3
    PictureVector.objects.filter(recipe="hand-made-1").update(vector=np.ones(64, dtype="<f4").tobytes())
    PictureVector.objects.exclude(recipe="hand-made-1").update(vector=np.ones(896, dtype="<f4").tobytes())
    assert not looks_of(pictures).any()  # all alike: read from the table, not from the pictures


def test_a_file_that_holds_no_such_network_is_named(
    pictures: list[tuple[str, str] | None], tmp_path: Path, settings: Any
) -> None:
    settings.RESNET18_WEIGHTS = str(tmp_path / "none.pth")
    with pytest.raises(UserError, match="STYLEREC_RESNET18_WEIGHTS"):
        looks_of(pictures)
    (tmp_path / "none.pth").write_bytes(b"no weights")
    with pytest.raises(UserError, match="ResNet-18"):
        looks_of(pictures)


@pytest.mark.parametrize("seed", range(8))
def test_an_axis_points_where_its_largest_entry_does(seed: int) -> None:
    axis = np.random.default_rng(seed).normal(size=5)
    axis *= np.sign(axis[np.abs(axis).argmax()]) / np.linalg.norm(axis)

    turned = principal(np.array([axis, -axis, 0.5 * axis], dtype=np.float32), 2)

    np.testing.assert_allclose(turned, [[1, 0], [-1, 0], [1, 0]], atol=1e-5)


def test_principal_axes_keep_angles_and_do_not_depend_on_the_order_of_pictures() -> None:
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(50, 3)) @ rng.normal(size=(3, 100))).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    order = rng.permutation(50)

    turned = principal(rows, 8)

    np.testing.assert_allclose(turned @ turned.T, rows @ rows.T, atol=1e-5)
    np.testing.assert_allclose(principal(rows[order], 8)[:, :3], turned[order][:, :3], atol=1e-4)
