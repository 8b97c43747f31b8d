"""Training a model further: it begins where the model's run ended, and says so where it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from styling.cyclegan import artifact
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.training import train

Toy = Callable[..., TrainingSettings]
Domains = tuple[list[Path], list[Path]]


def test_going_on_starts_from_the_networks_that_the_run_ended_with(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    settings = toy(steps=4)
    train(source=domains[0], target=domains[1], out=tmp_path / "first", settings=settings)
    # With a rate of almost nothing, what comes out is what went in.
    still = replace(settings.going_on(), steps=1, learning_rate=1e-12, discriminator_learning_rate=1e-12)

    for name, start in (("further", tmp_path / "first"), ("anew", None)):
        train(source=domains[0], target=domains[1], out=tmp_path / name, settings=still, start_from=start)

    first, further, anew = (load_file(tmp_path / name / artifact.NETWORKS) for name in ("first", "further", "anew"))
    networks = [key for key in first if not key.startswith("average/")]
    assert {key.split("/")[0] for key in networks} == {"generators", "judges"}
    assert all(torch.allclose(first[key], further[key], atol=1e-6) for key in networks)
    assert not all(torch.allclose(first[key], anew[key], atol=1e-6) for key in networks)


def test_a_killed_run_that_goes_on_ends_as_one_never_killed(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    train(source=domains[0], target=domains[1], out=tmp_path / "first", settings=toy(steps=4))
    settings = toy(steps=6, checkpoint_every=2).going_on()
    common = {"source": domains[0], "target": domains[1], "settings": settings, "start_from": tmp_path / "first"}
    train(**common, out=tmp_path / "whole")

    def killed(report: object) -> None:
        if report.step == 3:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(**common, out=tmp_path / "halves", on_step=killed, resume=True)
    train(**common, out=tmp_path / "halves", resume=True)

    whole, halves = (load_file(tmp_path / name / artifact.NETWORKS) for name in ("whole", "halves"))
    assert all(torch.equal(whole[key], halves[key]) for key in whole)


def test_cycle_and_identity_stay_where_they_ended_and_the_noise_begins_again(toy: Toy) -> None:
    settings = toy(cycle_start=9.0, cycle_end=2.0, identity_start=3.0, identity_end=0.5, judge_noise_start=0.4)

    further = settings.going_on()

    assert (further.cycle_start, further.identity_start) == (2.0, 0.5)
    assert further == replace(settings, cycle_start=2.0, identity_start=0.5, seed=settings.seed + 1)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("no-networks", "start-missing"),
        ("altered", "artifact-tampered"),
        ("unreadable", "artifact-invalid"),
        ("other-width", "start-mismatch"),
        ("nothing", "artifact-missing"),
    ],
)
def test_a_model_that_cannot_be_gone_on_from_is_refused(
    domains: Domains, toy: Toy, tmp_path: Path, damage: str, code: str
) -> None:
    first, settings = tmp_path / "first", toy(steps=2)
    train(source=domains[0], target=domains[1], out=first, settings=settings)
    networks = first / artifact.NETWORKS
    if damage == "no-networks":
        networks.unlink()
    elif damage in {"altered", "unreadable"}:
        networks.write_bytes(b"not tensors")
    elif damage == "other-width":
        settings = replace(settings, width=settings.width + 4)
    else:
        first = tmp_path / "empty"
    if damage == "unreadable":
        config = artifact.read_config(first)
        config["networks_sha256"] = artifact.sha256_of(networks)
        (first / artifact.CONFIG).write_text(json.dumps(config))

    with pytest.raises(CycleGANError) as caught:
        train(source=domains[0], target=domains[1], out=tmp_path / "further", settings=settings, start_from=first)

    assert caught.value.code == code
