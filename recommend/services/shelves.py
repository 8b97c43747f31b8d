"""What stands on a shelf: the fitted recommender first, the newest products where it has nothing, the shop's rules over all.

One ``Shelves`` serves one page: the recommender, the shopper's history and the rules are read once, each shelf is chosen
from memory, and no product appears on two shelves of a page. A choice is a function of what is asked for, the history,
the recommender, the catalogue and the rules, and of nothing else: while all of them are the same, it is made once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from catalog.models import Merchant
from recommend import serving
from recommend.engine.fitted import FittedRecommender
from recommend.engine.query import UserQuery
from recommend.engine.rules import Placed, Rules, Source, fill_shelf
from recommend.experiments.subjects import SIMILAR
from recommend.experiments.treatment import Treatment, treatment_of
from recommend.models import MerchandisingRule, Shopper
from recommend.services.catalogue import Snapshot, facts, snapshot
from recommend.services.history import History, history_of

Slot = Literal["home", "style", "new", "category", "product", "cart", "email"]
#: Places on a page, and all places.
PAGE_SLOTS: tuple[Slot, ...] = ("home", "style", "new", "category", "product", "cart")
SLOTS: tuple[Slot, ...] = (*PAGE_SLOTS, "email")
#: Places that speak of the whole shop: what stands there is mixed.
MIXED: frozenset[Slot] = frozenset({"home", "email"})
#: What a boost or a bury adds to a score; the engine's parts have a deviation of about one.
BOOST = 1.0
#: Choices kept at once for a shopper, and for all strangers of a shop.
MOST_CHOICES = 2_000
#: Most products of one category on a mixed shelf, as a share of its places.
CATEGORY_SHARE = 0.5
RELEVANCE = 0.8


@dataclass(frozen=True)
class Pick:
    """A product on a shelf, and why."""

    product_id: int
    score: float
    parts: Mapping[str, float]
    reason_code: str
    reason_product: int | None
    trace: tuple[str, ...]


class Shelves:
    """Everything that the shelves of one page are chosen with."""

    def __init__(
        self,
        merchant: Merchant,
        shopper: Shopper | None,
        *,
        history: History | None = None,
        treatment: Treatment | None = None,
    ) -> None:
        self.merchant = merchant
        self.shopper = shopper
        self.history = history if history is not None else history_of(shopper)
        self.treatment = treatment if treatment is not None else treatment_of(merchant, shopper)
        self._served = served = serving.deployed(merchant, self.treatment.version)
        self.recommender_id: int | None = served.recommender_id if served else None
        self.fitted: FittedRecommender | None = served.fitted if served else None
        self._placed: set[int] = set()

    @property
    def is_personal(self) -> bool:
        return bool(self.history.events) and self.treatment.is_personal

    @cached_property
    def snapshot(self) -> Snapshot:
        return snapshot(self.merchant, self.fitted)

    @cached_property
    def query(self) -> UserQuery | None:
        """The shopper, folded in from their last events: a click changes the next page."""
        if self.fitted is None:
            return None
        known: UserQuery | None = self._choices.get("query")
        if known is None:
            events = self.history.events if self.treatment.is_personal else ()
            now = timezone.now().timestamp()
            known = self.fitted.query(events, now)
            if all(event.timestamp <= now for event in events):  # a later one is not folded in yet
                self._choices["query"] = known
        return known

    @cached_property
    def _choices(self) -> dict[Any, Any]:
        """What was worked out before from the same history, recommender, catalogue, rules and treatment."""
        return self._choices_of(self.history if self.history.events else self.snapshot)

    def _choices_of(self, whose: History | Snapshot) -> dict[Any, Any]:
        kept = whose.worked_out
        rules = [(rule.effect, rule.product_id, rule.category_id, rule.slot) for rule in self._active_rules]
        basis = (self._served, self.snapshot, rules)
        treated = ("choices", self.treatment.is_personal, self.treatment.relevance, self.treatment.beside)
        known = kept.get(treated)
        if known is None or known[0] != basis or len(known[1]) > MOST_CHOICES:
            known = kept[treated] = (basis, {})
        return known[1]  # type: ignore[no-any-return]

    def shelf(
        self,
        slot: Slot,
        k: int,
        *,
        product_id: int | None = None,
        category_id: int | None = None,
        lowest_price: float | None = None,
        highest_price: float | None = None,
        explain: bool = False,
    ) -> list[Pick]:
        """Up to ``k`` products for a place. ``product``: like that product; ``category``: of that category."""
        asked = (slot, k, product_id, category_id, lowest_price, highest_price, explain)
        if self._is_like(slot, product_id):  # of the shopper, only what they have counts
            choices, besides = (
                self._choices_of(self.snapshot),
                (frozenset(self._placed), self.history.bought),
            )
        else:
            choices, besides = self._choices, (frozenset(self._placed), frozenset())
        picks: tuple[Pick, ...] | None = choices.get((asked, besides))
        if picks is None:
            picks = choices[asked, besides] = self._choose(*asked)
        self._placed.update(pick.product_id for pick in picks)
        return list(picks)

    def leave_out(self, product_ids: Collection[int]) -> None:
        """Put these products on none of the shelves to come."""
        self._placed.update(product_ids)

    def take_back(self, product_ids: Collection[int]) -> None:
        """Let these products stand on a shelf again."""
        self._placed.difference_update(product_ids)

    def _choose(
        self,
        slot: Slot,
        k: int,
        product_id: int | None,
        category_id: int | None,
        lowest_price: float | None,
        highest_price: float | None,
        explain: bool,
    ) -> tuple[Pick, ...]:
        rules = replace(self._rules(slot, k, category_id), lowest_price=lowest_price, highest_price=highest_price)
        if product_id is not None:
            rules = replace(rules, hidden=[*rules.hidden, *self._rows([product_id])])
        rules = replace(rules, hidden=[*rules.hidden, *self._rows(self._placed)])
        sources: list[Source] = [_Newest(self.snapshot)]
        if product_id is not None and self._is_like(slot, product_id) and self.fitted is not None:
            sources.insert(0, _Similar(self, product_id))
        elif slot != "new" and self.fitted is not None:
            sources.insert(0, _ForShopper(self, slot))
        placed = fill_shelf(
            k, catalogue=self.snapshot.columns, rules=rules, sources=sources, vectors=self.snapshot.looks
        ).items
        on_sale = self.snapshot.on_sale
        placed = tuple(item for item in placed if on_sale[item.row])
        chosen = [item.row for item in placed if item.source == "recommender"]
        why: dict[int, tuple[str, str | None]] = {}
        if chosen and self.fitted is not None and self.query is not None:
            why = dict(zip(chosen, self.fitted.reasons(self.query, chosen), strict=True))
        return tuple(self._pick(item, product_id, why, explain=explain) for item in placed)

    def _is_like(self, slot: Slot, product_id: int | None) -> bool:
        """Whether the shelf shows what is like a product, and not the shopper's own order."""
        return slot == "product" and product_id is not None and self.treatment.beside == SIMILAR

    def _rows(self, product_ids: Iterable[int]) -> list[int]:
        return [self.snapshot.rows[pk] for pk in product_ids if pk in self.snapshot.rows]

    @cached_property
    def _active_rules(self) -> list[MerchandisingRule]:
        now = timezone.now()
        return [
            rule
            for rule in facts(self.merchant).rules
            if (rule.starts_at is None or rule.starts_at <= now) and (rule.ends_at is None or rule.ends_at > now)
        ]

    def _rules(self, slot: Slot, k: int, category_id: int | None) -> Rules:
        effects = MerchandisingRule.Effect
        active = [rule for rule in self._active_rules if rule.slot in {"", slot}]
        amount = {effects.BOOST: BOOST, effects.BURY: -BOOST}

        def products(effect: str) -> list[int]:
            return self._rows([rule.product_id for rule in active if rule.effect == effect and rule.product_id])

        def categories(effect: str) -> list[int]:
            return [rule.category_id for rule in active if rule.effect == effect and rule.category_id]

        return Rules(
            pinned=products(effects.PIN),
            hidden=products(effects.HIDE),
            hidden_categories=categories(effects.HIDE),
            boosted={row: value for effect, value in amount.items() for row in products(effect)},
            boosted_categories={pk: value for effect, value in amount.items() for pk in categories(effect)},
            bought=self._rows(self.history.bought),
            categories=[category_id] if category_id is not None else None,
            category_cap=max(1, round(k * CATEGORY_SHARE)) if slot in MIXED else None,
            relevance=(self.treatment.relevance or RELEVANCE) if slot in MIXED else 1.0,
        )

    def _pick(
        self, item: Placed, product_id: int | None, why: Mapping[int, tuple[str, str | None]], *, explain: bool
    ) -> Pick:
        code, source = "new-arrival", None
        parts: dict[str, float] = {}
        if item.source == "pinned":
            code = "pinned"
        elif item.source == "similar":
            code, source = "similar-to", product_id
        elif item.source == "recommender" and self.fitted is not None and self.query is not None:
            code, name = why[item.row]
            source = int(name) if name else None
            parts = self.fitted.explain(self.query, item.row) if explain else {}
        return Pick(int(self.snapshot.product_ids[item.row]), item.score, parts, code, source, item.trace)


class _Newest:
    """The newest products first: the source that always has something."""

    name = "newest"

    def __init__(self, columns: Snapshot) -> None:
        self._newest = columns.newest

    def __call__(
        self, allow: NDArray[np.bool_], boosts: Mapping[int, float], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        rows = self._newest[allow[self._newest]][:k]
        return rows, -np.arange(len(rows), dtype=np.float64)


class _ForShopper:
    """The recommender's order for this shopper; on the shelf “in your style”, by the style part alone."""

    name = "recommender"

    def __init__(self, page: Shelves, slot: Slot) -> None:
        self._page, self._slot = page, slot

    def __call__(
        self, allow: NDArray[np.bool_], boosts: Mapping[int, float], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        fitted, query = self._page.fitted, self._page.query
        assert fitted is not None
        assert query is not None
        known = len(fitted.item_ids)
        within = {row: amount for row, amount in boosts.items() if row < known}
        if self._slot == "style":
            style = np.zeros_like(query.vector)
            style[fitted.bias_column + 1 :] = query.vector[fitted.bias_column + 1 :]
            query = replace(query, vector=style, evidence={})
        found = fitted.rank(query, k, allow=allow[:known], boosts=within)
        return found.rows, found.scores


class _Similar:
    """Products like the one at hand: chosen together, close in taste, close in look."""

    name = "similar"

    def __init__(self, page: Shelves, product_id: int) -> None:
        self._page, self._item = page, str(product_id)

    def __call__(
        self, allow: NDArray[np.bool_], boosts: Mapping[int, float], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        fitted = self._page.fitted
        assert fitted is not None
        if self._item not in fitted.positions:
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        found = fitted.similar(self._item, k, allow=allow[: len(fitted.item_ids)])
        rows = np.array([fitted.positions[scored.item_id] for scored in found], dtype=np.int64)
        return rows, np.array([scored.score for scored in found])
