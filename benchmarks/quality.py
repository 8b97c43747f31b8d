"""Quality per minute: a preset against the paper's CycleGAN, which is given a multiple of its CPU time.

Baseline ``paper``: the networks, losses, weights and schedule of Zhu et al. 2017 on 256 px pictures, float32, one
picture a step. ``paper-small``: the same on the preset's own pictures and crops, so that it takes many more steps. Both
are run by this project's step, which is no slower than the reference's (``python -m benchmarks.train``).

All see the same pictures, and are scored on the same held-out ones: each translates them at its own size, and style
and content are measured at the size of the preset. Time is CPU time over all threads, scoring excluded, so that
neighbours on the machine change nothing.

    python -m benchmarks.quality --json                                  # the demo shop's products and a drawn look
    python -m benchmarks.quality --source DIR --target DIR --json        # any two folders of pictures
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.machine import report
from catalog.demo import assortment
from styling.cyclegan import artifact, data, devices, distributed, samples
from styling.cyclegan.networks import Generator
from styling.cyclegan.presets import preset
from styling.cyclegan.run import translate
from styling.cyclegan.scoring import Scorer
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.stepping import Stepper
from styling.demo import LOOKS

#: Pictures of each domain that are used at most; scoring more would take longer than a short training.
MOST_PICTURES = 240


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to train, and the CPU seconds it may use."""

    name: str
    settings: TrainingSettings
    cpu_seconds: float


def contenders(chosen: TrainingSettings, baselines: Sequence[str], *, minutes: float, times: float) -> list[Contender]:
    """The preset and the baselines, all on pictures that a multiple-of-four generator answers in size."""
    paper = replace(preset("paper"), image_size=256, precision="float32", compile="never")
    small = replace(paper, image_size=chosen.image_size, crop_size=chosen.crop_size)
    known = {"paper": paper, "paper-small": small}
    return [Contender(chosen.preset, chosen, 60 * minutes)] + [
        Contender(name, known[name], 60 * minutes * times) for name in baselines
    ]


def loaded(
    source: Sequence[Path], target: Sequence[Path], settings: TrainingSettings
) -> tuple[tuple[data.Pictures, data.Pictures], tuple[data.Pictures, data.Pictures]]:
    """(training, held-out) of both domains: the same files for any picture size."""
    return (
        data.split(data.load_pictures(source, settings, role="source"), settings),
        data.split(data.load_pictures(target, settings, role="target"), settings),
    )


def train(contender: Contender, source: Sequence[Path], target: Sequence[Path]) -> tuple[Generator, int, float]:
    """The averaged generator after the budget, the steps it took, and the CPU seconds."""
    settings = contender.settings
    (train_a, _), (train_b, _) = loaded(source, target, settings)
    compute = devices.choose("cpu", precision=settings.precision)
    stepper = Stepper(settings, train_a, train_b, compute, distributed.Workers())
    start = time.process_time()
    while (used := time.process_time() - start) < contender.cpu_seconds:
        stepper.step(used / contender.cpu_seconds)
    return stepper.state.average, stepper.state.step, used


def rendered(generator: Generator, held: data.Pictures, settings: TrainingSettings, *, side: int) -> Tensor:
    """Held-out pictures, translated at the contender's own size and then brought to ``side``."""
    translations = translate(
        generator, held.squares(settings.image_size), devices.choose("cpu", precision=settings.precision)
    )
    return F.interpolate(translations, size=(side, side), mode="area")


def demo_domains(folder: Path, look: str, count: int = 96) -> tuple[list[Path], list[Path]]:
    """The demo shop's product photos, and pictures in one of its looks, as files."""
    source = [product.draw(256, view=view) for product in assortment() for view in (0, 1)][:count]
    target = [LOOKS[look].draw(index) for index in range(count)]
    paths: tuple[list[Path], list[Path]] = ([], [])
    for pictures, found, name in zip((source, target), paths, ("source", "target"), strict=True):
        (folder / name).mkdir()
        for index, picture in enumerate(pictures):
            found.append(folder / name / f"{index:03d}.png")
            picture.save(found[-1])
    return paths


def compare(
    source: Sequence[Path], target: Sequence[Path], chosen: list[Contender], *, grid: Path | None
) -> dict[str, dict[str, Any]]:
    """Scores, steps and CPU seconds of each contender; ``grid`` receives what the eye is to compare."""
    side = chosen[0].settings.image_size
    (_, held_a), (_, held_b) = loaded(source, target, chosen[0].settings)
    sources, styles = held_a.squares(side), held_b.squares(side)
    scorer = Scorer(sources=sources, styles=styles)
    figures, rows = {"copy": scorer.score(sources).to_dict()}, [sources]
    for contender in chosen:
        generator, steps, seconds = train(contender, source, target)
        (_, own), _ = loaded(source, target, contender.settings)
        pictures = rendered(generator, own, contender.settings, side=side)
        figures[contender.name] = {
            **scorer.score(pictures).to_dict(),
            "steps": steps,
            "cpu_seconds": round(seconds, 1),
        }
        rows.append(pictures)
        print(contender.name, figures[contender.name], flush=True)
    if grid is not None:
        artifact.write_atomically(grid, samples.grid([*rows, styles]))
    return figures


def main() -> None:
    """Train, score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, metavar="DIR", help="pictures to translate (default: demo products)")
    parser.add_argument("--target", type=Path, metavar="DIR", help="pictures in the style (default: --look)")
    parser.add_argument("--look", choices=sorted(LOOKS), default="pop-art", help="drawn style (default: pop-art)")
    parser.add_argument("--preset", default="draft", help="the preset that is compared (default: draft)")
    parser.add_argument("--minutes", type=float, default=3.0, help="its CPU minutes (default: 3)")
    parser.add_argument("--times", type=float, default=4.0, help="the baselines' CPU time, in its (default: 4)")
    parser.add_argument("--baselines", default="paper", help="paper, paper-small or both, by commas (default: paper)")
    parser.add_argument("--grid", type=Path, metavar="PNG", help="write sources, each contender and styles here")
    parser.add_argument("--json", action="store_true", help="the record as the last line of stdout")
    arguments = parser.parse_args()
    if (arguments.source is None) != (arguments.target is None):
        parser.error("--source and --target belong together")
    baselines = [name.strip() for name in arguments.baselines.split(",") if name.strip()]
    if set(baselines) - {"paper", "paper-small"}:
        parser.error("--baselines knows paper and paper-small")
    settings = replace(preset(arguments.preset), max_pictures=MOST_PICTURES)
    chosen = [
        replace(contender, settings=replace(contender.settings, max_pictures=MOST_PICTURES))
        for contender in contenders(settings, baselines, minutes=arguments.minutes, times=arguments.times)
    ]
    with tempfile.TemporaryDirectory() as folder:
        if arguments.source is None:
            source, target = demo_domains(Path(folder), arguments.look)
        else:
            source, target = data.find_pictures(arguments.source), data.find_pictures(arguments.target)
        figures = compare(source, target, chosen, grid=arguments.grid)
    ours = figures[settings.preset]
    report(
        benchmark="quality",
        # The style score's lead, and the content score's: above 1 on both is a win on both.
        ratios={
            f"{score}_over_{name}": round(ours[f"{score}_score"] / max(figures[name][f"{score}_score"], 0.01), 3)
            for name in baselines
            for score in ("style", "content")
        },
        details={"threads": torch.get_num_threads(), "torch": torch.__version__, "scores": figures},
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
