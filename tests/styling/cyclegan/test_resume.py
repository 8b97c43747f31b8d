"""Kill -9 at any moment, resume, and the model is bit for bit that of a run never killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from styling.cyclegan import artifact, checkpoints
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.state import TrainingState
from styling.cyclegan.training import StepReport, train

Toy = Callable[..., TrainingSettings]
Domains = tuple[list[Path], list[Path]]

# A server that has torch loaded and forks: each killed run is a process of its own, and starts at once.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["styling.cyclegan.training"])


def _killed_run(arguments: dict[str, Any], *, at_step: int | None, at_write: int | None) -> None:
    """Run until step ``at_step``, or until the ``at_write``-th file is half done, and die as by kill -9."""
    torch.set_num_threads(1)
    writes: list[int] = []

    def die_at_step(report: StepReport) -> None:
        if report.step == at_step:
            os.kill(os.getpid(), signal.SIGKILL)

    def die_at_write(path: Path, content: bytes) -> None:
        writes.append(1)
        if len(writes) == at_write:
            path.with_name(f".{path.name}.tmp").write_bytes(content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        artifact.write_atomically(path, content)

    checkpoints.write_atomically = die_at_write  # type: ignore[attr-defined]
    train(**arguments, on_step=die_at_step)


def _kill(arguments: dict[str, Any], *, at_step: int | None = None, at_write: int | None = None) -> None:
    process = _processes.Process(
        target=_killed_run, args=(arguments,), kwargs={"at_step": at_step, "at_write": at_write}
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("algorithm", ["cyclegan", "cut"])
def test_killed_runs_end_bit_equal(domains: Domains, toy: Toy, tmp_path: Path, algorithm: str) -> None:
    settings = toy(steps=14, checkpoint_every=3, algorithm=algorithm, pool_size=6)
    arguments = {"source": domains[0], "target": domains[1], "settings": settings}

    train(**arguments, out=tmp_path / "whole")
    killed = {**arguments, "out": tmp_path / "killed"}
    _kill(killed, at_step=2)  # before any checkpoint
    _kill({**killed, "resume": True}, at_step=8)
    _kill({**killed, "resume": True}, at_write=1)  # while tensors are written
    _kill({**killed, "resume": True}, at_write=4)  # while a record is written
    reports: list[StepReport] = []
    train(**killed, resume=True, on_step=reports.append)

    assert reports[0].step > 4  # it did not begin again
    for name in (artifact.WEIGHTS, artifact.LOSSES, artifact.SAMPLES):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()
    whole, resumed = (checkpoints.read_latest(tmp_path / name) for name in ("whole", "killed"))
    assert whole is not None
    assert resumed is not None
    assert whole.record["counters"] | {"seconds": 0} == resumed.record["counters"] | {"seconds": 0}
    assert all(torch.equal(tensor, resumed.tensors[name]) for name, tensor in whole.tensors.items())


def test_a_torn_checkpoint_falls_back_to_the_one_before(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    arguments = {"source": domains[0], "target": domains[1], "settings": toy(steps=6, checkpoint_every=2)}
    train(**arguments, out=tmp_path / "out")  # type: ignore[arg-type]
    expected = artifact.read_config(tmp_path / "out")["weights_sha256"]
    newest = tmp_path / "out" / "checkpoints" / "step-00000006.safetensors"
    newest.write_bytes(newest.read_bytes()[:-10])
    reports: list[StepReport] = []

    train(**arguments, out=tmp_path / "out", resume=True, on_step=reports.append)  # type: ignore[arg-type]

    assert [report.step for report in reports] == [5, 6]
    assert artifact.read_config(tmp_path / "out")["weights_sha256"] == expected


def test_two_checkpoints_and_the_best_are_kept(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=8, checkpoint_every=2))

    kept = {path.name for path in (tmp_path / "out" / "checkpoints").iterdir()} - {"best.json", "best.safetensors"}

    assert kept == {f"step-0000000{step}.{kind}" for step in (6, 8) for kind in ("json", "safetensors")}


def test_weights_that_are_not_finite_never_replace_a_checkpoint(
    domains: Domains, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainingState, "is_finite", lambda state: state.step < 5)

    train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=6, checkpoint_every=2))

    latest = checkpoints.read_latest(tmp_path / "out")
    assert latest is not None
    assert latest.record["counters"]["step"] == 4
