"""Engines: the same pictures from each, the fastest true one in use, work that goes on when one fails."""

from __future__ import annotations

import logging

import pytest
import torch

from styling.cyclegan import engines, export
from styling.cyclegan.devices import choose
from styling.cyclegan.engines import Engines
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import Generator
from styling.cyclegan.rendering import Core, changed


@pytest.fixture(autouse=True)
def nothing_tried_yet(monkeypatch):
    monkeypatch.setattr(engines, "_beaten", {})


def make(*, only=None, precision="float32", architecture="residual") -> Engines:
    torch.manual_seed(4)
    core = Core(Generator(architecture=architecture, width=6, blocks=1)).eval().requires_grad_(False)
    compute = choose("cpu", precision=precision)
    return Engines(
        core, compute, channels=3, rendered=lambda source, answer: changed(source, answer, color_keep=0.0), only=only
    )


class Fake:
    """An engine that answers as the true one, plus an error."""

    def __init__(self, core, *, name="openvino", error=0.0):
        self.name, self._core, self._error = name, core, error

    def __call__(self, pictures):
        with torch.inference_mode():
            return self._core(pictures) + self._error


def pretend(monkeypatch, subject: Engines, *, seconds: dict[str, float], error: float = 0.0) -> None:
    """Let OpenVINO be a fake, and each engine take so many seconds."""
    subject._untried = ["openvino"]
    monkeypatch.setattr(subject, "_make", lambda name: Fake(subject._core, name=name, error=error))
    monkeypatch.setattr(subject, "_seconds_of", lambda engine: seconds[engine.name])


@pytest.mark.parametrize("architecture", ["residual", "resnet"])
@pytest.mark.parametrize("name", ["openvino", "onnxruntime"])
def test_every_engine_gives_the_same_pictures(name, architecture):
    eager, other = make(only="eager", architecture=architecture), make(only=name, architecture=architecture)
    for shape in ((1, 64, 64), (2, 36, 132)):
        pictures = export.probe(shape[0], 3, *shape[1:])
        ours = changed(pictures, eager(pictures), color_keep=0.0)
        theirs = changed(pictures, other(pictures), color_keep=0.0)
        error = (ours - theirs).square().mean().item()
        assert error < 4 / 10 ** (engines.MIN_PSNR / 10)


def test_a_faster_engine_is_taken(monkeypatch, caplog):
    subject = make()
    pretend(monkeypatch, subject, seconds={"eager": 2.0, "openvino": 1.0})
    with caplog.at_level(logging.INFO):
        subject.prepare()
    assert subject.current.name == "openvino"
    assert "Translating with engine openvino" in caplog.text


@pytest.mark.parametrize(
    ("seconds", "error"), [({"eager": 1.0, "openvino": 0.99}, 0.0), ({"eager": 2.0, "openvino": 1.0}, 0.2)]
)
def test_one_hardly_faster_or_untrue_is_not(monkeypatch, seconds, error):
    subject = make()
    pretend(monkeypatch, subject, seconds=seconds, error=error)
    subject.prepare()
    assert subject.current.name == "eager"


def test_short_work_never_looks_for_another(monkeypatch):
    subject = make()
    pretend(monkeypatch, subject, seconds={"eager": 2.0, "openvino": 1.0})
    for _ in range(3):
        subject(export.probe(1, 3, 32, 32))
    assert subject.current.name == "eager"
    monkeypatch.setattr(engines, "PREPARE_AFTER_SECONDS", {"openvino": 0.0})
    subject(export.probe(1, 3, 32, 32))
    assert subject.current.name == "openvino"


def test_what_lost_once_is_not_tried_again_for_networks_of_that_shape(monkeypatch):
    subject = make()
    pretend(monkeypatch, subject, seconds={"eager": 1.0, "openvino": 2.0})
    subject.prepare()
    assert "openvino" not in make()._untried
    assert "openvino" in make(architecture="resnet")._untried


def test_an_engine_that_cannot_be_had_is_left_out_with_a_warning(monkeypatch, caplog):
    subject = make()
    pretend(monkeypatch, subject, seconds={"eager": 1.0})
    monkeypatch.setattr(subject, "_make", lambda _name: (_ for _ in ()).throw(RuntimeError("no such instruction")))
    subject.prepare()
    assert subject.current.name == "eager"
    assert "no such instruction" in caplog.text


def test_an_engine_that_fails_at_work_is_replaced_by_eager(monkeypatch, caplog):
    subject, pictures = make(), export.probe(1, 3, 32, 32)
    expected = subject(pictures)
    broken = Fake(subject._core)
    monkeypatch.setattr(Fake, "__call__", lambda *_arguments: (_ for _ in ()).throw(RuntimeError("lost its threads")))
    subject.current = broken
    assert torch.equal(subject(pictures), expected)
    assert subject.current.name == "eager"
    assert "lost its threads" in caplog.text


def test_bfloat16_gives_way_where_it_loses_too_much(monkeypatch):
    monkeypatch.setattr(engines, "MIN_PSNR", 200.0)
    assert make(precision="bfloat16").compute.autocast_dtype is None


def test_an_unknown_name_is_refused():
    with pytest.raises(CycleGANError) as refusal:
        make(only="abacus")
    assert refusal.value.code == "bad-settings"
