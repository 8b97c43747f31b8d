"""The one door for CSV and XLSX tables, in and out.

In: encoding and delimiter are found, rows and cells are bounded, columns are named by the header in any order and case.
Out: a cell that a spreadsheet would run as a formula is made plain text.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import openpyxl
from django.utils.translation import gettext_lazy as _

from catalog.archives import RejectedArchive, open_archive
from jobs.errors import UserError

MOST_BYTES = 20 * 2**20
MOST_COLUMNS = 100
LONGEST_CELL = 32_767
_ENCODINGS = ("utf-8-sig", "gb18030", "latin-1")
_DELIMITERS = ",;\t"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Row = tuple[int, dict[str, str]]


class RejectedTable(UserError):
    """A table that cannot be read at all; single bad rows are the importer's matter."""


def read_table(content: bytes, *, name: str, required: Sequence[str], most_rows: int) -> list[Row]:
    """``(row number, {column: text})`` for every row that is not empty; the header is row 1.

    Raises ``RejectedTable`` naming what is missing or where it breaks off.
    """
    if len(content) > MOST_BYTES:
        raise RejectedTable("table-too-large", _("The table is larger than 20 MB."), _("Split it into several."))
    lines = _xlsx_lines(content) if content.startswith(b"PK") else _csv_lines(content)
    numbered = ((number, cells) for number, cells in enumerate(lines, start=1))
    header = _header(next(numbered, (1, []))[1], required)
    rows: list[Row] = []
    for number, cells in numbered:
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) >= most_rows:
            raise RejectedTable(
                "table-too-long",
                _("The table has more than %(limit)d rows.") % {"limit": most_rows},
                _("Split it into several."),
            )
        rows.append((number, dict(zip(header, cells, strict=False))))
    if not rows:
        raise RejectedTable("table-empty", _("The table has no rows."), _("Fill in one row for each product."))
    return rows


def _header(cells: list[str], required: Sequence[str]) -> list[str]:
    header = [cell.strip().lower().replace(" ", "_") for cell in cells]
    missing = [column for column in required if column not in header]
    if missing:
        raise RejectedTable(
            "column-missing",
            _("The table has no column “%(missing)s”.") % {"missing": "”, “".join(missing)},
            _("Its first row must name the columns; it says: %(found)s")
            % {"found": ", ".join(filter(None, header[:12])) or "–"},
        )
    return header


def _csv_lines(content: bytes) -> Iterator[list[str]]:
    text = _decode(content)
    if "\x00" in text:
        raise RejectedTable("table-unreadable", _("This is no text table."), _("Save it as CSV (UTF-8) or XLSX."))
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    try:
        for cells in reader:
            yield _bounded(cells, reader.line_num)
    except csv.Error as error:
        raise RejectedTable(
            "table-unreadable",
            _("The table breaks off in line %(line)d.") % {"line": reader.line_num},
            _("Look for a quotation mark without its partner."),
        ) from error


def _decode(content: bytes) -> str:
    for encoding in _ENCODINGS[:-1]:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode(_ENCODINGS[-1])


def _xlsx_lines(content: bytes) -> Iterator[list[str]]:
    unreadable = RejectedTable(
        "table-unreadable", _("This is no XLSX table that we can read."), _("Save it as CSV (UTF-8) or XLSX.")
    )
    try:
        # The archive door counts what the workbook unpacks to, before openpyxl does it on trust.
        for _member, _data in open_archive(io.BytesIO(content)):
            pass
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except RejectedArchive:
        raise
    except Exception as error:  # openpyxl lets every parser's own exceptions through
        raise unreadable from error
    try:
        for number, cells in enumerate(workbook.worksheets[0].iter_rows(values_only=True), start=1):
            yield _bounded(["" if cell is None else _plain(cell) for cell in cells[:MOST_COLUMNS]], number)
    except UserError:
        raise
    except Exception as error:  # as above: it parses lazily
        raise unreadable from error
    finally:
        workbook.close()


def _plain(cell: Any) -> str:
    """12.0 is 12 in a spreadsheet."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _bounded(cells: list[str], line: int) -> list[str]:
    if len(cells) > MOST_COLUMNS or any(len(cell) > LONGEST_CELL for cell in cells):
        raise RejectedTable(
            "cell-too-long",
            _("Line %(line)d has a cell or a number of columns beyond every limit.") % {"line": line},
            _("Look for a quotation mark without its partner."),
        )
    return cells


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV that a spreadsheet opens without running anything; its byte-order mark makes it read Chinese right."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return "\ufeff" + buffer.getvalue()


def neutral(cell: Any) -> str:
    """Text that no spreadsheet takes for a formula. A plain negative number stays one."""
    text = "" if cell is None else str(cell)
    if not text.startswith(_FORMULA_STARTS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def is_xlsx(content: bytes) -> bool:
    """Whether a file that begins like a ZIP is a workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False
