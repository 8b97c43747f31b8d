"""Collect every translatable string of the project, in pure Python: a fresh machine has no ``xgettext``.

Django turns a template into something that reads like source (``templatize``); Babel then reads templates and modules
alike. Only the development requirements hold Babel, so it is imported where it is used.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("stylerec_site", "jobs", "catalog", "styling", "recommend", "templates")
TEMPLATES = {".html", ".txt", ".xml"}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


@dataclass(frozen=True)
class Message:
    """One string to translate: ``gettext``'s key (context, singular, plural) and where it stands first."""

    text: str
    plural: str | None
    context: str | None
    place: str

    @property
    def key(self) -> tuple[str | None, str]:
        return self.context, self.text


def messages(root: Path = ROOT) -> dict[tuple[str | None, str], Message]:
    """Every string of the rooms' modules and templates, by its key, in the order of the files."""
    found: dict[tuple[str | None, str], Message] = {}
    for path in sources(root):
        for message in _read(path, place=path.relative_to(root).as_posix()):
            known = found.get(message.key)
            if known is None or (known.plural is None and message.plural):
                found[message.key] = message
    return found


def update(catalogue: Path, *, root: Path = ROOT) -> tuple[int, int]:
    """Add new strings to ``catalogue`` with an empty translation and drop those nobody uses. How many (new, dropped)."""
    wanted = messages(root)
    book = polib.pofile(str(catalogue), wrapwidth=120)
    kept = {(entry.msgctxt, entry.msgid): entry for entry in book}
    new = [message for key, message in wanted.items() if key not in kept]
    dropped = [entry for key, entry in kept.items() if key not in wanted]
    for entry in dropped:
        book.remove(entry)
    for message in new:
        plurals = {0: ""} if message.plural else {}
        book.append(
            polib.POEntry(
                msgid=message.text, msgid_plural=message.plural or "", msgctxt=message.context, msgstr_plural=plurals
            )
        )
    for entry in book:
        message = wanted[entry.msgctxt, entry.msgid]
        entry.occurrences = [(message.place, "")]
        entry.flags = ["python-format"] if "%(" in entry.msgid else []
    book.sort(key=lambda entry: (entry.occurrences, entry.msgid))
    book.save(str(catalogue))
    return len(new), len(dropped)


def sources(root: Path = ROOT) -> Iterator[Path]:
    """The modules and templates of the rooms."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if (path.suffix == ".py" and "migrations" not in path.parts) or path.suffix in TEMPLATES:
                yield path


def _read(path: Path, *, place: str) -> Iterator[Message]:
    from babel.messages.extract import extract

    text = path.read_text(encoding="utf-8")
    if path.suffix in TEMPLATES:  # what templatize leaves between the strings is filler, not indented as Python is
        text = "\n".join(line.strip() for line in templatize(text).splitlines())
    for _line, found, _comments, context in extract("python", io.BytesIO(text.encode()), KEYWORDS):
        parts = found if isinstance(found, tuple) else (found,)
        if parts[0]:
            yield Message(text=parts[0], plural=parts[1] if len(parts) > 1 else None, context=context, place=place)
