"""Erasures outlive a crash and a restore: each is written down outside of the database before it is done, so that what a
crash left is finished by the next purge, and what a restore brought back (rows, or keys from a backup of the keys) is
forgotten again.

The list names row numbers, random key names and moments, nothing of the person. It lies in ``DATA_ROOT/erasures.jsonl``, one
line each; who keeps backups on another machine keeps a copy of it there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from recommend.models import Shopper

log = structlog.get_logger(__name__)

_NAME = "erasures.jsonl"


def ledger() -> Path:
    """Where erasures are written down."""
    return Path(settings.DATA_ROOT) / _NAME


def write_down(shopper: Shopper) -> None:
    """Write one erasure down, safely on the disk, before anything is deleted.

    Should the deletion fail after all, the person has asked for it nevertheless.
    """
    path = ledger()
    path.parent.mkdir(parents=True, exist_ok=True)
    entry = {
        "at": timezone.now().isoformat(),
        "merchant": shopper.merchant_id,
        "shopper": shopper.pk,
        "key": shopper.key_id.hex,
    }
    with path.open("a", encoding="ascii") as file:
        file.write("\n" + json.dumps(entry))  # the line before may be torn: begin a new one
        file.flush()
        os.fsync(file.fileno())


def say_done() -> None:
    """Let the list grow once more (by an empty line), now that the rows are gone.

    A page that read them after ``write_down`` and before the deletion has kept them again by now.
    """
    with ledger().open("a", encoding="ascii") as file:
        file.write("\n")


def size() -> int:
    """Bytes of the list: it has grown where anybody was erased, by whichever process of this machine."""
    try:
        return os.stat(f"{settings.DATA_ROOT}/{_NAME}").st_size  # noqa: PTH116 - on every page: Path takes longer
    except FileNotFoundError:
        return 0


def erased_since(moment: datetime) -> Iterator[dict[str, Any]]:
    """What was written down after ``moment``: ``{"at", "merchant", "shopper", "key"}``; a torn last line is passed over.

    Lines of before the keys had names have no ``key``.
    """
    for entry in _entries():
        if entry["at"] > moment:
            yield entry


def erased_keys() -> set[UUID]:
    """The names of the keys of everybody who was ever erased."""
    return {UUID(hex=entry["key"]) for entry in _entries() if "key" in entry}


def _entries() -> Iterator[dict[str, Any]]:
    path = ledger()
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    for line in filter(None, lines):
        try:
            entry = json.loads(line)
            at = parse_datetime(entry["at"])
        except (ValueError, KeyError, TypeError):
            log.warning("erasures.unreadable_line")
            continue
        if at is not None:
            yield {**entry, "at": at}
