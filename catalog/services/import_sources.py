"""Where an import comes from: a folder, a ZIP, or a table with or without a ZIP of pictures beside it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.utils.translation import gettext_lazy as _

from catalog.archives import open_archive
from catalog.tables import MOST_BYTES, is_xlsx
from jobs.errors import UserError

TABLE_NAMES = ("products.csv", "products.xlsx")

Pictures = Callable[[], Iterable[tuple[str, bytes]]]


@dataclass(frozen=True)
class Source:
    """A table and the pictures that came with it, each read when it is its turn."""

    table_name: str
    table: bytes
    picture_names: tuple[str, ...] = ()
    pictures: Pictures = tuple


def open_source(path: Path) -> Source:
    """A folder, a ZIP or a single table on this machine."""
    if path.is_dir():
        return _open_folder(path)
    if not path.exists():
        raise UserError("no-such-file", _("There is no “%(path)s”.") % {"path": path}, _("Check the name."))
    return open_upload(path.read_bytes(), name=path.name)


def open_upload(content: bytes | IO[bytes], *, name: str, pictures: IO[bytes] | None = None) -> Source:
    """An uploaded table, or a ZIP that holds one; ``pictures`` is a ZIP that came separately.

    The files must stay open as long as the source is used.
    """
    file: Any = io.BytesIO(content) if isinstance(content, bytes) else content
    file.seek(0)
    is_zip = file.read(2) == b"PK" and not is_xlsx(file)
    file.seek(0)
    if not is_zip:
        return _with_pictures(name, file.read(MOST_BYTES + 1), pictures)
    names = open_archive(file).names
    table_name = next((one for one in names if PurePosixPath(one).name.lower() in TABLE_NAMES), None)
    if table_name is None:
        raise _no_table()
    table = next(data for member, data in open_archive(file) if member == table_name)
    return _with_pictures(table_name, table, pictures or file)


def _with_pictures(name: str, table: bytes, archive: Any | None) -> Source:
    if archive is None:
        return Source(name, table)
    names = tuple(one for one in open_archive(archive).names if PurePosixPath(one).name.lower() not in TABLE_NAMES)
    return Source(name, table, names, pictures=lambda: open_archive(archive))


def _open_folder(folder: Path) -> Source:
    table = next((folder / name for name in TABLE_NAMES if (folder / name).is_file()), None)
    if table is None:
        raise _no_table()
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file != table]
    names = tuple(file.relative_to(folder).as_posix() for file in files)

    def pictures() -> Iterator[tuple[str, bytes]]:
        for name, file in zip(names, files, strict=True):
            yield name, file.read_bytes()

    return Source(table.name, table.read_bytes(), names, pictures)


def _no_table() -> UserError:
    return UserError(
        "no-table",
        _("There is no products.csv (or products.xlsx) in it."),
        _("Put the table beside the pictures; “Download template” gives you one to fill in."),
    )
