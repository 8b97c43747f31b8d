"""Model files that somebody else made: nothing in them runs, and each is refused with its reason."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from recommend.engine import artifact as recommenders
from recommend.engine.errors import EngineError
from styling.cyclegan import artifact as translators
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import build_generator
from styling.cyclegan.settings import TrainingSettings


class Bomb:
    """A pickle that leaves a file behind when it is opened."""

    def __init__(self, fuse: Path) -> None:
        self._fuse = fuse

    def __reduce__(self):
        return Path.touch, (self._fuse,)


@pytest.fixture
def fuse(tmp_path: Path) -> Path:
    """The file that must never be there."""
    return tmp_path / "exploded"


@pytest.fixture
def translator(tmp_path: Path) -> Path:
    settings = TrainingSettings(width=4, blocks=1, image_size=32)
    weights = build_generator(translators.generator_config(settings)).state_dict()
    translators.write(tmp_path / "style", settings=settings, weights=weights, metrics={}, losses=[], samples=b"png")
    translators.load_generator(tmp_path / "style")
    return tmp_path / "style"


@pytest.fixture
def recommender(tmp_path: Path) -> Path:
    arrays = {"item_matrix": np.zeros((3, 4), dtype=np.float32)}
    recommenders.write(tmp_path / "fit", arrays=arrays, config={"factors": 2}, metrics={})
    recommenders.read(tmp_path / "fit")
    return tmp_path / "fit"


def torch_file(bomb: Bomb) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weights": bomb}, buffer)
    return buffer.getvalue()


def truncated_header() -> bytes:
    return (2**63 - 1).to_bytes(8, "little") + b"{}"


@pytest.mark.parametrize("kind", ["pickle", "torch", "header", "zip", "empty"])
def test_weights_that_are_no_safetensors_are_refused_and_never_unpickled(translator, fuse, kind):
    """Their hash is right: whoever can write the weights can write the config, too."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("archive/data.pkl", pickle.dumps(Bomb(fuse)))
    content = {
        "pickle": pickle.dumps(Bomb(fuse)), "torch": torch_file(Bomb(fuse)), "header": truncated_header(),
        "zip": archive.getvalue(), "empty": b"",
    }[kind]  # fmt: skip
    (translator / translators.WEIGHTS).write_bytes(content)
    config = json.loads((translator / translators.CONFIG).read_text())
    config["weights_sha256"] = translators.sha256_of(translator / translators.WEIGHTS)
    (translator / translators.CONFIG).write_text(json.dumps(config))
    with pytest.raises(CycleGANError) as refused:
        translators.load_generator(translator)
    assert refused.value.code == "artifact-invalid"
    assert not fuse.exists()


def test_more_tensors_than_the_network_has_are_refused(translator):
    generator, _config = translators.load_generator(translator)
    (translator / translators.WEIGHTS).write_bytes(save({**generator.state_dict(), "stowaway": torch.zeros(9)}))
    config = json.loads((translator / translators.CONFIG).read_text())
    config["weights_sha256"] = translators.sha256_of(translator / translators.WEIGHTS)
    (translator / translators.CONFIG).write_text(json.dumps(config))
    with pytest.raises(CycleGANError) as refused:
        translators.load_generator(translator)
    assert refused.value.code == "artifact-invalid"


def as_if_written(directory: Path, name: str, content: bytes) -> None:
    """Another array, with the hash put right."""
    (directory / name).write_bytes(content)
    config = json.loads((directory / "config.json").read_text())
    config["sha256"][name] = recommenders._sha256(directory / name)
    (directory / "config.json").write_text(json.dumps(config))


def test_arrays_of_objects_are_refused_and_never_unpickled(recommender, fuse):
    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb(fuse)], dtype=object), allow_pickle=True)
    for content in (buffer.getvalue(), pickle.dumps(Bomb(fuse))):
        as_if_written(recommender, "item_matrix.npy", content)
        for mapped in (True, False):
            with pytest.raises(EngineError) as refused:
                recommenders.read(recommender, mapped=mapped)
            assert refused.value.code == "artifact-corrupt"
    assert not fuse.exists()


def test_an_altered_array_is_noticed(recommender):
    content = bytearray((recommender / "item_matrix.npy").read_bytes())
    content[-1] ^= 1
    (recommender / "item_matrix.npy").write_bytes(content)
    with pytest.raises(EngineError, match="not the file that was written"):
        recommenders.read(recommender)


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"format": recommenders.FORMAT + 1}, "artifact-newer"),
        ({"format": "1"}, "artifact-corrupt"),
        ({}, "artifact-corrupt"),
        ([], "artifact-corrupt"),
    ],
)
def test_a_config_of_another_version_or_none_is_refused(recommender, config, code):
    (recommender / "config.json").write_text(json.dumps(config))
    with pytest.raises(EngineError) as refused:
        recommenders.read(recommender)
    assert refused.value.code == code


def test_a_config_that_is_a_bomb_itself_is_refused(recommender):
    (recommender / "config.json").write_text("[" * 100_000)
    with pytest.raises(EngineError):
        recommenders.read(recommender)


def test_a_config_names_no_file_outside_its_folder(recommender, tmp_path):
    np.save(tmp_path / "elsewhere.npy", np.zeros(3))
    config = json.loads((recommender / "config.json").read_text())
    config["sha256"]["../elsewhere.npy"] = recommenders._sha256(tmp_path / "elsewhere.npy")
    (recommender / "config.json").write_text(json.dumps(config))
    with pytest.raises(EngineError):
        recommenders.read(recommender)
