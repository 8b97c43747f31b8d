"""The loop: it learns a drawn answer, reports, and ends well whatever happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from styling.cyclegan import artifact
from styling.cyclegan.data import open_picture
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.losses import CycleObjective
from styling.cyclegan.scoring import Scorer, Scores
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.training import StepReport, train
from tests.styling.cyclegan.conftest import darkened, shapes

Toy = Callable[..., TrainingSettings]
Domains = tuple[list[Path], list[Path]]


@pytest.mark.parametrize(
    ("algorithm", "changes"),
    [
        ("cyclegan", {"cycle_start": 1.0, "cycle_end": 1.0, "identity_start": 0.0, "identity_end": 0.0}),
        ("cyclegan", {"cycle_start": 1.0, "cycle_end": 1.0, "identity_start": 0.0, "adversarial": "log"}),
        ("cut", {}),
        ("fastcut", {"contrast": 0.1}),
    ],
)
def test_the_drawn_style_is_learned(
    domains: Domains, toy: Toy, tmp_path: Path, algorithm: str, changes: dict[str, object]
) -> None:
    settings = toy(
        algorithm=algorithm, steps=150, learning_rate=4e-3, discriminator_learning_rate=2e-3, ema=0.9, **changes
    )

    result = train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=settings)

    generator, _ = artifact.load_generator(tmp_path / "out")
    source = shapes(1, seed=99)[0]
    answer = darkened(source).astype(np.float32)
    with torch.no_grad():
        picture = torch.from_numpy(source).permute(2, 0, 1).float()[None] / 127.5 - 1
        translated = ((generator(picture)[0] + 1) * 127.5).permute(1, 2, 0).numpy()
    assert np.abs(translated - answer).mean() < 0.6 * np.abs(source - answer).mean()
    assert result.metrics["content_score"] > 0.6
    assert not result.stopped_early


def test_a_run_reports_previews_and_leaves_a_whole_artifact(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    reports: list[StepReport] = []
    settings = toy(steps=10)

    result = train(
        source=domains[0], target=domains[1], out=tmp_path / "out", settings=settings, on_step=reports.append
    )

    assert [report.step for report in reports] == list(range(1, 11))
    assert [report.fraction for report in reports][-1] == 1
    assert {report.total_steps for report in reports} == {10}
    assert set(reports[0].losses) == {"adversarial", "cycle", "identity", "discriminator"}
    assert [report.step for report in reports if report.sample] == [5, 10]
    assert [report.step for report in reports if report.scores] == [5, 10]
    sample = next(report.sample for report in reports if report.sample)
    assert sample == tmp_path / "out" / "previews" / "step-000005.png"
    assert np.asarray(Image.open(sample)).std() > 10
    config = artifact.verify(tmp_path / "out")
    assert config["training"] == settings.to_dict()
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == result.metrics
    assert (tmp_path / "out" / "losses.csv").read_text().splitlines()[0].startswith("step,adversarial,cycle")
    assert result.metrics["held_out_source"] == 4


def test_the_same_seed_gives_the_same_model_and_another_another(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    hashes = []
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        train(source=domains[0], target=domains[1], out=tmp_path / name, settings=toy(steps=3, seed=seed))
        hashes.append(artifact.read_config(tmp_path / name)["weights_sha256"])

    assert hashes[0] == hashes[1] != hashes[2]


def test_minutes_end_a_run(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    ticks = iter(range(0, 10_000, 6))  # each look at the clock is six seconds later
    settings = toy(steps=None, minutes=0.5)

    result = train(
        source=domains[0],
        target=domains[1],
        out=tmp_path / "out",
        settings=settings,
        clock=lambda: float(next(ticks)),
    )

    assert result.metrics["steps"] == 5
    assert result.metrics["seconds"] == 30


def test_a_stopped_run_keeps_a_checkpoint_and_resumes_to_its_end(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    asked: list[int] = []

    def stop_at_third() -> bool:
        asked.append(1)
        return len(asked) > 3

    arguments = {"source": domains[0], "target": domains[1], "out": tmp_path / "out", "settings": toy(steps=6)}
    stopped = train(**arguments, should_stop=stop_at_third)  # type: ignore[arg-type]
    reports: list[StepReport] = []
    finished = train(**arguments, resume=True, on_step=reports.append)  # type: ignore[arg-type]

    assert (stopped.stopped_early, stopped.reason) == (True, "stopped")
    assert [report.step for report in reports] == [4, 5, 6]
    assert finished.reason == ""


def test_resuming_under_other_settings_says_which(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=2))

    with pytest.raises(CycleGANError, match=r"width") as caught:
        train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=2, width=8), resume=True)

    assert caught.value.code == "checkpoint-mismatch"


def test_a_new_run_forgets_the_checkpoints_of_the_old_one(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    for steps in (4, 2):
        train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=steps))

    assert [path.name for path in (tmp_path / "out" / "checkpoints").glob("step-*.json")] == ["step-00000002.json"]


def _poisoned(from_step: int) -> Callable[..., object]:
    """The generators' objective, whose loss is not a number from the given call on."""
    calls: list[int] = []
    original = CycleObjective.forward

    def forward(self: CycleObjective, *arguments: object) -> object:
        calls.append(1)
        total, parts, fakes = original(self, *arguments)  # type: ignore[arg-type]
        factor = float("nan") if len(calls) >= from_step else 1.0
        return total * factor, parts * factor, fakes

    return forward


def test_a_run_that_diverges_keeps_the_best_version(
    domains: Domains, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CycleObjective, "forward", _poisoned(7))

    result = train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=20, evaluations=4))

    assert (result.stopped_early, result.reason) == (True, "diverged")
    assert "unstable" in result.message
    assert result.metrics["chosen_step"] == 5
    generator, _ = artifact.load_generator(tmp_path / "out")
    assert all(torch.isfinite(parameter).all() for parameter in generator.parameters())


def test_a_run_that_diverges_at_once_is_an_error(
    domains: Domains, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CycleObjective, "forward", _poisoned(1))

    with pytest.raises(CycleGANError, match="learning rate") as caught:
        train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=20))

    assert caught.value.code == "diverged"
    assert not (tmp_path / "out" / "config.json").exists()


def test_a_single_bad_step_is_passed_over(
    domains: Domains, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = CycleObjective.forward, []

    def forward(self: CycleObjective, *arguments: object) -> object:
        calls.append(1)
        total, parts, fakes = original(self, *arguments)  # type: ignore[arg-type]
        factor = float("inf") if len(calls) == 3 else 1.0
        return total * factor, parts * factor, fakes

    monkeypatch.setattr(CycleObjective, "forward", forward)

    result = train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=6))

    assert (result.reason, result.metrics["steps"]) == ("", 6)


def _scores(content: float, style: float = 0.5) -> Scores:
    return Scores(style, content, 1.0, 2.0, content, content, 1.0)


def test_a_collapse_stops_the_run_and_keeps_the_best(
    domains: Domains, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([_scores(0.9), _scores(0.2), _scores(0.9)])
    monkeypatch.setattr(Scorer, "score", lambda _scorer, _pictures: next(answers))

    result = train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=20, evaluations=4))

    assert (result.stopped_early, result.reason) == (True, "collapsed")
    assert result.metrics["chosen_step"] == 5
    assert result.metrics["steps"] == 10
    assert "no longer recognisable" in result.message


def test_the_papers_picture_size_which_is_no_multiple_of_four_is_trained_and_scored(
    domains: Domains, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[torch.Size] = []

    def score(_scorer: Scorer, pictures: torch.Tensor) -> Scores:
        sizes.append(pictures.shape[2:])
        return _scores(0.9)

    monkeypatch.setattr(Scorer, "score", score)

    train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy("paper", image_size=34, steps=2))

    assert set(sizes) == {(32, 32)}
    with Image.open(tmp_path / "out" / "samples.png") as grid:
        assert grid.height > 3 * 32


def test_memory_that_runs_out_halves_the_batch(
    domains: Domains, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = CycleObjective.forward

    def forward(self: CycleObjective, real_a: torch.Tensor, *arguments: object) -> object:
        if len(real_a) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return original(self, real_a, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(CycleObjective, "forward", forward)

    result = train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=3, batch_size=4))

    assert result.metrics["batch_size"] == 1
    assert result.metrics["steps"] == 3


def test_memory_that_runs_out_for_one_picture_is_an_error(
    domains: Domains, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forward(*_arguments: object) -> object:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    monkeypatch.setattr(CycleObjective, "forward", forward)

    with pytest.raises(CycleGANError, match="one picture per step") as caught:
        train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy())

    assert caught.value.code == "out-of-memory"


def test_other_errors_are_not_taken_for_a_lack_of_memory(
    domains: Domains, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forward(*_arguments: object) -> object:
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(CycleObjective, "forward", forward)

    with pytest.raises(RuntimeError, match="shape mismatch"):
        train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy())


def test_kept_colour_survives_training(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    settings = toy(steps=30, learning_rate=4e-3, color_keep=1.0)

    train(source=domains[0], target=domains[1], out=tmp_path / "out", settings=settings)

    generator, _ = artifact.load_generator(tmp_path / "out")
    grey = torch.full((1, 3, 16, 16), -0.1)
    with torch.no_grad():
        translated = generator(grey)
    torch.testing.assert_close(translated[:, 0], translated[:, 2], atol=1e-5, rtol=0)


def test_bfloat16_trains_too(domains: Domains, toy: Toy, tmp_path: Path) -> None:
    result = train(
        source=domains[0], target=domains[1], out=tmp_path / "out", settings=toy(steps=2, precision="bfloat16")
    )

    assert result.reason == ""
    assert open_picture(tmp_path / "out" / "samples.png", channels=3, bit_depth=8).std() > 10
