"""The one door for CSV and XLSX tables, in and out.

In: encoding and delimiter are found, rows and cells are bounded, columns are named by the header in any order and case.
Out: a cell that a spreadsheet would run as a formula is made plain text; reading it back gives the cell as it was.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import IO, Any

from django.utils.translation import gettext_lazy as _

from catalog.workbooks import UnreadableWorkbook, is_workbook, rows_of, written
from jobs.errors import UserError

MOST_BYTES = 20_000_000
MOST_COLUMNS = 100
#: Characters; Excel's own limit.
LONGEST_CELL = 32_767
_DELIMITERS = ",;\t|"
#: Also the full-width forms, which Excel in Chinese and Japanese takes for the others.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?", re.ASCII)
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"

Row = tuple[int, dict[str, str]]


class RejectedTable(UserError):
    """A table that cannot be read at all; single bad rows are the importer's matter."""


def is_xlsx(content: bytes | IO[bytes]) -> bool:
    """Whether a file that begins like a ZIP is a workbook."""
    return is_workbook(content)


def read_table(content: bytes, *, name: str = "", required: Sequence[str] = (), most_rows: int = 20_000) -> list[Row]:
    """``(row number, {column: text})`` for every row that is not empty; the header is row 1, as a spreadsheet counts.

    Args:
        content: a CSV in UTF-8, UTF-16 with its mark, or GB18030; or an XLSX, of which the first sheet is read.
        name: the file's name, for messages.
        required: columns that must be there, in lower case.
        most_rows: more rows than that are refused.

    Raises:
        RejectedTable: naming the line and the column where there are any.
    """
    if len(content) > MOST_BYTES:
        raise RejectedTable(
            "table-too-large",
            _("The table is larger than %(megabytes)d MB.") % {"megabytes": MOST_BYTES // 1_000_000},
            _("Split it into several."),
        )
    lines = _workbook_lines(content) if content.startswith(b"PK") else _csv_lines(content, name, required)
    numbered = enumerate(lines, start=1)
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
        rows.append((number, _named(number, header, cells)))
    if not rows:
        raise RejectedTable("table-empty", _("The table has no rows."), _("Fill in one row for each product."))
    return rows


def _header(cells: list[str], required: Sequence[str]) -> list[str]:
    header = [re.sub(r"[\s\-]+", "_", cell.strip().lower()) for cell in cells]
    while header and not header[-1]:
        header.pop()
    missing = [column for column in required if column not in header]
    if missing:
        raise RejectedTable(
            "column-missing",
            _("The table has no column “%(missing)s”.") % {"missing": "”, “".join(missing)},
            _("Its first row must name the columns %(expected)s; it says: %(found)s")
            % {"expected": ", ".join(required), "found": ", ".join(filter(None, header[:12])) or "–"},
        )
    repeated = next((column for column in header if column and header.count(column) > 1), None)
    if repeated:
        raise RejectedTable(
            "column-twice",
            _("The table has the column “%(column)s” twice.") % {"column": repeated},
            _("Keep the one that you mean."),
        )
    return header


def _named(number: int, header: list[str], cells: list[str]) -> dict[str, str]:
    """The row's cells by column; those that are not there are empty. Cells without a column mean a misread line."""
    beyond = next((index for index, cell in enumerate(cells) if index >= len(header) and cell.strip()), None)
    if beyond is not None:
        raise RejectedTable(
            "row-too-wide",
            _("Row %(row)d has %(cells)d cells, but the header names %(columns)d columns.")
            % {"row": number, "cells": beyond + 1, "columns": len(header)},
            _("Put a text that contains a comma into quotation marks."),
        )
    padded = cells + [""] * (len(header) - len(cells))
    return {column: _original(cell) for column, cell in zip(header, padded, strict=False) if column}


def _bounded(number: int, cells: list[str]) -> list[str]:
    """The cells as they are, where there are neither too many nor too long ones."""
    if len(cells) > MOST_COLUMNS:
        raise RejectedTable(
            "too-many-columns",
            _("Row %(row)d has more than %(limit)d cells.") % {"row": number, "limit": MOST_COLUMNS},
            _("Look for a quotation mark without its partner."),
        )
    for column, cell in enumerate(cells, start=1):
        if len(cell) > LONGEST_CELL:
            raise RejectedTable(
                "cell-too-long",
                _("Row %(row)d, column %(column)d is longer than %(limit)d characters.")
                % {"row": number, "column": column, "limit": LONGEST_CELL},
                _("Look for a quotation mark without its partner."),
            )
        if "\0" in cell:
            raise RejectedTable(
                "cell-not-text",
                _("Row %(row)d, column %(column)d is no text.") % {"row": number, "column": column},
                _("Save the table as CSV (UTF-8) or XLSX."),
            )
    return cells


def _csv_lines(content: bytes, name: str, required: Sequence[str]) -> Iterator[list[str]]:
    text = _decoded(content, name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, required), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            yield _bounded(number, cells)
    except csv.Error as error:
        raise RejectedTable(
            "table-unreadable",
            _("The table breaks off in line %(line)d, after row %(row)d.") % {"line": reader.line_num, "row": number},
            _("Look for a quotation mark without its partner."),
        ) from error


def _decoded(content: bytes, name: str) -> str:
    """Text by its mark, else UTF-8, else what Chinese Windows writes."""
    encodings = ["utf-8-sig", "gb18030"]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    if not content.startswith(_OLD_EXCEL):
        for encoding in encodings:
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise RejectedTable(
        "table-encoding",
        _("“%(name)s” is no text table.") % {"name": name[:120]},
        _("Save the table as CSV (UTF-8) or XLSX."),
    )


def _delimiter(text: str, required: Sequence[str]) -> str:
    """The one by which the header names most of the required columns, then most columns."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]

    def names(delimiter: str) -> tuple[int, int]:
        columns = {cell.strip(' "').lower() for cell in first.split(delimiter)}
        return len(columns & set(required)), len(columns)

    return max(_DELIMITERS, key=names)


def _workbook_lines(content: bytes) -> Iterator[list[str]]:
    try:
        for number, cells in enumerate(rows_of(content, most_columns=MOST_COLUMNS), start=1):
            yield _bounded(number, cells)
    except UnreadableWorkbook as error:
        raise RejectedTable(
            "table-unreadable", _("This is no XLSX table that we can read."), _("Save it as CSV (UTF-8) or XLSX.")
        ) from error


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV that a spreadsheet opens without running anything; its byte-order mark makes it read Chinese right."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([neutral(cell) for cell in header])
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return "\ufeff" + buffer.getvalue()


def write_xlsx(
    header: Sequence[str], rows: Iterable[Sequence[Any]], *, notes: Mapping[str, str] | None = None
) -> bytes:
    """A workbook with one sheet of these rows; numbers stay numbers, and no text is a formula.

    ``notes`` become a second sheet, which says what belongs into which column.
    """
    return written([neutral(cell) for cell in header], (map(_cell, row) for row in rows), notes=notes or {})


def _cell(value: Any) -> str | int | Decimal:
    return value if isinstance(value, int | Decimal) else neutral(value)


def neutral(cell: Any) -> str:
    """Text that no spreadsheet takes for a formula. A plain negative number stays one.

    A text that already looks neutralised gets an apostrophe more, so that reading takes away what writing put there.
    """
    text = "" if cell is None else str(cell)
    if _PLAIN_NUMBER.fullmatch(text):
        return text
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA_STARTS) else text


def _original(cell: str) -> str:
    """The cell before ``neutral``."""
    is_neutralised = cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA_STARTS)
    return cell[1:] if is_neutralised else cell
