"""The demo's shoppers: people with tastes, whose events go through the API as another shop's would.

Each prefers one or two categories and one style. Nothing of their taste is told to the recommender but what they click.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

from django.utils import timezone

from catalog.models import ApiToken, Merchant, Product
from styling.models import StyledImage

PEOPLE = 80
SEED = 3


@dataclass(frozen=True)
class Person:
    """Somebody with a taste."""

    name: str
    categories: tuple[int, ...]
    style: int | None


def crowd(merchant: Merchant, styles: Sequence[int]) -> list[Person]:
    """People with seeded tastes; every fourth likes plain photos best."""
    dice = random.Random(SEED)
    categories = list(merchant.categories.values_list("pk", flat=True))
    tastes: list[int | None] = [*styles, None]
    return [
        Person(f"demo-{n}", tuple(dice.sample(categories, dice.choice((1, 2)))), tastes[n % len(tastes)])
        for n in range(PEOPLE)
    ]


def events_of(people: Sequence[Person], merchant: Merchant) -> list[dict[str, Any]]:
    """Seven weeks of views, clicks and purchases; ids are made from the seed, so that sending twice is sending once."""
    dice = random.Random(SEED)
    now = timezone.now()
    products = list(Product.objects.filter(merchant=merchant).on_sale())
    appeal = {product.pk: dice.lognormvariate(0, 0.7) for product in products}
    renderings: dict[tuple[int, int], int] = {}
    for image in StyledImage.objects.published().filter(merchant=merchant).select_related("product_image"):
        renderings[image.product_image.product_id, image.style_id] = image.pk
    events = []
    for person in people:
        moment = now - timedelta(days=dice.uniform(14, 49))
        for _visit in range(dice.randint(10, 26)):
            moment += timedelta(hours=dice.expovariate(1 / 30))
            if moment > now:
                break
            liked = dice.random() < 0.8
            shelf = [p for p in products if (p.category_id in person.categories) == liked] or products
            product = dice.choices(shelf, weights=[appeal[p.pk] for p in shelf])[0]
            style = person.style if dice.random() < 0.8 else dice.choice([None, *{s for _, s in renderings}])
            rendering = renderings.get((product.pk, style)) if style else None
            for kind, chance in (("view", 1.0), ("add_to_cart", 0.25), ("purchase", 0.5)):
                if dice.random() >= chance:
                    break
                events.append(_event(person, product, kind, moment, rendering, dice))
    return events


def _event(
    person: Person, product: Product, kind: str, moment: datetime, rendering: int | None, dice: random.Random
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "id": str(uuid.UUID(int=dice.getrandbits(128))),
        "shopper": person.name,
        "product": product.sku,
        "kind": kind,
        "occurred_at": moment.isoformat(),
    }
    if kind == "purchase":
        event["value"] = float(product.price)
    return {**event, "rendering": rendering} if rendering else event


class Api:
    """The HTTP API, as a client of ours would use it."""

    def __init__(self, address: str, secret: str) -> None:
        self._address, self._secret = address, secret
        self.token: ApiToken | None = None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request; the parsed answer. Raises ``urllib.error.HTTPError`` for a refusal."""
        request = Request(  # noqa: S310 - our own address
            f"{self._address}/api/v1/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Token {self._secret}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=30) as response:  # noqa: S310
            return json.load(response)
