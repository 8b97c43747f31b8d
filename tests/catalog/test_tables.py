"""The table door: what people's spreadsheets write is read, what harms is refused, and nothing runs on export."""

from __future__ import annotations

import datetime
import io
import random
import re
import zipfile
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.tables import LONGEST_CELL, MOST_BYTES, RejectedTable, is_xlsx, neutral, read_table, write_csv

pytestmark = pytest.mark.pure

REQUIRED = ("sku", "name", "price")
TWO = [(2, {"sku": "V-1", "name": "花瓶", "price": "19.50"}), (3, {"sku": "B-1", "name": "碗", "price": "8"})]
CSV = "sku,name,price\nV-1,花瓶,19.50\nB-1,碗,8\n"


def read(content: bytes | str, **options) -> list[tuple[int, dict[str, str]]]:
    data = content.encode() if isinstance(content, str) else content
    return read_table(data, **{"name": "products.csv", "required": REQUIRED} | options)


def refusal(content: bytes | str, **options) -> RejectedTable:
    with pytest.raises(RejectedTable) as refused:
        read(content, **options)
    assert str(refused.value)
    return refused.value


def workbook(rows, **more) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, value in more.items():
        book.active[cell] = value
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def with_part(content: bytes, name: str, change) -> bytes:
    """The workbook with one of its parts changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            data = old.read(entry)
            new.writestr(entry.filename, change(data) if entry.filename == name else data)
    return buffer.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encodings_of_spreadsheets_are_found(encoding):
    assert read(CSV.encode(encoding)) == TWO


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_header(delimiter):
    assert read(CSV.replace(",", delimiter)) == TWO


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(end):
    assert read(CSV.replace("\n", end)) == TWO


def test_a_bar_within_cells_is_no_delimiter():
    rows = read("sku,name,price,images\nV-1,Vase,3,a.jpg|b.jpg|c.jpg|d.jpg|e.jpg\n")
    assert rows[0][1]["images"] == "a.jpg|b.jpg|c.jpg|d.jpg|e.jpg"


def test_header_names_may_come_in_any_order_case_and_spacing():
    assert read(" Price ,NAME,Name ZH,sku\n3,Vase,花瓶,V-1\n") == [
        (2, {"price": "3", "name": "Vase", "name_zh": "花瓶", "sku": "V-1"})
    ]


def test_rows_are_numbered_as_a_spreadsheet_shows_them():
    rows = read('sku,name,price\nV-1,"two\nlines",3\n\n ,,\nB-1,Bowl\n')
    assert [number for number, _cells in rows] == [2, 5]
    assert rows[0][1]["name"] == "two\nlines"
    assert rows[1][1]["price"] == ""


def test_a_missing_column_is_named_with_what_was_expected_and_found():
    refused = refusal("sku,title\nV-1,Vase\n")
    assert refused.code == "column-missing"
    assert "“name”, “price”" in str(refused.message)
    assert "sku, name, price" in str(refused.hint)
    assert "sku, title" in str(refused.hint)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "column-missing"),
        ("sku,name,price\n", "table-empty"),
        ("sku,name,price,Name\nV-1,a,3,b\n", "column-twice"),
        ("sku,name,price\nV-1,Vase, tall,3\n", "row-too-wide"),
        ('sku,name,price\nV-1,"Vase,3\n', "table-unreadable"),
        ('sku,name,price\nV-1,"Vase"x,3\n', "table-unreadable"),
        ("sku,name,price\nV-1,Va\0se,3\n", "cell-not-text"),
        (f"sku,name,price\nV-1,{'x' * (LONGEST_CELL + 1)},3\n", "cell-too-long"),
        (f"sku,name,price\nV-1,{'x' * 200_000},3\n", "table-unreadable"),
        (f"sku,name,price\nV-1{',' * 101}\n", "too-many-columns"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "table-encoding"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\xff\xff\xff", "table-encoding"),
        (b"x" * (MOST_BYTES + 1), "table-too-large"),
        (b"PK\3\4 no workbook", "table-unreadable"),
    ],
)
def test_every_refusal_has_its_code(content, code):
    assert refusal(content).code == code


def test_refusals_name_row_and_column():
    assert "Row 3 has 4 cells" in str(refusal("sku,name,price\nV,a,1\nV-1,Vase, tall,3\n").message)
    assert "Row 2, column 2" in str(refusal("sku,name,price\nV-1,Va\0se,3\n").message)
    assert "line 3, after row 2" in str(refusal('sku,name,price\nV,a,1\nV-1,"Vase"x,3\n').message)


def test_rows_are_counted():
    many = "sku,name,price\n" + "V,a,1\n" * 11
    assert len(read(many, most_rows=11)) == 11
    assert refusal(many, most_rows=10).code == "table-too-long"


def test_a_workbook_is_read_as_its_cells_are_seen():
    rows = [
        ["SKU", "Name", "Price", "made"],
        [1001, "花瓶", 19.5, datetime.datetime(2024, 5, 1)],
        [],
        ["B-1", "Bowl", 8.0, None],
    ]
    data = workbook(rows)
    assert is_xlsx(data)
    assert read(data) == [
        (2, {"sku": "1001", "name": "花瓶", "price": "19.5", "made": "2024-05-01"}),
        (4, {"sku": "B-1", "name": "Bowl", "price": "8", "made": ""}),
    ]


def test_a_formula_of_a_workbook_is_never_run_nor_shown():
    assert read(workbook([["sku", "name", "price"], ["V-1", '=CMD|"/c calc"!A1', 3]]))[0][1]["name"] == ""


GOOD_BOOK = workbook([["sku", "name", "price"], ["V-1", "Vase", 3]])
SHEET = "xl/worksheets/sheet1.xml"
BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "0123456789">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, (b"&%c;" % (97 + n)) * 10) for n in range(9)
)


@pytest.mark.parametrize(
    "change",
    [
        lambda _data: BOMB + b"]><worksheet>&j;</worksheet>",
        lambda data: b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + data,
        lambda data: b'<!DOCTYPE x [<!ENTITY e SYSTEM "http://169.254.169.254/">]>' + data,
        lambda data: ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x>' + data.decode()).encode("utf-16"),
        lambda data: data[: len(data) // 2],
        lambda _data: b"<a>" * 200_000,
        lambda data: data.replace(b'r="2"', b'r="999999999999"'),
        lambda data: data.replace(b'r="2"', b'r="minus"'),
        lambda data: data.replace(b't="n"', b't="s"').replace(b"<v>3<", b"<v>999999<"),
    ],
    ids=["entity bomb", "file", "address", "utf-16", "cut", "deep", "row number", "odd row", "no such text"],
)
def test_a_hostile_workbook_is_refused(change):
    assert refusal(with_part(GOOD_BOOK, SHEET, change)).code == "table-unreadable"


def test_rows_beyond_what_the_sheet_says_of_its_size_are_read():
    shrunk = with_part(GOOD_BOOK, SHEET, lambda data: data.replace(b'ref="A1:C2"', b'ref="A1"'))
    assert shrunk != GOOD_BOOK
    assert read(shrunk) == read(GOOD_BOOK)


def test_a_workbook_bomb_is_refused():
    packed = with_part(GOOD_BOOK, SHEET, lambda data: data + b" " * 61_000_000)
    assert refusal(packed).code == "table-unreadable"


def test_a_cell_far_to_the_right_is_too_many_columns():
    assert (
        refusal(workbook([["sku", "name", "price"], ["V-1", "Vase", 3]], XFD2="x", CW2="y")).code == "too-many-columns"
    )


def test_what_begins_like_a_zip_need_not_be_a_workbook():
    assert not is_xlsx(b"PK\3\4" + b"\0" * 50)
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    assert not is_xlsx(buffer.getvalue())


def test_damage_anywhere_is_a_refusal_or_a_table():
    chance = random.Random(5)
    refusals = 0
    for _ in range(100):
        data = bytearray(GOOD_BOOK)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read(bytes(data))
        except RejectedTable:
            refusals += 1
    assert refusals > 20


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_formula_is_exported_as_text(start):
    assert neutral(f"{start}1+1") == f"'{start}1+1"


def test_plain_values_are_exported_as_they_are():
    cells = ["Vase", "", None, -3, "-3.50", "+4", Decimal("19.50"), "花瓶", "it's", "'quoted'"]
    assert [neutral(cell) for cell in cells] == [
        "Vase",
        "",
        "",
        "-3",
        "-3.50",
        "+4",
        "19.50",
        "花瓶",
        "it's",
        "'quoted'",
    ]


def test_an_export_opens_in_a_spreadsheet_with_its_chinese():
    text = write_csv(["sku", "name", "price"], [["V-1", "花瓶, 高", "=1+1"]])
    assert text == '\ufeffsku,name,price\r\nV-1,"花瓶, 高",\'=1+1\r\n'


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_what_is_exported_comes_back_the_same_and_never_starts_a_formula(names):
    kept = [re.sub(r"[\0\ud800-\udfff]", "", name) for name in names]
    text = write_csv(["sku", "name", "price"], [[f"s{n}", name, "1"] for n, name in enumerate(kept)])
    assert [cells["name"] for _number, cells in read(text)] == kept
    for name in kept:
        assert not re.match(r"[=@\t\r\n＝＋－＠]|[+-](?![0-9])", neutral(name))
