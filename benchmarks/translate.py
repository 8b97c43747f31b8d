"""Translating with the paper's network: this translator's engines against the paper's own way, side by side.

Baseline: the reference's generator (junyanz/pytorch-CycleGAN-and-pix2pix: 9 residual blocks, 64 filters) written
plainly, eager, float32, one picture of 256 × 256 at a time. Ours: the same weights through each engine that this
machine has, at batches of 1 and 4; ``inference`` is the best whose pictures are at least 38 dB from the baseline's.
Times are per picture, the smallest of several, the ways timed in turn, so that a noisy neighbour falls on all of them.

Beside that: the networks that the presets train, at the same 256 × 256; the whole path from JPEG to JPEG; and time and
peak memory of one picture of 512, 2048 and 4096 pixels a side, each in a process of its own.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks.machine import report
from benchmarks.train import matrix_peak
from styling.cyclegan import devices, engines, export
from styling.cyclegan.artifact import generator_config
from styling.cyclegan.batching import rendered_in_batches
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.networks import Generator, build_generator
from styling.cyclegan.presets import preset
from styling.cyclegan.rendering import Core, changed
from styling.cyclegan.translating import TranslateOptions, Translator

SIDE = 256
LARGE_SIDES = (512, 2048, 4096)


class PlainBlock(nn.Module):
    """The reference's ResnetBlock."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
            nn.ReLU(True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = x + self.conv_block(x)
        return answer


def plain_generator() -> nn.Sequential:
    """The reference's ResnetGenerator(3, 3, ngf=64, norm_layer=InstanceNorm2d, n_blocks=9)."""
    layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, 64, 7), nn.InstanceNorm2d(64), nn.ReLU(True)]
    for inputs in (64, 128):
        halving = nn.Conv2d(inputs, 2 * inputs, 3, stride=2, padding=1)
        layers += [halving, nn.InstanceNorm2d(2 * inputs), nn.ReLU(True)]
    layers += [PlainBlock(256) for _ in range(9)]
    for inputs in (256, 128):
        doubling = nn.ConvTranspose2d(inputs, inputs // 2, 3, stride=2, padding=1, output_padding=1)
        layers += [doubling, nn.InstanceNorm2d(inputs // 2), nn.ReLU(True)]
    layers += [nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh()]
    return nn.Sequential(*layers)


def with_weights_of(generator: Generator) -> nn.Sequential:
    """The plain generator with the same weights; its biases before norms, which these remove again, are zero."""
    plain = plain_generator()
    ours, theirs = (
        [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]
        for network in (generator, plain)
    )
    with torch.no_grad():
        for own, other in zip(ours, theirs, strict=True):
            other.weight.copy_(own.weight)
            assert other.bias is not None
            if own.bias is None:
                other.bias.zero_()
            else:
                other.bias.copy_(own.bias)
    return plain.eval().requires_grad_(False)


def network(name: str) -> Generator:
    """The preset's generator with random weights; what is drawn does not change the work."""
    torch.manual_seed(0)
    return build_generator(generator_config(preset(name))).eval().requires_grad_(False)


def least_seconds(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The least time of each way, after one run that does not count; the ways take turns."""
    least = dict.fromkeys(ways, math.inf)
    for repeat in range(repeats + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if repeat:
                least[name] = min(least[name], time.perf_counter() - start)
    return least


def engines_of(generator: Generator, names: tuple[str, ...]) -> dict[str, engines.Engines]:
    """Each engine that this machine has, by name."""
    found = {}
    for name in names:
        try:
            found[name] = engines.Engines(
                Core(generator).eval().requires_grad_(False),
                devices.choose("cpu"),
                channels=generator.feature_channels[0],
                rendered=lambda source, answer: changed(source, answer, color_keep=0.0),
                only=name,
            )
        except CycleGANError as error:
            print(f"{name} is left out: {error.message}")
    return found


def decibels(one: Tensor, other: Tensor) -> float:
    """PSNR of pictures in [-1, 1]."""
    return round(10 * math.log10(4 / max((one - other).double().square().mean().item(), 1e-20)), 1)


def multiply_accumulates(plain: nn.Module, picture: Tensor) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        plain(picture)
    return counter.get_total_flops() / 2


def compare_engines(names: tuple[str, ...], repeats: int) -> tuple[float, dict[str, Any]]:
    """The ratio of the best true engine, and all figures."""
    generator = network("paper")
    plain = with_weights_of(generator)
    pictures = {batch: export.probe(batch, 3, SIDE, SIDE) for batch in (1, 4)}

    def baseline() -> Tensor:
        with torch.inference_mode():
            answer: Tensor = plain(pictures[1])
        return answer

    reference = baseline()
    found = engines_of(generator, names)
    ways: dict[str, Callable[[], object]] = {"baseline": baseline}
    for name, engine in found.items():
        for batch, picture in pictures.items():
            ways[f"{name}, batch {batch}"] = functools.partial(engine, picture)
    least = least_seconds(ways, repeats)
    plain_seconds = least.pop("baseline")
    rows: dict[str, dict[str, float]] = {}
    for name, engine in found.items():
        distance = decibels(changed(pictures[1], engine(pictures[1]), color_keep=0.0), reference)
        for batch in pictures:
            seconds = least[f"{name}, batch {batch}"] / batch
            rows[f"{name}, batch {batch}"] = {
                "seconds": round(seconds, 4),
                "ratio": round(plain_seconds / seconds, 2),
                "psnr_db": distance,
            }
    true = {name: row for name, row in rows.items() if row["psnr_db"] >= engines.MIN_PSNR}
    best = max(true, key=lambda name: true[name]["ratio"])
    macs, peak = multiply_accumulates(plain, pictures[1]), matrix_peak(torch.bfloat16)
    return true[best]["ratio"], {
        "baseline_seconds": round(plain_seconds, 4),
        "engines": rows,
        "best": best,
        "psnr_db": true[best]["psnr_db"],
        "giga_macs": round(macs / 1e9, 1),
        "bfloat16_peak_gmac_per_second": round(peak),
        "share_of_bfloat16_peak": round(macs / true[best]["seconds"] / 1e9 / peak, 3),
    }


def compare_presets(plain_seconds: float, names: tuple[str, ...], repeats: int) -> dict[str, dict[str, Any]]:
    """The networks that presets train instead of the paper's, in their best engine."""
    rows = {}
    for name in ("draft", "standard"):
        found = engines_of(network(name), names)
        picture = export.probe(1, 3, SIDE, SIDE)
        ways = {way: functools.partial(engine, picture) for way, engine in found.items()}
        least = least_seconds(ways, repeats)
        best = min(least, key=lambda way: least[way])
        rows[name] = {
            "engine": best,
            "seconds": round(least[best], 4),
            "times_the_baseline": round(plain_seconds / least[best], 1),
        }
    return rows


def drawn_picture(side: int) -> Image.Image:
    """Soft colours of any size."""
    small = export.probe(1, 3, 64, 64)[0].permute(1, 2, 0).add(1).mul(127.5).byte().numpy()
    return Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)


def pictures_a_second(count: int) -> dict[str, Any]:
    """From JPEG to JPEG with the draft preset's network, as the job does it."""
    buffer = io.BytesIO()
    drawn_picture(800).save(buffer, "JPEG", quality=92)
    translator = Translator(network("draft"), {"image_size": 128}, devices.choose("cpu"))
    translator.engines.prepare()

    def encode(_item: bytes, _picture: Image.Image, rendered: Image.Image) -> int:
        out = io.BytesIO()
        rendered.save(out, "JPEG", quality=92)
        return out.tell()

    def run() -> None:
        for _item, outcome in rendered_in_batches(
            [buffer.getvalue()] * count,
            decode=lambda data: Image.open(io.BytesIO(data)).convert("RGB"),
            translate=translator.translate,
            encode=encode,
        ):
            assert isinstance(outcome, int)

    seconds = least_seconds({"all": run}, 2)["all"]
    return {"side": 800, "pictures_per_second": round(count / seconds, 2), "engine": translator.engines.current.name}


def one_large(side: int, *, full_detail: bool) -> dict[str, Any]:
    """Seconds and memory of one picture in this process."""
    picture = drawn_picture(side)
    translator = Translator(network("draft"), {"image_size": 128}, devices.choose("cpu"), engine="eager")
    translator.translate([drawn_picture(64)])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    translator.translate([picture], options=TranslateOptions(full_detail=full_detail))
    return {
        "seconds": round(time.perf_counter() - start, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "of_which_before_mib": round(before),
    }


def large_pictures() -> dict[str, dict[str, Any]]:
    """Each size, with and without full detail, in a process of its own: a peak cannot be measured twice in one."""
    rows = {}
    for detail in ("working size", "full detail"):
        for side in LARGE_SIDES:
            command = [sys.executable, "-m", "benchmarks.translate", "--one", str(side), detail]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rows[f"{side} px, {detail}"] = json.loads(answer)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="the record as the last line of stdout")
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of each way (default: 5)")
    parser.add_argument("--pictures", type=int, default=32, help="pictures of the whole path (default: 32)")
    parser.add_argument(
        "--compile",
        choices=["auto", "always", "never"],
        default="auto",
        help="torch.compile as an engine too (auto: where it can gain; takes minutes)",
    )
    parser.add_argument("--one", nargs=2, metavar=("SIDE", "DETAIL"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one_large(int(arguments.one[0]), full_detail=arguments.one[1] == "full detail")))
        return
    compiling = arguments.compile == "always" or (
        arguments.compile == "auto" and devices.gains_from_compiling(torch.device("cpu"))
    )
    names = tuple(name for name in engines.NAMES if compiling or name != "compiled")
    ratio, details = compare_engines(names, arguments.repeats)
    details["presets"] = compare_presets(details["baseline_seconds"], names, arguments.repeats)
    details["jpeg_to_jpeg"] = pictures_a_second(arguments.pictures)
    details["one_picture_draft_network"] = large_pictures()
    report(
        benchmark="translate",
        ratios={"inference": ratio},
        details={**details, "threads": torch.get_num_threads(), "torch": torch.__version__},
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
