"""One row of a product table: what it asks for, and what is wrong with it. Touches no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.services.products import LONGEST_DESCRIPTION

#: Columns of ``products.csv``; the first three must be there.
REQUIRED_COLUMNS = ("sku", "name", "price")
COLUMNS = ("sku", "name", "name_zh", "category", "price", "description", "images", "description_zh", "stock", "status")
#: Characters.
_LONGEST = {
    "name": 200,
    "name_zh": 200,
    "description": LONGEST_DESCRIPTION,
    "description_zh": LONGEST_DESCRIPTION,
}
MOST_PICTURES_PER_ROW = 20
LARGEST_PRICE = Decimal("9999999999.99")


@dataclass(frozen=True)
class Problem:
    """Something wrong with a row: a stable code and a text for the merchant."""

    code: str
    message: str | Promise

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "message": str(self.message)}


@dataclass
class Row:
    """A parsed row. With ``problems`` of its own it is not imported; a missing picture never blocks it."""

    number: int
    raw: dict[str, str]
    sku: str = ""
    category: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    picture_problems: list[Problem] = field(default_factory=list)

    @property
    def all_problems(self) -> list[Problem]:
        return self.problems + self.picture_problems

    @property
    def is_bad(self) -> bool:
        return bool(self.problems)


def parse_row(number: int, cells: Mapping[str, str]) -> Row:
    """Read one row. An empty cell of an optional column leaves that field as it is."""
    raw = {column: (cells.get(column) or "").strip() for column in COLUMNS}
    row = Row(number=number, raw={column: text for column, text in raw.items() if text}, sku=raw["sku"])
    if not row.sku:
        row.problems.append(Problem("sku-missing", _("The SKU is empty.")))
    elif len(row.sku) > 64:
        row.problems.append(Problem("sku-too-long", _("The SKU is longer than 64 characters.")))
    if not raw["name"] and not raw["name_zh"]:
        row.problems.append(Problem("name-missing", _("The name is empty.")))
    for column, limit in _LONGEST.items():
        if len(raw[column]) > limit:
            row.problems.append(
                Problem(
                    "text-too-long",
                    _("“%(column)s” is longer than %(limit)d characters.") % {"column": column, "limit": limit},
                )
            )
        elif raw[column]:
            row.fields[column] = raw[column]
    row.fields.setdefault("name", raw["name"] or raw["name_zh"])
    _read_price(row, raw["price"])
    _read_stock(row, raw["stock"])
    _read_status(row, raw["status"])
    row.category = raw["category"]
    row.pictures = tuple(name.strip() for name in raw["images"].split("|") if name.strip())[:MOST_PICTURES_PER_ROW]
    return row


def _read_price(row: Row, text: str) -> None:
    try:
        price = Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text.replace(",", ""))
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite():
        message = _("“%(text)s” is no price. Write it like 19.50.") % {"text": text[:40]}
        row.problems.append(Problem("price-unreadable", message))
    elif not 0 <= price <= LARGEST_PRICE:
        row.problems.append(Problem("price-out-of-range", _("The price is below zero or beyond ten digits.")))
    else:
        row.fields["price"] = price.quantize(Decimal("0.01"))


def _read_stock(row: Row, text: str) -> None:
    if not text:
        return
    if text.isdecimal() and int(text) < 2**31:
        row.fields["stock"] = int(text)
    else:
        message = _("“%(text)s” is no number of pieces.") % {"text": text[:40]}
        row.problems.append(Problem("stock-unreadable", message))


def _read_status(row: Row, text: str) -> None:
    if not text:
        return
    if text.lower() in {"draft", "published", "archived"}:
        row.fields["status"] = text.lower()
    else:
        row.problems.append(Problem("status-unknown", _("A status is draft, published or archived.")))
