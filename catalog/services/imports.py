"""Reading a product table (and pictures beside it) into the catalogue.

A folder or a ZIP holds ``products.csv`` (or .xlsx) and pictures; a table alone works too. Rows and pictures fail one
by one: a bad row is reported and left out, a bad picture is reported and its row stays.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalog.access import require_role
from catalog.archives import open_archive
from catalog.images import RejectedImage
from catalog.models import ImportRun, Membership, Merchant, Product
from catalog.services.import_rows import REQUIRED_COLUMNS, Problem, Row, parse_row
from catalog.services.pictures import add_picture
from catalog.services.products import category_named, save_product
from catalog.tables import is_xlsx, read_table
from jobs.errors import UserError
from jobs.services import enqueue

KIND = "catalog.import"
TABLE_NAMES = ("products.csv", "products.xlsx")
MOST_ROWS = 20_000
ROWS_PER_TRANSACTION = 100
#: At most so many problem rows are kept with the run; the counts stay exact.
MOST_PROBLEMS_KEPT = 5_000

OnProgress = Callable[[int, int], None]


@dataclass
class Plan:
    """What an import would do."""

    rows: list[Row]
    new: list[Row] = field(default_factory=list)
    changed: list[tuple[Row, dict[str, tuple[str, str]]]] = field(default_factory=list)
    unchanged: list[Row] = field(default_factory=list)

    @property
    def bad(self) -> list[Row]:
        return [row for row in self.rows if row.is_bad]


@dataclass(frozen=True)
class Source:
    """A table and the pictures that came with it, each read when it is its turn."""

    table_name: str
    table: bytes
    pictures: Callable[[], Iterable[tuple[str, bytes]]]


def open_source(path: Path) -> Source:
    """A folder, a ZIP or a single table on this machine."""
    if path.is_dir():
        return _open_folder(path)
    if not path.exists():
        raise UserError("no-such-file", _("There is no “%(path)s”.") % {"path": path}, _("Check the name."))
    return open_upload(path.read_bytes(), name=path.name)


def open_upload(content: bytes, *, name: str) -> Source:
    """An uploaded ZIP or table."""
    if not content.startswith(b"PK") or is_xlsx(content):
        return Source(table_name=name, table=content, pictures=lambda: ())
    for member, data in open_archive(io.BytesIO(content)):
        if PurePosixPath(member).name.lower() in TABLE_NAMES:
            return Source(member, data, pictures=lambda: open_archive(io.BytesIO(content)))
    raise _no_table()


def _open_folder(folder: Path) -> Source:
    table = next((folder / name for name in TABLE_NAMES if (folder / name).is_file()), None)
    if table is None:
        raise _no_table()

    def pictures() -> Iterator[tuple[str, bytes]]:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file != table:
                yield file.relative_to(folder).as_posix(), file.read_bytes()

    return Source(table.name, table.read_bytes(), pictures)


def _no_table() -> UserError:
    return UserError(
        "no-table",
        _("There is no products.csv (or products.xlsx) in it."),
        _("Put the table beside the pictures; “Download template” gives you one to fill in."),
    )


def plan(*, merchant: Merchant, source: Source) -> Plan:
    """Read the table and compare it with the catalogue; changes nothing."""
    table = read_table(source.table, name=source.table_name, required=REQUIRED_COLUMNS, most_rows=MOST_ROWS)
    rows = [parse_row(number, cells) for number, cells in table]
    _refuse_repeated_skus(rows)
    good = [row for row in rows if not row.is_bad]
    known = Product.objects.filter(merchant=merchant).select_related("category").in_bulk(field_name="pk")
    by_sku = {product.sku: product for product in known.values()}
    found = Plan(rows)
    for row in good:
        product = by_sku.get(row.sku)
        if product is None:
            found.new.append(row)
            continue
        differences = _differences(product, row)
        if differences:
            found.changed.append((row, differences))
        else:
            found.unchanged.append(row)
    return found


def _refuse_repeated_skus(rows: list[Row]) -> None:
    first: dict[str, int] = {}
    for row in rows:
        if row.sku and first.setdefault(row.sku, row.number) != row.number:
            message = _("Row %(first)d has this SKU already.") % {"first": first[row.sku]}
            row.problems.append(Problem("sku-repeated", message))


def _differences(product: Product, row: Row) -> dict[str, tuple[str, str]]:
    """Field by field: what is there, and what the row says."""
    wanted = dict(row.fields)
    pairs = {name: (str(getattr(product, name)), str(value)) for name, value in wanted.items()}
    if row.category:
        pairs["category"] = (product.category.name if product.category else "", row.category)
    return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


def apply(
    *,
    merchant: Merchant,
    source: Source,
    actor: Any = None,
    on_progress: OnProgress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Plan:
    """Import every good row and every good picture; running it again changes nothing more."""
    planned = plan(merchant=merchant, source=source)
    wanted = planned.new + [row for row, _ in planned.changed]
    everyone = wanted + planned.unchanged
    pictures = sum(len(row.pictures) for row in everyone)
    total, done = len(wanted) + pictures, 0
    for start in range(0, len(wanted), ROWS_PER_TRANSACTION):
        if should_stop():
            return planned
        batch = wanted[start : start + ROWS_PER_TRANSACTION]
        with transaction.atomic():
            for row in batch:
                _save(merchant, row, actor)
        done += len(batch)
        on_progress(done, total)
    _add_pictures(merchant, everyone, source, lambda: on_progress(done, total), should_stop)
    on_progress(total, total)
    return planned


def _save(merchant: Merchant, row: Row, actor: Any) -> None:
    fields = dict(row.fields)
    if row.category:
        fields["category"] = category_named(merchant=merchant, name=row.category)
    save_product(merchant=merchant, sku=row.sku, actor=actor, **fields)


def _add_pictures(
    merchant: Merchant,
    rows: list[Row],
    source: Source,
    beat: Callable[[], None],
    should_stop: Callable[[], bool],
) -> None:
    """Match pictures to rows by the name in the table, or by a file name that is or begins with the SKU."""
    named: dict[str, list[tuple[Row, int]]] = defaultdict(list)
    by_sku = {row.sku.lower(): row for row in rows}
    for row in rows:
        for position, name in enumerate(row.pictures):
            named[PurePosixPath(name).name.lower()].append((row, position))
    products = {product.sku: product for product in Product.objects.filter(merchant=merchant)}
    seen: set[str] = set()
    for member, content in source.pictures():
        if should_stop():
            return
        name = PurePosixPath(member).name.lower()
        targets = named.get(name) or _by_sku(name, by_sku)
        for row, position in targets:
            seen.add(name)
            try:
                add_picture(product=products[row.sku], upload=content, position=position)
            except RejectedImage as error:
                row.picture_problems.append(Problem(error.code, f"{member}: {error.message}"))
        beat()
    for name, targets in named.items():
        if name not in seen:
            for row, _position in targets:
                message = _("The picture “%(name)s” did not come with the table.") % {"name": name}
                row.picture_problems.append(Problem("picture-missing", message))


def _by_sku(name: str, by_sku: dict[str, Row]) -> list[tuple[Row, int]]:
    """``SKU.jpg`` and ``SKU-2.jpg`` belong to that SKU, unless the table names its pictures itself."""
    stem, number = PurePosixPath(name).stem, 0
    row = by_sku.get(stem)
    if row is None and "-" in stem:
        stem, _dash, suffix = stem.rpartition("-")
        with suppress(ValueError):
            number = max(0, int(suffix) - 1)
            row = by_sku.get(stem)
    return [(row, number)] if row is not None and not row.pictures else []


def start_import(*, merchant: Merchant, upload: Any, actor: Any = None) -> ImportRun:
    """Keep the upload and ask for its import. A table that cannot be read at all is refused here and now."""
    require_role(actor, merchant, Membership.Role.EDITOR)
    content = upload.read()
    name = str(getattr(upload, "name", "") or "products.csv")[:200]
    planned = plan(merchant=merchant, source=open_upload(content, name=name))
    suffix = PurePosixPath(name).suffix.lower()[:6] or ".csv"
    stored = default_storage.save(f"imports/upload{suffix}", ContentFile(content))
    return enqueue(
        ImportRun(
            kind=KIND,
            queue="default",
            merchant=merchant,
            merchant_key=merchant.pk,
            created_by=actor,
            source=stored,
            source_name=name,
            rows_total=len(planned.rows),
            rows_new=len(planned.new),
            rows_changed=len(planned.changed),
            rows_bad=len(planned.bad),
        )
    )


def problem_rows(planned: Plan) -> list[dict[str, Any]]:
    """What was wrong, row by row, as the run keeps it."""
    return [
        {
            "row": row.number,
            "sku": row.sku,
            "imported": not row.is_bad,
            "problems": [problem.as_dict() for problem in row.problems + row.picture_problems],
            "raw": row.raw,
        }
        for row in planned.rows
        if row.problems or row.picture_problems
    ][:MOST_PROBLEMS_KEPT]
