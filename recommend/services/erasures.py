"""Erasures outlive a restore: an older backup still holds who was erased since, so each erasure is written down outside of
the database and done again after a restore.

The list names row numbers and moments, nothing of the person. It lies in ``DATA_ROOT/erasures.jsonl``, one line each; who
keeps backups on another machine keeps a copy of it there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from recommend.models import Shopper

log = structlog.get_logger(__name__)


def ledger() -> Path:
    """Where erasures are written down."""
    return Path(settings.DATA_ROOT) / "erasures.jsonl"


def write_down(shopper: Shopper) -> None:
    """Write one erasure down, safely on the disk, before its transaction ends.

    Should the transaction fail after all, the person has asked for it nevertheless.
    """
    path = ledger()
    path.parent.mkdir(parents=True, exist_ok=True)
    entry = {"at": timezone.now().isoformat(), "merchant": shopper.merchant_id, "shopper": shopper.pk}
    with path.open("a", encoding="ascii") as file:
        file.write("\n" + json.dumps(entry))  # the line before may be torn: begin a new one
        file.flush()
        os.fsync(file.fileno())


def erased_since(moment: datetime) -> Iterator[dict[str, Any]]:
    """What was written down after ``moment``: ``{"at", "merchant", "shopper"}``. A torn last line is passed over."""
    path = ledger()
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    for line in filter(None, lines):
        try:
            entry = json.loads(line)
            at = parse_datetime(entry["at"])
        except (ValueError, KeyError, TypeError):
            log.warning("erasures.unreadable_line")
            continue
        if at is not None and at > moment:
            yield {**entry, "at": at}
