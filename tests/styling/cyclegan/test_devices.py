"""Device and arithmetic are decided in one place, and compiling only where it earns its time back."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from styling.cyclegan import devices
from styling.cyclegan.devices import Compute, choose, is_out_of_memory, should_compile
from styling.cyclegan.presets import preset

CPU = Compute(torch.device("cpu"), None)


def test_the_given_precision_is_taken() -> None:
    assert choose("cpu", precision="bfloat16").autocast_dtype is torch.bfloat16
    assert choose("cpu", precision="float32").autocast_dtype is None


def test_bfloat16_is_chosen_only_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for capabilities, dtype in (({"avx512_bf16": True}, torch.bfloat16), ({"avx512_f": True}, None)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda given=capabilities: given)
        assert choose("cpu").autocast_dtype is dtype


def test_short_jobs_are_never_compiled_and_long_ones_are_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.shutil, "which", lambda _name: "/usr/bin/g++")
    decisions = {}
    for amx in (False, True):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda amx=amx: {"amx_tile": amx})
        decisions[amx] = [should_compile(preset(name), CPU) for name in ("draft", "painterly", "paper")]

    assert decisions == {False: [False, False, False], True: [False, False, True]}


def test_without_a_compiler_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.shutil, "which", lambda _name: None)

    assert not should_compile(replace(preset("paper"), compile="always"), CPU)


def test_minutes_decide_as_steps_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.shutil, "which", lambda _name: "/usr/bin/g++")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_tile": True})

    assert not should_compile(preset("draft").within(minutes=5), CPU)
    assert should_compile(preset("standard").within(minutes=60), CPU)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_lack_of_memory_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected
