"""``manage.py privacy_report``: the record that a compliance review asks for, from the live configuration."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommend.privacy.markdown import as_markdown
from recommend.privacy.report import build


class Command(BaseCommand):
    help = (
        "Say what is kept about people, why, how long, who sees it and which test proves it. "
        "Fails where a field about shoppers is not declared, or a control is missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the report as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        report = build()
        text = json.dumps(report.as_dict(), default=str) if options["json"] else as_markdown(report)
        self.stdout.write(text)
        if report.findings:
            raise CommandError("; ".join(report.findings))
