"""``manage.py train_style``: two folders of pictures in, a translator artifact out. Needs no database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.presets import PRESETS, preset


class Command(BaseCommand):
    """Train a translator between two folders of pictures."""

    help = "Train a style: learn to make the pictures of --source look like those of --target."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """The command's options."""
        parser.add_argument("--source", type=Path, required=True, metavar="DIR", help="pictures to translate")
        parser.add_argument("--target", type=Path, required=True, metavar="DIR", help="pictures in the style")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the model is written")
        budget = parser.add_mutually_exclusive_group()
        budget.add_argument("--minutes", type=float, help="train for so long (wall clock)")
        budget.add_argument("--steps", type=int, help="train for so many steps")
        parser.add_argument(
            "--preset", help=f"one of {', '.join(PRESETS)} (default: draft, or the settings of the model to start from)"
        )
        parser.add_argument("--seed", type=int, help="same seed, same model (with a step budget)")
        parser.add_argument("--resume", action="store_true", help="continue the run that --out holds")
        parser.add_argument("--start-from", type=Path, metavar="DIR", help="train the model in this folder further")
        parser.add_argument("--device", help="for example cpu or cuda:0 (default: the GPU if there is one)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Train, with a line of progress now and then."""
        from dataclasses import replace

        from styling.cyclegan import artifact
        from styling.cyclegan.data import find_pictures
        from styling.cyclegan.training import train

        progress, start_from = _Progress(self), options["start_from"]
        try:
            if start_from is not None and options["preset"] is None:
                base = artifact.check_can_go_on(start_from).going_on()
            else:
                base = preset(options["preset"] or "draft")
            budget = base.within(minutes=options["minutes"], steps=options["steps"])
            seed = budget.seed if options["seed"] is None else options["seed"]
            settings = replace(budget, seed=seed).validate()
            result = train(
                source=find_pictures(options["source"]),
                target=find_pictures(options["target"]),
                out=options["out"],
                settings=settings,
                on_step=progress.show,
                resume=options["resume"],
                start_from=start_from,
                device=options["device"],
            )
        except CycleGANError as error:
            raise CommandError(f"{error.message} [{error.code}]") from error
        for skipped in result.skipped:
            self.stderr.write(f"left out {skipped.path} ({skipped.reason})")
        if result.message:
            self.stderr.write(result.message)
        metrics = result.metrics
        self.stdout.write(
            f"style {metrics['style_score']:.2f}, content {metrics['content_score']:.2f} "
            f"after {metrics['steps']} steps in {metrics['seconds']:.0f} s; model in {result.directory}"
        )


class _Progress:
    """A line every few seconds, and whenever there is something to see."""

    EVERY_SECONDS = 5.0

    def __init__(self, command: BaseCommand) -> None:
        self._command = command
        self._last = 0.0

    def show(self, report: Any) -> None:
        now = time.monotonic()
        if report.sample is None and report.scores is None and now - self._last < self.EVERY_SECONDS:
            return
        self._last = now
        losses = " ".join(f"{name} {value:.3f}" for name, value in report.losses.items())
        line = (
            f"{report.fraction:4.0%} step {report.step}/{report.total_steps} {losses} {report.eta_seconds:.0f} s left"
        )
        if report.scores is not None:
            line += f" | style {report.scores.style_score:.2f} content {report.scores.content_score:.2f}"
        if report.sample is not None:
            line += f" | {report.sample}"
        self._command.stdout.write(line)
        self._command.stdout.flush()
