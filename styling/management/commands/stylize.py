"""``manage.py stylize --model DIR --input DIR|FILE --output DIR``: one output per input, same name stem. No database."""

from __future__ import annotations

import itertools
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from PIL import Image, ImageOps

from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.notices import notice_of, png_options

if TYPE_CHECKING:
    from styling.cyclegan.translating import TranslateOptions, Translator

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif"}


class Command(BaseCommand):
    help = "Render pictures in a trained style."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="the artifact of train_style")
        parser.add_argument("--input", type=Path, required=True, metavar="DIR|FILE")
        parser.add_argument("--output", type=Path, required=True, metavar="DIR")
        parser.add_argument(
            "--strength", type=float, default=1.0, help="0 leaves a picture as it is, 1 is the whole effect"
        )
        parser.add_argument("--keep-product", action="store_true", help="restyle only what is around the product")
        parser.add_argument("--keep-background", action="store_true", help="restyle the product alone")
        parser.add_argument("--keep-color", type=float, default=0.0, help="1 keeps a picture's own colours")
        parser.add_argument(
            "--full-detail",
            action="store_true",
            help="run the network on every pixel: finer strokes, minutes for 4096²",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from styling.cyclegan.translating import TranslateOptions, Translator  # torch, only where it is needed

        source: Path = options["input"]
        if not source.exists():
            raise CommandError(f"There is no “{source}”. Check the name.")
        files = [source] if source.is_file() else sorted(f for f in source.rglob("*") if f.suffix.lower() in SUFFIXES)
        if not files:
            raise CommandError(f"There is no picture in “{source}” ({', '.join(sorted(SUFFIXES))}).")
        try:
            chosen = TranslateOptions(
                strength=options["strength"],
                keep_product=options["keep_product"],
                keep_background=options["keep_background"],
                keep_color=options["keep_color"],
                full_detail=options["full_detail"],
            )
            translator = Translator.load(options["model"])
            failed = self._render(translator, chosen, files, options["output"])
        except CycleGANError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{len(files) - failed} of {len(files)} pictures rendered into {options['output']}")
        if failed == len(files):
            raise CommandError("No picture could be rendered. The reasons stand above.")

    def _render(self, translator: Translator, chosen: TranslateOptions, files: list[Path], output: Path) -> int:
        """Write a rendering of each file; how many could not be read or written."""
        from styling.cyclegan.batching import rendered_in_batches

        output.mkdir(parents=True, exist_ok=True)
        names, failed = _names(files), 0
        notice = notice_of(translator.config)
        outcomes = rendered_in_batches(
            files,
            decode=_opened,
            translate=lambda pictures: translator.translate(pictures, options=chosen),
            encode=lambda file, _picture, rendered: _save(rendered, output / f"{names[file]}.png", notice=notice),
            failures=(OSError, ValueError, SyntaxError, Image.DecompressionBombError, CycleGANError),
        )
        for file, outcome in outcomes:
            if isinstance(outcome, Exception):
                self.stderr.write(f"{file.name}: {outcome}")
                failed += 1
        return failed


def _opened(file: Path) -> Image.Image:
    """The picture, decoded and upright."""
    from styling.cyclegan.pixels import check_size

    with Image.open(file) as picture:
        check_size(picture)  # before its pixels are decoded
        return ImageOps.exif_transpose(picture)


def _save(rendered: Image.Image, path: Path, *, notice: str) -> None:
    """Write a PNG; what its domain must say of it stands in its metadata."""
    rendered.save(path, compress_level=3, **png_options(notice))


def _names(files: list[Path]) -> dict[Path, str]:
    """A name for each file's rendering: its stem, with its folder or a number before it where two would be alike."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for file in files:
        choices = itertools.chain([file.stem], (f"{file.parent.name}-{file.stem}{n or ''}" for n in itertools.count()))
        names[file] = next(name for name in choices if name not in taken)
        taken.add(names[file])
    return names
