"""Two processes under torchrun learn what one does at the same global batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from styling.cyclegan import checkpoints
from styling.cyclegan.distributed import Workers
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.training import train

PROGRAM = """
import json, sys
from pathlib import Path
import torch
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.training import train
torch.set_num_threads(1)
given = json.loads(sys.argv[1])
pictures = {name: [Path(path) for path in given[name]] for name in ("source", "target")}
train(**pictures, out=Path(given["out"]), settings=TrainingSettings.from_dict(given["settings"]), device="cpu")
"""


def test_two_processes_match_one(
    domains: tuple[list[Path], list[Path]], toy: Callable[..., TrainingSettings], tmp_path: Path
) -> None:
    settings = toy(steps=12, batch_size=4, pool_size=8, learning_rate=2e-4, discriminator_learning_rate=2e-4)
    train(source=domains[0], target=domains[1], out=tmp_path / "one", settings=settings, device="cpu")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    given = {
        "source": [str(path) for path in domains[0]],
        "target": [str(path) for path in domains[1]],
        "out": str(tmp_path / "two"),
        "settings": settings.to_dict(),
    }
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    root = Path(__file__).parents[3]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    finished = subprocess.run(
        [*launch, str(program), json.dumps(given)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]

    one, two = (checkpoints.read_latest(tmp_path / name) for name in ("one", "two"))
    assert one is not None
    assert two is not None
    for row, other in zip(one.record["curve"]["rows"], two.record["curve"]["rows"], strict=True):
        assert other == pytest.approx(row, rel=2e-3)
    # Adam turns the rounding of a gradient near zero into a step, so weights agree to a few of these.
    for name in (name for name in one.tensors if name.startswith(("average/", "generators/", "judges/"))):
        torch.testing.assert_close(two.tensors[name], one.tensors[name], atol=2e-3, rtol=0)


def test_a_batch_that_cannot_be_shared_says_so() -> None:
    assert Workers(rank=1, count=2).lanes(4) == range(2, 4)

    with pytest.raises(CycleGANError, match="multiple"):
        Workers(rank=0, count=3).lanes(4)
