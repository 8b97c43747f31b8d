"""A merchant's rules as pure functions over catalogue columns, and the shelf that comes out of them.

Filters become a mask and boosts become numbers *before* the search, so the search stays exact under them. Pins,
category caps and variety shape the list afterwards, over more candidates than are shown. What a rule did to a product
is in its ``trace``, what it kept out is counted in ``Shelf.kept_out``; `recommend.engine.reasons` says why a score is
high.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommend.engine.diversity import mmr_order
from recommend.engine.errors import EngineError

Mask = NDArray[np.bool_]
#: Candidates looked at for every place on the shelf, so that caps and variety have a choice.
OVERFETCH = 5
#: What may be given up, in this order, before a shelf stays empty. Hidden products never come back.
LAST_RESORTS = ("price", "category", "bought", "stock")


@dataclass(frozen=True)
class CatalogueColumns:
    """One entry per product row: is it in stock, its price, the number of its category."""

    in_stock: Mask
    price: NDArray[np.float64]
    category: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Raises `EngineError` (``bad-row``) for columns of different lengths."""
        if not len(self.in_stock) == len(self.price) == len(self.category):
            raise EngineError("bad-row", "The catalogue's columns differ in length.")

    def __len__(self) -> int:
        return len(self.in_stock)


@dataclass(frozen=True)
class Rules:
    """What holds for one shelf. Boosts and buries are in units of the score; products and categories by number."""

    pinned: Sequence[int] = ()
    hidden: Sequence[int] = ()
    hidden_categories: Sequence[int] = ()
    boosted: Mapping[int, float] = field(default_factory=dict)
    boosted_categories: Mapping[int, float] = field(default_factory=dict)
    bought: Sequence[int] = ()
    categories: Sequence[int] | None = None
    lowest_price: float | None = None
    highest_price: float | None = None
    #: Most products of one category on the shelf; given up before a place stays free.
    category_cap: int | None = None
    #: 1 shows by score alone; less trades score for variety (`diversity.mmr_order`).
    relevance: float = 1.0


@dataclass(frozen=True)
class Placed:
    """A product on the shelf and what the rules did to it.

    ``trace`` holds codes: ``pinned``, ``boosted``, ``buried``, ``for-variety``, ``over-cap``, and ``without:RULE`` for
    each rule given up so that the shelf is not empty.
    """

    row: int
    score: float
    source: str
    trace: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shelf:
    """The placed products, and how many the rules kept out, by the first rule that did."""

    items: tuple[Placed, ...]
    kept_out: Mapping[str, int]


class Source(Protocol):
    """A ranking to draw from: the recommender, then weaker ones."""

    @property
    def name(self) -> str: ...

    def __call__(
        self, allow: Mask, boosts: Mapping[int, float], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Up to k allowed rows and their scores, best first."""
        ...


def checks(catalogue: CatalogueColumns, rules: Rules) -> dict[str, Mask]:
    """For each rule, in the order they are counted, the rows that it lets through."""
    everything = np.ones(len(catalogue), dtype=bool)
    hidden, bought, price = everything.copy(), everything.copy(), everything.copy()
    hidden[_known(rules.hidden, catalogue)] = False
    if len(rules.hidden_categories):
        hidden &= ~np.isin(catalogue.category, rules.hidden_categories)
    bought[_known(rules.bought, catalogue)] = False
    if rules.lowest_price is not None:
        price &= catalogue.price >= rules.lowest_price
    if rules.highest_price is not None:
        price &= catalogue.price <= rules.highest_price
    category = everything if rules.categories is None else np.isin(catalogue.category, rules.categories)
    return {"hidden": hidden, "stock": catalogue.in_stock, "category": category, "price": price, "bought": bought}


def boosts(catalogue: CatalogueColumns, rules: Rules) -> dict[int, float]:
    """What is added to which row's score; a product's own boost and its category's add up."""
    added: dict[int, float] = {}
    for category, amount in rules.boosted_categories.items():
        for row in np.flatnonzero(catalogue.category == category).tolist():
            added[row] = added.get(row, 0.0) + amount
    for row in _known(list(rules.boosted), catalogue).tolist():
        added[row] = added.get(row, 0.0) + rules.boosted[row]
    return {row: amount for row, amount in added.items() if amount}


def fill_shelf(
    k: int,
    *,
    catalogue: CatalogueColumns,
    rules: Rules,
    sources: Sequence[Source],
    vectors: NDArray[np.floating] | None = None,
) -> Shelf:
    """Up to ``k`` products: pins first, then the sources in turn, each filling what the ones before left free.

    Whatever the sources return, products that pass the rules follow in catalogue order; and while the shelf is still
    empty, `LAST_RESORTS` are given up one after the other. So it is empty only where every product is hidden.
    ``vectors`` (N×d, the looks) serve variety; without them ``rules.relevance`` is of no effect.
    """
    passed = checks(catalogue, rules)
    allow = np.logical_and.reduce(list(passed.values()))
    added = boosts(catalogue, rules)
    shelf = _Filling(k, catalogue, rules, added, vectors)
    for row in _known(rules.pinned, catalogue).tolist():
        # A pin outranks category and price, but sells nothing that is hidden, out of stock or bought already.
        if passed["hidden"][row] and passed["stock"][row] and passed["bought"][row]:
            shelf.place(row, 0.0, "pinned", "pinned")
    shelf.draw(sources, allow)
    given_up: list[str] = []
    for rule in LAST_RESORTS:
        if shelf.items or k <= 0:
            break
        given_up.append(rule)
        kept = [mask for name, mask in passed.items() if name not in given_up]
        shelf.draw(sources, np.logical_and.reduce(kept), *(f"without:{name}" for name in given_up))
    return Shelf(tuple(shelf.items), _kept_out(passed))


class _Filling:
    """A shelf while it is being filled."""

    def __init__(
        self,
        k: int,
        catalogue: CatalogueColumns,
        rules: Rules,
        added: Mapping[int, float],
        vectors: NDArray[np.floating] | None,
    ) -> None:
        self.items: list[Placed] = []
        self._k, self._catalogue, self._rules = k, catalogue, rules
        self._added, self._vectors = added, vectors
        self._in_category: Counter[int] = Counter()

    def place(self, row: int, score: float, source: str, *trace: str) -> None:
        if len(self.items) >= self._k or row in {item.row for item in self.items}:
            return
        amount = self._added.get(row, 0.0)
        effect = ("boosted",) if amount > 0 else ("buried",) if amount < 0 else ()
        self.items.append(Placed(row, score, source, (*trace, *effect)))
        self._in_category[int(self._catalogue.category[row])] += 1

    def draw(self, sources: Sequence[Source], allow: Mask, *trace: str) -> None:
        """Fill from the sources, then from the catalogue; then again what only the cap kept out."""
        over_cap: list[tuple[int, float, str]] = []
        for source in sources:
            if len(self.items) >= self._k:
                return
            rows, scores = source(self._still(allow), self._added, self._k * OVERFETCH)
            self._place_ranked(np.asarray(rows), np.asarray(scores), source.name, trace, over_cap)
        if len(self.items) < self._k:
            rest = np.flatnonzero(self._still(allow))
            self._place_ranked(rest, np.zeros(len(rest)), "catalogue", trace, over_cap)
        for row, score, name in over_cap:
            self.place(row, score, name, *trace, "over-cap")

    def _still(self, allow: Mask) -> Mask:
        allow = allow.copy()
        allow[[item.row for item in self.items]] = False
        return allow

    def _place_ranked(
        self,
        rows: NDArray[np.int64],
        scores: NDArray[np.float64],
        source: str,
        trace: tuple[str, ...],
        over_cap: list[tuple[int, float, str]],
    ) -> None:
        order: Iterable[int] = range(len(rows))
        if self._vectors is not None and self._rules.relevance < 1 and source != "catalogue":
            shown = self._vectors[[item.row for item in self.items]]
            order = mmr_order(scores, self._vectors[rows], relevance=self._rules.relevance, shown=shown)
        for place, at in enumerate(order):
            row, score = int(rows[at]), float(scores[at])
            if len(self.items) >= self._k:
                return
            cap = self._rules.category_cap
            if cap is not None and self._in_category[int(self._catalogue.category[row])] >= cap:
                over_cap.append((row, score, source))
                continue
            moved_up = ("for-variety",) if at > place else ()
            self.place(row, score, source, *trace, *moved_up)


def _known(rows: Sequence[int], catalogue: CatalogueColumns) -> NDArray[np.int64]:
    """The rows that exist, in their order: rules may outlive their products."""
    given = np.asarray(rows, dtype=np.int64)
    return given[(given >= 0) & (given < len(catalogue))]


def _kept_out(passed: Mapping[str, Mask]) -> dict[str, int]:
    counts, open_rows = {}, None
    for name, mask in passed.items():
        still = mask if open_rows is None else open_rows & mask
        before = len(mask) if open_rows is None else int(np.count_nonzero(open_rows))
        counts[name] = before - int(np.count_nonzero(still))
        open_rows = still
    return counts
