"""The bag: product ids and amounts in the session, nothing in the database until somebody orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.models import Merchant, Product

MOST_OF_ONE = 20
MOST_LINES = 50


@dataclass(frozen=True)
class Line:
    """One product in the bag."""

    product: Product
    amount: int

    @property
    def total(self) -> Decimal:
        return self.product.price * self.amount


class Bag:
    """A shop's bag of this browser."""

    def __init__(self, session: Any, shop: Merchant) -> None:
        self._session = session
        self._shop = shop
        self._key = f"bag-{shop.pk}"

    @property
    def _amounts(self) -> dict[str, int]:
        found = self._session.get(self._key, {})
        return found if isinstance(found, dict) else {}

    def __len__(self) -> int:
        return sum(self._amounts.values())

    def product_ids(self) -> set[int]:
        """What lies in it."""
        return {int(pk) for pk in self._amounts}

    def put(self, product: Product, amount: int) -> None:
        """Set the amount of a product, within its stock; nothing at zero."""
        amounts = dict(self._amounts)
        amount = max(0, min(amount, _most_of(product)))
        if amount and (str(product.pk) in amounts or len(amounts) < MOST_LINES):
            amounts[str(product.pk)] = amount
        else:
            amounts.pop(str(product.pk), None)
        self._session[self._key] = amounts

    def add(self, product: Product) -> None:
        """One more of a product."""
        self.put(product, self._amounts.get(str(product.pk), 0) + 1)

    def lines(self) -> Iterator[Line]:
        """What can be bought of it now, in the order it was put in."""
        products = Product.objects.filter(merchant=self._shop).on_sale().in_bulk(list(self.product_ids()))
        for pk, amount in self._amounts.items():
            product = products.get(int(pk))
            if product is not None and not product.is_sold_out:
                yield Line(product, min(amount, _most_of(product)))

    def empty(self) -> None:
        """Nothing in it."""
        self._session.pop(self._key, None)


def _most_of(product: Product) -> int:
    """How many pieces of a product one bag may hold."""
    return MOST_OF_ONE if product.stock is None else min(product.stock, MOST_OF_ONE)
