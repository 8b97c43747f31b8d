"""``manage.py stylize --model DIR --input DIR|FILE --output DIR``: one output per input, same name stem. No database."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from PIL import Image

from styling.cyclegan.errors import CycleGANError

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
                options["strength"], options["keep_product"], options["keep_color"], options["full_detail"]
            )
            translator = Translator.load(options["model"])
            failed = self._render(translator, chosen, files, options["output"])
        except CycleGANError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{len(files) - failed} of {len(files)} pictures rendered into {options['output']}")
        if failed == len(files):
            raise CommandError("No picture could be rendered. The reasons stand above.")

    def _render(self, translator: Any, chosen: Any, files: list[Path], output: Path) -> int:
        output.mkdir(parents=True, exist_ok=True)
        failed, taken = 0, set()
        for file in files:
            stem = file.stem if file.stem not in taken else f"{file.parent.name}-{file.stem}"
            taken.add(stem)
            try:
                with Image.open(file) as picture:
                    picture.load()
                    rendered = translator.translate([picture], options=chosen)[0]
            except (OSError, ValueError, Image.DecompressionBombError) as error:
                self.stderr.write(f"{file.name}: {error}")
                failed += 1
                continue
            rendered.save(output / f"{stem}.png")
        return failed
