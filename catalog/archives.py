"""The one door for ZIP files: members are streamed and counted, never written to disk, never trusted about their size.

``open_archive(file)`` yields ``(name, content)``. Whatever the bytes are, it raises ``RejectedArchive`` or nothing.
"""

from __future__ import annotations

import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from django.utils.translation import gettext_lazy as _

from jobs.errors import UserError

MOST_ENTRIES = 1_000
MOST_UNPACKED_BYTES = 200 * 2**20
MOST_MEMBER_BYTES = 20 * 2**20
LARGEST_RATIO = 200
#: Below this size a high ratio costs nothing: a table of zeros is no bomb.
RATIO_COUNTS_FROM = 2**20
_CHUNK = 64 * 1024
_ENCRYPTED = 0x1

_TEXTS = {
    "archive-damaged": (_("This ZIP is damaged or cut off."), _("Make it again.")),
    "archive-encrypted": (_("This ZIP is encrypted."), _("Make it without a password.")),
    "archive-too-many-entries": (
        _("This ZIP has more than %(limit)d files.") % {"limit": MOST_ENTRIES},
        _("Split it into several."),
    ),
    "archive-too-large": (
        _("This ZIP unpacks to more than %(limit)d MB.") % {"limit": MOST_UNPACKED_BYTES // 2**20},
        _("Split it into several, or make the pictures smaller."),
    ),
    "archive-bomb": (_("This ZIP unpacks to far more than it should."), _("Make it again from plain files.")),
}


class RejectedArchive(UserError):
    """A ZIP that is none, or that asks too much."""

    def __init__(self, code: str) -> None:
        message, hint = _TEXTS[code]
        super().__init__(code, message, hint)


def open_archive(file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Members one by one, each counted as it is unpacked. Folders, links and hidden helper files are passed over."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise RejectedArchive("archive-too-many-entries")
            unpacked = 0
            for entry in entries:
                if entry.flag_bits & _ENCRYPTED:
                    raise RejectedArchive("archive-encrypted")
                name = safe_name(entry.filename)
                if name is None or entry.is_dir() or _is_link(entry):
                    continue
                content = _unpack(archive, entry, unpacked)
                unpacked += len(content)
                yield name, content
    except RejectedArchive:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise RejectedArchive("archive-damaged") from error


def safe_name(name: str) -> str | None:
    """The member's name as a label, never as a path; None where it points outside or is a system's litter."""
    cleaned = unicodedata.normalize("NFC", name.replace("\\", "/"))
    path = PurePosixPath(cleaned)
    outside = path.is_absolute() or ".." in path.parts or ":" in path.parts[0] if path.parts else True
    litter = "__MACOSX" in path.parts or path.name.startswith(".")
    return None if outside or litter or "\x00" in cleaned else str(path)


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, already: int) -> bytes:
    """The member's bytes, counted while they come: its header may say anything."""
    content = bytearray()
    with archive.open(entry) as member:
        while chunk := member.read(_CHUNK):
            content += chunk
            if len(content) > MOST_MEMBER_BYTES or already + len(content) > MOST_UNPACKED_BYTES:
                raise RejectedArchive("archive-too-large")
            if len(content) > RATIO_COUNTS_FROM and len(content) > LARGEST_RATIO * max(1, entry.compress_size):
                raise RejectedArchive("archive-bomb")
    return bytes(content)
