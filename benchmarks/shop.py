"""A shop of any size with a fitted recommender, made of rows alone: no picture is drawn, since none is opened."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from catalog.models import Category, Merchant, Product, ProductImage
from catalog.search import searchable
from catalog.services.merchants import open_shop
from catalog.tokens import create_token
from recommend import serving
from recommend.engine.recommender import RecommenderSettings, fit
from recommend.models import Interaction, Recommender, Shopper
from recommend.services import shoppers
from recommend.services.fitting import read_interactions
from styling.models import Style, StyledImage, StyleModel

CATEGORIES, STYLES, EVENTS, STYLE_SIZE = 8, 2, 20, 16
WIDTHS = (320, 640, 1024)
DESCRIPTION = "Thrown by hand, glazed twice, fired in a small kiln."
#: Events of the asking shopper among many: a regular of some years.
OF_ASKER = 5_000


@dataclass(frozen=True)
class BenchmarkShop:
    """What the requests need to know."""

    slug: str
    secret: str
    visitor_id: str
    product_id: int
    category: str


def open_benchmark_shop(*, products: int, people: int, events: int = 0, seed: int = 5) -> BenchmarkShop:
    """A shop; each of its people looked at twenty products of one or two categories, in one style.

    ``events``: so many more, which the recommender has not seen yet: of other shoppers, and of the one who asks.
    """
    rng = np.random.default_rng(seed)
    owner = get_user_model().objects.create_user("owner")
    merchant = open_shop(name="Benchmark", slug="benchmark", owner=owner, tagline="Many things")
    rows = _products(merchant, products)
    styles = _renderings(merchant, rows)
    crowd = [shoppers.grant_consent(merchant=merchant, visitor_id=f"person-{n}") for n in range(people)]
    _events(merchant, rows, styles, crowd, rng)
    _fit(merchant, rows, rng)
    _more_events(merchant, rows, crowd[0], events, rng)
    _analyse()
    _token, secret = create_token(merchant=merchant, user=owner, name="benchmark", scope="events")
    return BenchmarkShop(merchant.slug, secret, "person-0", rows[0].pk, "category-0")


def _products(merchant: Merchant, count: int) -> list[Product]:
    categories = [
        Category.objects.create(merchant=merchant, name=f"Category {n}", slug=f"category-{n}", position=n)
        for n in range(CATEGORIES)
    ]
    return Product.objects.bulk_create(
        [
            Product(
                merchant=merchant,
                sku=f"P{n:06d}",
                name=f"Product {n}",
                name_zh=f"商品{n}",
                description=DESCRIPTION,
                price=10 + n % 90,
                stock=5,
                category=categories[n % CATEGORIES],
                search_text=searchable(
                    f"P{n:06d}", f"Product {n}", f"商品{n}", f"Category {n % CATEGORIES}", DESCRIPTION
                ),
            )
            for n in range(count)
        ],
        batch_size=1000,
    )


def _renderings(merchant: Merchant, products: list[Product]) -> list[Style]:
    def renditions(name: str) -> list[dict[str, object]]:
        copies = [f"renditions/{name}-{width}" for width in WIDTHS]
        return [
            {"width": width, "format": "webp", "path": f"{copy}.webp", "avif": f"{copy}.avif"}
            for width, copy in zip(WIDTHS, copies, strict=True)
        ]

    images = ProductImage.objects.bulk_create(
        [
            ProductImage(
                product=product,
                file=f"pictures/{product.sku}.jpg",
                width=1024,
                height=1024,
                sha256=f"{product.pk:064x}",
                renditions=renditions(product.sku),
            )
            for product in products
        ],
        batch_size=1000,
    )
    styles = []
    for number in range(STYLES):
        style = Style.objects.create(merchant=merchant, name=f"Look {number}", slug=f"look-{number}")
        model = StyleModel.objects.create(
            style=style, merchant=merchant, version=1, directory=f"styles/benchmark-{number}", metrics={}
        )
        StyledImage.objects.bulk_create(
            [
                StyledImage(
                    merchant=merchant,
                    product_image=image,
                    style=style,
                    style_model=model,
                    status=StyledImage.Status.PUBLISHED,
                    file=f"renderings/{image.pk}-{number}.jpg",
                    width=1024,
                    height=1024,
                    sha256=f"{number:032x}{image.pk:032x}",
                    renditions=renditions(f"{image.pk}-{number}"),
                )
                for image in images
            ],
            batch_size=1000,
        )
        styles.append(style)
    return styles


def _events(
    merchant: Merchant, products: list[Product], styles: list[Style], crowd: list[Shopper], rng: np.random.Generator
) -> None:
    now, rows = timezone.now(), []
    for number, shopper in enumerate(crowd):
        for step, place in enumerate(rng.integers(0, len(products) // CATEGORIES, EVENTS)):
            shelf = (number + (step % 5 == 0)) % CATEGORIES
            rows.append(
                Interaction(
                    merchant=merchant,
                    shopper=shopper,
                    product=products[int(place) * CATEGORIES + shelf],
                    kind=Interaction.Kind.VIEW,
                    style=styles[number % STYLES],
                    occurred_at=now - timedelta(days=20, minutes=-number * 30 - step),
                )
            )
    Interaction.objects.bulk_create(rows, batch_size=1000)


def _more_events(
    merchant: Merchant, products: list[Product], asker: Shopper, count: int, rng: np.random.Generator
) -> None:
    """Mostly impressions, over a year; ``OF_ASKER`` of them are the asker's, the others have a hundred each."""
    if not count:
        return
    now = timezone.now()
    others = Shopper.objects.bulk_create(
        [Shopper(merchant=merchant, pseudonym=f"made:{number}") for number in range(max(1, count // 100))],
        batch_size=2_000,
    )
    kinds = rng.choice(["impression", "view", "purchase"], size=count, p=[0.85, 0.13, 0.02])
    places = rng.integers(0, len(products), count)
    minutes = rng.integers(60, 365 * 24 * 60, count)
    for first in range(0, count, 20_000):
        Interaction.objects.bulk_create(
            [
                Interaction(
                    merchant=merchant,
                    shopper=asker if number < OF_ASKER else others[number % len(others)],
                    product=products[int(places[number])],
                    kind=str(kinds[number]),
                    occurred_at=now - timedelta(minutes=int(minutes[number])),
                )
                for number in range(first, min(first + 20_000, count))
            ],
            batch_size=2_000,
        )


def _analyse() -> None:
    """What a database does by itself some time after so many rows came: count them for its planner."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _fit(merchant: Merchant, products: list[Product], rng: np.random.Generator) -> None:
    centres = rng.normal(0, 1, (CATEGORIES, STYLE_SIZE))
    looks = centres[np.arange(len(products)) % CATEGORIES] + rng.normal(0, 0.5, (len(products), STYLE_SIZE))
    looks = (looks / np.linalg.norm(looks, axis=1, keepdims=True)).astype(np.float32)
    fitted = fit(
        read_interactions(merchant),
        items=[str(product.pk) for product in products],
        style_vectors=looks,
        content_vectors=looks,
        settings=RecommenderSettings(epochs=5, learn_weights=False),
        now=timezone.now().timestamp(),
    )
    directory = f"recommenders/{merchant.pk}/{uuid.uuid4()}"
    serving.save(
        fitted, settings.ARTIFACTS_ROOT / directory, typical_queries=np.zeros((0, fitted.item_matrix.shape[1]))
    )
    Recommender.objects.create(
        merchant=merchant,
        version=1,
        directory=directory,
        status=Recommender.Status.DEPLOYED,
        deployed_at=timezone.now(),
    )
