"""Reading a product table (and pictures beside it) into the catalogue.

Rows and pictures fail one by one: a bad row is reported and left out, a bad picture is reported and its row stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalog.models import Category, Merchant, Product
from catalog.remote import fetch_picture
from catalog.services.categories import Shelves
from catalog.services.import_pictures import (
    Fetch,
    Wanted,
    add_pictures,
    count_matched,
    note_missing,
    wanted_pictures,
)
from catalog.services.import_rows import REQUIRED_COLUMNS, Problem, Row, parse_row
from catalog.services.import_sources import Source
from catalog.services.products import save_many
from catalog.tables import read_table

MOST_ROWS = 20_000
ROWS_PER_TRANSACTION = 100
#: At most so many problem rows are kept with the run; the counts stay exact.
MOST_PROBLEMS_KEPT = 5_000
_SKUS_PER_QUERY = 500

OnProgress = Callable[[int, int], None]


@dataclass
class Plan:
    """What an import would do, or did."""

    rows: list[Row]
    new: list[Row] = field(default_factory=list)
    changed: list[tuple[Row, dict[str, tuple[str, str]]]] = field(default_factory=list)
    unchanged: list[Row] = field(default_factory=list)
    wanted: Wanted = field(default_factory=Wanted)
    #: Pictures to look at; after ``apply``, how many came into the catalogue.
    pictures: int = 0
    pictures_added: int = 0

    @property
    def bad(self) -> list[Row]:
        return [row for row in self.rows if row.is_bad]

    @property
    def with_picture_problems(self) -> list[Row]:
        """Rows that are imported, but not with all of their pictures."""
        return [row for row in self.rows if row.picture_problems and not row.is_bad]


def plan(*, merchant: Merchant, source: Source) -> Plan:
    """Read the table and compare it with the catalogue; changes nothing."""
    table = read_table(source.table, name=source.table_name, required=REQUIRED_COLUMNS, most_rows=MOST_ROWS)
    rows = [parse_row(number, cells) for number, cells in table]
    _refuse_repeated_skus(rows)
    good = [row for row in rows if not row.is_bad]
    shelves = Shelves(merchant)
    known = {product.sku: product for product in _products(merchant, [row.sku for row in good])}
    found = Plan(rows, wanted=wanted_pictures(good))
    note_missing(found.wanted, source)
    found.pictures = count_matched(found.wanted, source)
    for row in good:
        product = known.get(row.sku)
        if product is None:
            found.new.append(row)
            continue
        differences = _differences(product, row, shelves.find(row.category) if row.category else None)
        if differences:
            found.changed.append((row, differences))
        else:
            found.unchanged.append(row)
    return found


def _products(merchant: Merchant, skus: list[str]) -> Iterator[Product]:
    for start in range(0, len(skus), _SKUS_PER_QUERY):
        wanted = skus[start : start + _SKUS_PER_QUERY]
        yield from Product.objects.filter(merchant=merchant, sku__in=wanted).select_related("category")


def _refuse_repeated_skus(rows: list[Row]) -> None:
    first: dict[str, int] = {}
    for row in rows:
        if row.sku and first.setdefault(row.sku, row.number) != row.number:
            message = _("Row %(first)d has this SKU already.") % {"first": first[row.sku]}
            row.problems.append(Problem("sku-repeated", message))


def _differences(product: Product, row: Row, category: Category | None) -> dict[str, tuple[str, str]]:
    """Field by field: what is there, and what the row says."""
    pairs = {name: (str(getattr(product, name)), str(value)) for name, value in row.fields.items()}
    if row.category and (category is None or category.pk != product.category_id):
        pairs["category"] = (product.category.name if product.category else "", row.category)
    return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


def apply(
    *,
    merchant: Merchant,
    source: Source,
    actor: Any = None,
    on_progress: OnProgress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
    fetch: Fetch = fetch_picture,
) -> Plan:
    """Import every good row and every good picture; running it again changes nothing more."""
    planned = plan(merchant=merchant, source=source)
    wanted = planned.new + [row for row, _ in planned.changed]
    total, done = len(wanted) + planned.pictures, 0
    shelves = Shelves(merchant)
    for start in range(0, len(wanted), ROWS_PER_TRANSACTION):
        if should_stop():
            return planned
        batch = wanted[start : start + ROWS_PER_TRANSACTION]
        with transaction.atomic():
            items = {row.sku: _fields(row, shelves) for row in batch}
            save_many(merchant=merchant, items=items, actor=actor)
        done += len(batch)
        on_progress(done, total)

    def on_picture() -> None:
        nonlocal done
        done += 1
        on_progress(min(done, total), total)

    planned.pictures_added = add_pictures(
        merchant=merchant,
        wanted=planned.wanted,
        source=source,
        on_picture=on_picture,
        should_stop=should_stop,
        fetch=fetch,
    )
    if not should_stop():
        on_progress(total, total)
    return planned


def _fields(row: Row, shelves: Shelves) -> dict[str, Any]:
    return row.fields | ({"category": shelves.find_or_make(row.category)} if row.category else {})


def problem_rows(planned: Plan) -> list[dict[str, Any]]:
    """What was wrong, row by row, as the run keeps it."""
    return [
        {
            "row": row.number,
            "sku": row.sku,
            "imported": not row.is_bad,
            "problems": [problem.as_dict() for problem in row.all_problems],
            "raw": row.raw,
        }
        for row in planned.rows
        if row.all_problems
    ][:MOST_PROBLEMS_KEPT]
