"""What the pages of a shop share, kept in memory beside the recommender's rows: stock, prices, categories, rules, policy.

What is chosen is read again from the database before it is shown, so a snapshot that is some seconds old can cost a place
on a shelf but never show a product that has left the shop.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from django.utils.translation import get_language
from numpy.typing import NDArray

from catalog.models import Category, Merchant, Product
from recommend.engine.bandit import ThompsonPolicy
from recommend.engine.fitted import FittedRecommender
from recommend.engine.rules import CatalogueColumns
from recommend.models import MerchandisingRule, RenderingPolicy
from recommend.services.policies import load_policy

#: Seconds after which a snapshot is read again.
FRESH_SECONDS = 10.0
#: A large shop's snapshot is kept longer, so that reading it takes at most one fiftieth of a process's time.
PATIENCE = 50
Kept = TypeVar("Kept")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Row r of every column is product ``product_ids[r]``; the first rows are the recommender's, in its order.

    One object as long as nothing in it changes, so that what was chosen from it can be kept as long.
    """

    product_ids: NDArray[np.int64]
    columns: CatalogueColumns
    #: Rows on sale, newest first.
    newest: NDArray[np.int64]
    on_sale: NDArray[np.bool_]
    #: The looks (N×d) that variety is judged by; None where the recommender has none.
    looks: NDArray[np.floating] | None
    #: What was chosen from it for those of whom nothing is known (``services.shelves``).
    worked_out: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def rows(self) -> dict[int, int]:
        """Product id → row."""
        return {pk: row for row, pk in enumerate(self.product_ids.tolist())}


@dataclass(frozen=True)
class ShopFacts:
    """What a merchant sets, and what changes rarely."""

    categories: tuple[Category, ...]
    rules: tuple[MerchandisingRule, ...]
    policy: ThompsonPolicy | None
    _shelves: dict[str | None, tuple[tuple[str, str], ...]] = field(default_factory=dict, repr=False, compare=False)

    def shelves(self) -> tuple[tuple[str, str], ...]:
        """(address, name) of each category in the active language."""
        language = get_language()
        known = self._shelves.get(language)
        if known is None:
            known = tuple((category.slug, category.display_name) for category in self.categories)
            self._shelves[language] = known
        return known


_kept: dict[tuple[Any, ...], tuple[float, Any]] = {}


def _fresh(key: tuple[Any, ...], read: Callable[[Kept | None], Kept]) -> Kept:
    """What ``read`` returned last, unless that was too long ago; it is given what it returned before."""
    now = time.monotonic()
    known = _kept.get(key)
    if known is not None and now < known[0]:
        return known[1]  # type: ignore[no-any-return]
    value = read(known[1] if known is not None else None)
    took = time.monotonic() - now
    # Of an earlier recommender, say; not of another that an experiment shows at the same time.
    # A copy: other threads of the process write meanwhile.
    for other in [other for other, (until, _) in list(_kept.items()) if other[:2] == key[:2] and until <= now]:
        _kept.pop(other, None)
    _kept[key] = (now + took + max(FRESH_SECONDS, PATIENCE * took), value)
    return value


def snapshot(merchant: Merchant, fitted: FittedRecommender | None) -> Snapshot:
    """The shop's columns, some seconds old at most."""
    # The date tells a shop from an earlier one under the same id (a database brought back, or begun anew).
    key = ("columns", merchant.pk, merchant.created_at, fitted.fitted_at if fitted else 0.0)
    return _fresh(key, lambda before: _unless_same(before, _read_columns(merchant.pk, fitted)))


def facts(merchant: Merchant) -> ShopFacts:
    """The shop's categories with something in them, its rules and its rendering policy, some seconds old at most."""
    return _fresh(("facts", merchant.pk, merchant.created_at), lambda _before: _read_facts(merchant.pk))


def forget() -> None:
    """Read everything again at the next request of this process; others follow when their snapshots age."""
    _kept.clear()


def _read_facts(merchant_id: int) -> ShopFacts:
    filled = Product.objects.filter(merchant_id=merchant_id).on_sale().values("category_id")
    policy = RenderingPolicy.objects.filter(merchant_id=merchant_id).first()
    return ShopFacts(
        categories=tuple(Category.objects.filter(merchant_id=merchant_id, pk__in=filled)),
        rules=tuple(MerchandisingRule.objects.filter(merchant_id=merchant_id)),
        policy=load_policy(policy.state) if policy else None,
    )


def _read_columns(merchant_id: int, fitted: FittedRecommender | None) -> Snapshot:
    rows = Product.objects.filter(merchant_id=merchant_id).on_sale().order_by("-created_at", "-pk")
    table = list(rows.values_list("pk", "stock", "price", "category_id"))
    by_id = {row[0]: row for row in table}
    known = [int(item) for item in fitted.item_ids.tolist()] if fitted is not None else []
    fitted_ids = set(known)
    product_ids = known + [row[0] for row in table if row[0] not in fitted_ids]
    gone = (0, 0, 0, 0)
    columns = [by_id.get(pk, gone) for pk in product_ids]
    place = {pk: row for row, pk in enumerate(product_ids)}
    on_sale = np.array([pk in by_id for pk in product_ids], dtype=bool)
    return Snapshot(
        product_ids=np.array(product_ids, dtype=np.int64),
        columns=CatalogueColumns(
            in_stock=np.array([row[1] != 0 for row in columns], dtype=bool) & on_sale,
            price=np.array([float(row[2]) for row in columns], dtype=np.float64),
            category=np.array([row[3] or 0 for row in columns], dtype=np.int64),
        ),
        newest=np.array([place[row[0]] for row in table], dtype=np.int64),
        on_sale=on_sale,
        looks=_looks(fitted, len(product_ids)),
    )


def _unless_same(before: Snapshot | None, now: Snapshot) -> Snapshot:
    """The snapshot that was, where the new one says the same."""

    def arrays(one: Snapshot) -> tuple[NDArray[Any], ...]:
        columns = one.columns
        return one.product_ids, columns.in_stock, columns.price, columns.category, one.newest, one.on_sale

    same = before is not None and all(map(np.array_equal, arrays(before), arrays(now)))
    return before if same and before is not None else now


def _looks(fitted: FittedRecommender | None, count: int) -> NDArray[np.floating] | None:
    """The recommender's style vectors; products that are newer than it look like nothing yet."""
    if fitted is None or not fitted.parts.style.shape[1]:
        return None
    known = fitted.parts.style
    new = count - len(known)
    return np.vstack([known, np.zeros((new, known.shape[1]), dtype=known.dtype)]) if new else known
