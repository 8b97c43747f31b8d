"""``manage.py train_style``: two folders in, an artifact out, and every mistake said plainly."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from styling.cyclegan import artifact, presets
from styling.cyclegan.settings import TrainingSettings
from tests.styling.cyclegan.conftest import shapes, write_pictures


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    toy = TrainingSettings(
        width=4, blocks=1, discriminator_width=4, discriminator_layers=1, image_size=32, crop_size=16, batch_size=1
    )
    monkeypatch.setitem(presets.PRESETS, "draft", toy)
    for name, seed in (("source", 1), ("target", 2)):
        write_pictures(tmp_path / name, shapes(8, seed=seed))
    return [
        "--source", str(tmp_path / "source"), "--target", str(tmp_path / "target"), "--out", str(tmp_path / "out"),
    ]  # fmt: skip


def test_it_trains_without_a_database(folders: list[str], tmp_path: Path) -> None:
    (tmp_path / "source" / "torn.png").write_bytes(b"no picture")
    out, err = StringIO(), StringIO()

    call_command("train_style", *folders, "--steps", "4", "--seed", "5", stdout=out, stderr=err)

    config = artifact.verify(tmp_path / "out")
    assert (config["training"]["seed"], config["training"]["steps"]) == (5, 4)
    assert "step 4/4" in out.getvalue()
    assert str(tmp_path / "out") in out.getvalue().splitlines()[-1]
    assert "torn.png (broken)" in err.getvalue()


def test_it_resumes(folders: list[str], tmp_path: Path) -> None:
    call_command("train_style", *folders, "--steps", "2", stdout=StringIO())
    (tmp_path / "out" / "config.json").unlink()

    call_command("train_style", *folders, "--steps", "2", "--resume", stdout=StringIO())

    assert artifact.read_metrics(tmp_path / "out")["steps"] == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--preset", "fast"], "draft, painterly"),
        (["--minutes", "-1"], "minutes"),
        (["--source", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_said_plainly(folders: list[str], changes: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("train_style", *folders, *changes, stdout=StringIO())
