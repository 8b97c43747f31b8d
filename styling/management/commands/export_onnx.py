"""``manage.py export_onnx --model DIR --out FILE``: a trained model for other runtimes, checked against PyTorch."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from styling.cyclegan.errors import CycleGANError


class Command(BaseCommand):
    help = "Write a trained model as ONNX; it is kept only if ONNX Runtime gives the same pictures with it as PyTorch."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="the artifact of train_style")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        from styling.cyclegan.export import export_onnx  # torch, only where it is needed

        try:
            report = export_onnx(options["model"], options["out"])
        except CycleGANError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"“{options['out']}” cannot be written: {error.strerror}.") from error
        self.stdout.write(
            f"{report.path}: {report.size / 1e6:.1f} MB, opset {report.opset}; "
            f"at most {report.max_difference:.1e} from PyTorch on pictures in [-1, 1]"
        )
