"""The columns that shelves are chosen by (stock, price, category), kept in memory beside the recommender's rows.

What is chosen is read again from the database before it is shown, so a snapshot that is some seconds old can cost a place
on a shelf but never show a product that has left the shop.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.models import Product
from recommend.engine.fitted import FittedRecommender
from recommend.engine.rules import CatalogueColumns

#: Seconds after which a snapshot is read again.
FRESH_SECONDS = 10.0


@dataclass(frozen=True)
class Snapshot:
    """Row r of every column is product ``product_ids[r]``; the first rows are the recommender's, in its order."""

    product_ids: NDArray[np.int64]
    columns: CatalogueColumns
    #: Rows on sale, newest first.
    newest: NDArray[np.int64]
    on_sale: NDArray[np.bool_]

    @cached_property
    def rows(self) -> dict[int, int]:
        """Product id → row."""
        return {pk: row for row, pk in enumerate(self.product_ids.tolist())}


_snapshots: dict[tuple[int, float], tuple[float, Snapshot]] = {}


def snapshot(merchant_id: int, fitted: FittedRecommender | None) -> Snapshot:
    """The shop's columns, at most ``FRESH_SECONDS`` old."""
    key = (merchant_id, fitted.fitted_at if fitted else 0.0)
    known = _snapshots.get(key)
    if known is not None and time.monotonic() - known[0] < FRESH_SECONDS:
        return known[1]
    fresh = _read(merchant_id, fitted)
    for other in [other for other in _snapshots if other[0] == merchant_id]:
        _snapshots.pop(other, None)
    _snapshots[key] = (time.monotonic(), fresh)
    return fresh


def forget() -> None:
    """Read everything again at the next request."""
    _snapshots.clear()


def _read(merchant_id: int, fitted: FittedRecommender | None) -> Snapshot:
    rows = Product.objects.filter(merchant_id=merchant_id).on_sale().order_by("-created_at", "-pk")
    table = list(rows.values_list("pk", "stock", "price", "category_id"))
    by_id = {row[0]: row for row in table}
    known = [int(item) for item in fitted.item_ids.tolist()] if fitted is not None else []
    new = [row[0] for row in table if row[0] not in set(known)]
    product_ids = np.array(known + new, dtype=np.int64)
    gone = (0, 0, 0, 0)
    columns = [by_id.get(pk, gone) for pk in product_ids.tolist()]
    place = {pk: row for row, pk in enumerate(product_ids.tolist())}
    on_sale = np.array([pk in by_id for pk in product_ids.tolist()], dtype=bool)
    return Snapshot(
        product_ids=product_ids,
        columns=CatalogueColumns(
            in_stock=np.array([row[1] > 0 for row in columns], dtype=bool) & on_sale,
            price=np.array([float(row[2]) for row in columns], dtype=np.float64),
            category=np.array([row[3] or 0 for row in columns], dtype=np.int64),
        ),
        newest=np.array([place[row[0]] for row in table], dtype=np.int64),
        on_sale=on_sale,
    )
