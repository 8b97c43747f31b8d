"""Compile the ``.po`` catalogues, in pure Python: a fresh machine has no ``msgfmt``."""

from __future__ import annotations

from pathlib import Path

import polib

LOCALE = Path(__file__).resolve().parents[2] / "locale"
CHINESE = LOCALE / "zh_Hans" / "LC_MESSAGES" / "django.po"


def compile_catalogues(root: Path = LOCALE) -> int:
    """Write a ``.mo`` beside every ``.po`` that is newer. How many were written."""
    written = 0
    for source in sorted(root.rglob("*.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            polib.pofile(str(source)).save_as_mofile(str(target))
            written += 1
    return written
