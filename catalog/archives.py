"""The one door for ZIP files: listed and bounded before anything is unpacked, counted while it is, never written to disk.

    with open_archive(file) as archive:
        for name, content in archive: ...

Whatever the bytes are, ``RejectedArchive`` is raised or nothing. Names are labels: nothing here uses one as a path.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Any, Self

from django.utils.translation import gettext_lazy as _

from jobs.errors import Text, UserError

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class ArchiveLimits:
    """What one archive may hold."""

    most_entries: int = 1_000
    #: Bytes of the ZIP itself; more could not unpack to less than the next limit.
    most_packed_bytes: int = 200 * MEGABYTE
    most_unpacked_bytes: int = 200 * MEGABYTE
    #: Bytes of one member: it is held in memory while it is used.
    most_member_bytes: int = 64 * MEGABYTE
    #: Unpacked over packed, of each member and of all together.
    largest_ratio: int = 200
    #: Below so many bytes a ratio costs nothing: a table of zeros is no bomb.
    ratio_counts_from: int = 1 * MEGABYTE
    #: Bytes of the directory, which lists the members.
    most_directory_bytes: int = 1 * MEGABYTE


DEFAULT = ArchiveLimits()
_CHUNK = 64 * 1024
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8_NAME = 0x800
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\5\6"
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_LOCAL_SIGNATURE = b"PK\3\4"
_NESTED = (_LOCAL_SIGNATURE, b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd")
#: Workbooks are ZIPs too; whoever reads one sends it through this door again.
_NESTED_ALLOWED = (".xlsx",)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
)

_AGAIN = _("Make the ZIP anew from plain files.")
_SPLIT = _("Split it into several.")
_TEXTS: dict[str, tuple[Text, Text]] = {
    "archive-unknown": (_("The file is no ZIP."), _("Pack the pictures and the table into a ZIP.")),
    "archive-damaged": (_("The ZIP is damaged or cut off."), _AGAIN),
    "archive-encrypted": (_("The ZIP is encrypted."), _("Make it without a password.")),
    "archive-method": (_("“%(name)s” is packed in an unusual way."), _AGAIN),
    "archive-too-many-entries": (_("The ZIP has more than %(most_entries)d files."), _SPLIT),
    "archive-too-large": (_("The ZIP unpacks to more than %(megabytes)d MB."), _SPLIT),
    "archive-member-too-large": (_("“%(name)s” is larger than %(member_megabytes)d MB."), _("Leave it out.")),
    "archive-bomb": (_("“%(name)s” unpacks to far more than a picture or a table would."), _AGAIN),
    "archive-name": (_("“%(name)s” is no name that a file in a ZIP may have."), _AGAIN),
    "archive-twice": (_("“%(name)s” is in the ZIP twice."), _AGAIN),
    "archive-link": (_("“%(name)s” is a link and no file."), _AGAIN),
    "archive-nested": (_("“%(name)s” is an archive within the ZIP."), _("Unpack it first, then pack its files.")),
}


class RejectedArchive(UserError):
    """The upload is no ZIP that we can use; ``code`` says why, ``hint`` what to do."""


class ArchiveReader:
    """The members of one checked archive, in its order; may be read through more than once."""

    def __init__(self, file: IO[bytes], limits: ArchiveLimits) -> None:
        self._file = file
        self._limits = limits
        self._packed = _packed_size(file)
        try:
            directory_at = _check_end(file, self._packed, limits)
            self._zip = zipfile.ZipFile(file)
            self._members = [
                (name, entry) for entry in self._zip.infolist() if (name := self._checked(entry)) is not None
            ]
            self._check_places(directory_at)
        except RejectedArchive:
            raise
        except _BROKEN as error:
            raise self._refusal("archive-damaged") from error
        self._check_whole()

    @property
    def names(self) -> list[str]:
        """The members' names, without folders and a system's litter."""
        return [name for name, _entry in self._members]

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """``(name, content)`` of one member after the other, each unpacked when it is asked for."""
        unpacked = 0
        for name, entry in self._members:
            try:
                content = self._unpack(name, entry, unpacked)
            except _BROKEN as error:
                raise self._refusal("archive-damaged") from error
            unpacked += len(content)
            yield name, content

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; a file that was given open stays open."""
        self._zip.close()

    def _refusal(self, code: str, name: str = "") -> RejectedArchive:
        return _refusal(code, self._limits, name)

    def _checked(self, entry: zipfile.ZipInfo) -> str | None:
        """The member's name where it is one to read, ``None`` for folders and litter."""
        name = _readable_name(entry)
        label = safe_name(name)
        if label is None:
            raise self._refusal("archive-name", name)
        if entry.flag_bits & _ENCRYPTED:
            raise self._refusal("archive-encrypted", label)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise self._refusal("archive-link", label)
        if name.endswith(("/", "\\")) or _is_litter(label):
            return None
        if entry.compress_type not in _METHODS:
            raise self._refusal("archive-method", label)
        return label

    def _check_whole(self) -> None:
        """What the directory says of all members together. Each is counted again while it is unpacked."""
        seen: set[str] = set()
        for name, entry in self._members:
            if entry.file_size > self._limits.most_member_bytes:
                raise self._refusal("archive-member-too-large", name)
            self._check_ratio(name, entry.file_size, entry.compress_size)
            folded = unicodedata.normalize("NFC", name).casefold()
            if folded in seen:
                raise self._refusal("archive-twice", name)
            seen.add(folded)
        if sum(entry.file_size for _name, entry in self._members) > self._limits.most_unpacked_bytes:
            raise self._refusal("archive-too-large")

    def _check_places(self, directory_at: int) -> None:
        """Members lie one after the other: a bomb lets many of them share the same bytes."""
        free_from = 0
        for entry in sorted(self._zip.infolist(), key=lambda one: one.header_offset):
            self._file.seek(entry.header_offset)
            header = _LOCAL_HEADER.unpack(self._file.read(_LOCAL_HEADER.size))
            if header[0] != _LOCAL_SIGNATURE or header[3] != entry.compress_type or entry.header_offset < free_from:
                raise self._refusal("archive-damaged")
            free_from = entry.header_offset + _LOCAL_HEADER.size + header[9] + header[10] + entry.compress_size
            if free_from > directory_at:
                raise self._refusal("archive-damaged")

    def _check_ratio(self, name: str, unpacked: int, packed: int) -> None:
        if unpacked > self._limits.ratio_counts_from and unpacked > self._limits.largest_ratio * max(1, packed):
            raise self._refusal("archive-bomb", name)

    def _unpack(self, name: str, entry: zipfile.ZipInfo, already: int) -> bytes:
        content = bytearray()
        with self._zip.open(entry) as member:
            while chunk := member.read(_CHUNK):
                content += chunk
                if len(content) > self._limits.most_member_bytes:
                    raise self._refusal("archive-member-too-large", name)
                if already + len(content) > self._limits.most_unpacked_bytes:
                    raise self._refusal("archive-too-large")
                self._check_ratio(name, len(content), entry.compress_size)
        if content.startswith(_NESTED) and not name.lower().endswith(_NESTED_ALLOWED):
            raise self._refusal("archive-nested", name)
        self._check_ratio(name, already + len(content), self._packed)
        return bytes(content)


def open_archive(
    file: bytes | str | os.PathLike[str] | IO[bytes] | Any, *, limits: ArchiveLimits = DEFAULT
) -> ArchiveReader:
    """Check a ZIP's directory as a whole; the reader then yields ``(name, content)``.

    Args:
        file: the bytes, a path, or an open binary file that can seek.
        limits: the design's limits are the default.

    Raises:
        RejectedArchive: here, or later while a member is unpacked; nothing else.
    """
    if isinstance(file, bytes):
        return ArchiveReader(io.BytesIO(file), limits)
    if not isinstance(file, str | os.PathLike):
        return ArchiveReader(file, limits)
    try:
        opened = Path(file).open("rb")  # noqa: SIM115 - the reader closes it
    except OSError as error:
        raise _refusal("archive-unknown", limits) from error
    with contextlib.ExitStack() as stack:
        stack.enter_context(opened)
        reader = _OwningReader(opened, limits)
        stack.pop_all()
    return reader


class _OwningReader(ArchiveReader):
    """A reader of a file that we opened ourselves."""

    def close(self) -> None:
        super().close()
        self._file.close()


def safe_name(name: str) -> str | None:
    """The name as a label with forward slashes; ``None`` where it points outside or hides something."""
    label = unicodedata.normalize("NFC", name.replace("\\", "/")).rstrip("/")
    parts = label.split("/")
    if label.startswith("/") or len(label) > 1_000 or not all(part and part != ".." for part in parts):
        return None
    if ":" in parts[0] or any(unicodedata.category(letter) in {"Cc", "Cf", "Cs"} for letter in label):
        return None
    return PurePosixPath(label).as_posix()


def _is_litter(label: str) -> bool:
    """What macOS and Windows put beside the files that somebody packs."""
    path = PurePosixPath(label)
    return "__MACOSX" in path.parts or path.name.startswith(".") or path.name.lower() in {"thumbs.db", "desktop.ini"}


def _readable_name(entry: zipfile.ZipInfo) -> str:
    """The whole name (``zipfile`` ends it at a NUL). Chinese Windows writes GBK without saying so."""
    name = entry.orig_filename
    if entry.flag_bits & _UTF8_NAME or name.isascii():
        return name
    raw = name.encode("cp437")
    for encoding in ("utf-8", "gb18030"):
        with contextlib.suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    return name


def _packed_size(file: IO[bytes]) -> int:
    try:
        return file.seek(0, io.SEEK_END)
    except (OSError, ValueError, AttributeError) as error:
        raise _refusal("archive-unknown", DEFAULT) from error


def _check_end(file: IO[bytes], size: int, limits: ArchiveLimits) -> int:
    """Where the directory begins, by the record at the archive's end, before ``zipfile`` believes that record.

    The ZIP must begin with the file and its directory end at that record: no picture or program in front of it. An
    archive within our limits never needs the 64-bit fields.
    """
    if size > limits.most_packed_bytes:
        raise _refusal("archive-too-large", limits)
    file.seek(0)
    if file.read(4) not in {_LOCAL_SIGNATURE, _END_SIGNATURE}:
        raise _refusal("archive-unknown", limits)
    start = max(0, size - 65_535 - _END.size)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        raise _refusal("archive-damaged", limits)
    _signature, disk, first_disk, here, entries, length, offset, _comment = _END.unpack_from(tail, at)
    if entries == 0xFFFF or 0xFFFFFFFF in {length, offset}:
        raise _refusal("archive-too-large", limits)
    if entries > limits.most_entries or length > limits.most_directory_bytes:
        raise _refusal("archive-too-many-entries", limits)
    if disk or first_disk or here != entries or offset + length != start + at:
        raise _refusal("archive-damaged", limits)
    return offset


def _refusal(code: str, limits: ArchiveLimits, name: str = "") -> RejectedArchive:
    message, hint = _TEXTS[code]
    facts = {
        "name": "".join(letter if letter.isprintable() else "�" for letter in name)[:120],
        "most_entries": limits.most_entries,
        "megabytes": limits.most_unpacked_bytes // MEGABYTE,
        "member_megabytes": limits.most_member_bytes // MEGABYTE,
    }
    return RejectedArchive(code, message % facts, hint)
