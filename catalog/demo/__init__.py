"""A ceramics and glass shop out of nothing but a seed: its products, their texts and their photographs.

``assortment(seed)`` is all that others need. The pictures are rendered by this package itself (pots as signed
distances, glazes in layers, a photographer's lights), so the demo downloads nothing and stores no binaries.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from catalog.demo.products import VIEWS, DemoProduct
from catalog.demo.shelves import SHELVES

__all__ = ["CURRENCY", "VIEWS", "DemoProduct", "assortment"]

CURRENCY = "EUR"


def assortment(seed: int = 0) -> list[DemoProduct]:
    """All products of the shop, shelf by shelf. ``seed`` decides the accidents of each glaze, and the stock."""
    products = []
    for shelf in SHELVES:
        for number, piece in enumerate(shelf.pieces, start=1):
            rng = np.random.default_rng([seed, ord(shelf.code[0]), ord(shelf.code[1]), number])
            products.append(
                DemoProduct(
                    sku=f"{shelf.code}-{number:03d}",
                    name=piece.name,
                    name_zh=piece.name_zh,
                    category=shelf.slug,
                    category_name=shelf.name,
                    category_name_zh=shelf.name_zh,
                    price=Decimal(piece.price),
                    currency=CURRENCY,
                    description=piece.description,
                    description_zh=piece.description_zh,
                    stock=int(rng.integers(2, 40)),
                    piece=piece,
                    seed=int(rng.integers(2**31 - 10)),
                )
            )
    return products
