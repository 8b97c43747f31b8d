"""The catalogue as a table: the same columns that an import reads, so that an export can be changed and come back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Product
from catalog.services.import_rows import COLUMNS
from catalog.tables import write_csv, write_xlsx

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {"csv": CSV, "xlsx": XLSX}

#: What belongs into which column, for the template and the import page.
COLUMN_HELP: dict[str, str | Promise] = {
    "sku": _("Your own number of the product. A row with a known SKU changes that product. Required."),
    "name": _("In English. Required, unless name_zh is filled in."),
    "name_zh": _("In Chinese."),
    "category": _("Name of a category, in either language; made where it is missing."),
    "price": _("In the shop's currency, like 19.50. Required."),
    "description": _("In English."),
    "images": _("File names in the ZIP, or https:// addresses, separated by |. Empty: files named like the SKU."),
    "description_zh": _("In Chinese."),
    "stock": _("Number of pieces."),
    "status": _("draft, published or archived. New products without it are published."),
}


def export(products: QuerySet[Product], *, kind: str, address_of: Callable[[str], str]) -> bytes:
    """These products as ``csv`` or ``xlsx``. ``address_of`` makes a picture's URL absolute."""
    return table(COLUMNS, _rows(products, address_of), kind=kind)


def template(*, kind: str) -> bytes:
    """An empty table to fill in; as a workbook it explains its columns."""
    return table(COLUMNS, [], kind=kind)


def table(header: Iterable[str], rows: Iterable[Iterable[Any]], *, kind: str) -> bytes:
    """A table as the bytes of a ``csv`` or an ``xlsx``."""
    columns, cells = list(header), (list(row) for row in rows)
    if kind == "xlsx":
        notes = {column: str(COLUMN_HELP[column]) for column in columns if column in COLUMN_HELP}
        return write_xlsx(columns, cells, notes=notes)
    return write_csv(columns, cells).encode()


def problem_table(problems: Iterable[dict[str, Any]], *, kind: str) -> bytes:
    """Only the rows with problems, as they came, each with its reason: to be mended and uploaded again."""
    rows = (
        [row["raw"].get(column, "") for column in COLUMNS]
        + [row["row"], " · ".join(problem["message"] for problem in row["problems"])]
        for row in problems
    )
    return table([*COLUMNS, "row", "problem"], rows, kind=kind)


def _rows(products: QuerySet[Product], address_of: Callable[[str], str]) -> Iterator[list[Any]]:
    wanted = products.select_related("category").prefetch_related(None).prefetch_related("images")
    for product in wanted.iterator(chunk_size=500):
        values = {column: getattr(product, column, "") for column in COLUMNS}
        values["category"] = product.category.name if product.category else ""
        values["images"] = "|".join(address_of(image.file.url) for image in product.images.all())
        yield [values[column] for column in COLUMNS]
