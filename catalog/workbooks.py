"""The cells of an XLSX workbook's first sheet, for ``catalog.tables``: bounded, and without any XML trickery.

A workbook is a ZIP of XML. It goes through the archive door first; then every part is looked over for a document type,
which is where entity bombs and outside references live, before openpyxl reads it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import IO, Any
from xml.parsers import expat

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from catalog.archives import ArchiveLimits, RejectedArchive, open_archive

_LIMITS = ArchiveLimits(
    most_packed_bytes=20_000_000,
    most_unpacked_bytes=60_000_000,
    # Sheets of like rows pack far better than pictures do; the bytes above are what bounds them.
    largest_ratio=2_000,
)
_MOST_CELLS = 1_000_000
#: A row number far below the others stands for all the empty rows before it, and each of them would be gone through.
_MOST_EMPTY_ROWS = 100_000


class UnreadableWorkbook(Exception):
    """Not a workbook, a damaged one, or one that asks too much."""


def is_workbook(content: bytes | IO[bytes]) -> bool:
    """Whether a file that begins like a ZIP is an XLSX workbook."""
    try:
        return "xl/workbook.xml" in open_archive(content, limits=_LIMITS).names
    except RejectedArchive:
        return False


def rows_of(content: bytes, *, most_columns: int) -> Iterator[list[str]]:
    """The first sheet's rows from its first one on, empty ones included; cells as text, at most ``most_columns`` + 1.

    Formulas count by the value that was stored with them.

    Raises:
        UnreadableWorkbook: at once or later; nothing else.
    """
    _refuse_document_types(content)
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        raise UnreadableWorkbook from error
    try:
        yield from _rows(workbook, most_columns)
    except UnreadableWorkbook:
        raise
    except Exception as error:
        raise UnreadableWorkbook from error
    finally:
        workbook.close()


def _rows(workbook: Any, most_columns: int) -> Iterator[list[str]]:
    cells = empty = 0
    sheet = workbook.worksheets[0]
    sheet.reset_dimensions()  # what the sheet says of its size is often wrong, and would cut rows off
    for row in sheet.iter_rows(max_col=most_columns + 1, values_only=True):
        filled = [_text(value) for value in row]
        while filled and not filled[-1]:
            filled.pop()
        cells += len(filled)
        empty += not filled
        if cells > _MOST_CELLS or empty > _MOST_EMPTY_ROWS:
            raise UnreadableWorkbook
        yield filled


def _text(value: Any) -> str:
    """What a person sees in the cell: 12.0 is 12 in a spreadsheet."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _refuse_document_types(content: bytes) -> None:
    """Raise ``UnreadableWorkbook`` where a part declares a document type, in whatever encoding."""
    try:
        for name, part in open_archive(content, limits=_LIMITS):
            if name.lower().endswith((".xml", ".rels", ".vml")):
                parser = expat.ParserCreate()
                parser.StartDoctypeDeclHandler = _refuse
                parser.Parse(part, True)
    except (RejectedArchive, expat.ExpatError, ValueError, LookupError) as error:
        raise UnreadableWorkbook from error


def _refuse(*_declaration: object) -> None:
    raise UnreadableWorkbook


def written(header: Sequence[str], rows: Iterable[Iterable[Any]], *, notes: Mapping[str, str]) -> bytes:
    """A workbook of plain cells. Whoever calls sees to it that no text begins like a formula."""
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("products")
    sheet.freeze_panes = "A2"
    sheet.append(list(header))
    for row in rows:
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell for cell in row])
    if notes:
        help_sheet = workbook.create_sheet("help")
        help_sheet.column_dimensions["A"].width = 18
        help_sheet.column_dimensions["B"].width = 100
        for line in notes.items():
            help_sheet.append(list(line))
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()
