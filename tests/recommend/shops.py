"""A small shop with two shelves, two looks and a crowd with tastes, for the tests of the storefront and its API."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.test import Client
from django.utils import timezone

from catalog.models import Category, Membership, Merchant, Product, ProductImage
from catalog.tokens import create_token
from recommend import serving
from recommend.engine.recommender import FittedRecommender, RecommenderSettings, fit
from recommend.models import Interaction, Recommender, Shopper
from recommend.services import shoppers
from recommend.services.fitting import read_interactions
from styling.models import Style, StyledImage
from tests.catalog.factories import CategoryFactory, MerchantFactory
from tests.styling.factories import StyleFactory, StyleModelFactory, person

TINY = RecommenderSettings(factors=4, epochs=4, learn_weights=False, neighbours=20)


@dataclass
class Shop:
    """The shop and what tests need of it."""

    merchant: Merchant
    shelves: list[Category]
    styles: list[Style]

    @property
    def home(self) -> str:
        return f"/s/{self.merchant.slug}/"

    def products(self, shelf: int | None = None) -> list[Product]:
        """In the order they were made; of one shelf, or all."""
        found = Product.objects.filter(merchant=self.merchant).order_by("pk")
        return list(found if shelf is None else found.filter(category=self.shelves[shelf]))


def open_shop(*, products: int = 24, **fields: Any) -> Shop:
    """Every second product stands on the second shelf; each has a photo and a published rendering in both looks."""
    merchant = MerchantFactory(**fields)
    shelves = [CategoryFactory(merchant=merchant) for _ in range(2)]
    models = [StyleModelFactory(style=StyleFactory(merchant=merchant)) for _ in range(2)]
    rows = Product.objects.bulk_create(
        Product(
            merchant=merchant,
            sku=f"P{n:04d}",
            name=f"Vase {n}",
            name_zh=f"花瓶{n}",
            price=10 + n,
            stock=5,
            category=shelves[n % 2],
            search_text=f" vase {n} 花瓶 花 瓶 ",
        )
        for n in range(products)
    )
    images = ProductImage.objects.bulk_create(
        ProductImage(product=row, file=f"pictures/{row.sku}.png", width=64, height=64, sha256=f"{row.pk:064x}")
        for row in rows
    )
    StyledImage.objects.bulk_create(
        StyledImage(
            merchant=merchant,
            product_image=image,
            style=model.style,
            style_model=model,
            status=StyledImage.Status.PUBLISHED,
            file=f"renderings/{image.pk}-{model.style.slug}.png",
            width=64,
            height=64,
            sha256=f"{image.pk:032x}{model.pk:032x}",
        )
        for image in images
        for model in models
    )
    return Shop(merchant, shelves, [model.style for model in models])


def add_crowd(shop: Shop, *, people: int = 16, visits: int = 8) -> list[Shopper]:
    """People who each walk along one shelf, in one look; their history is a week old."""
    crowd, rows = [], []
    moment = timezone.now() - timedelta(days=7)
    for number in range(people):
        shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id=f"crowd-{number}")
        shelf = shop.products(number % 2)
        crowd.append(shopper)
        rows += [
            Interaction(
                merchant=shop.merchant,
                shopper=shopper,
                product=shelf[(number + step) % len(shelf)],
                kind=Interaction.Kind.VIEW,
                style=shop.styles[number % 2],
                occurred_at=moment + timedelta(minutes=number * 20 + step),
            )
            for step in range(min(visits, len(shelf)))
        ]
    Interaction.objects.bulk_create(rows)
    return crowd


def fit_now(shop: Shop) -> FittedRecommender:
    """The recommender of the events that are there; each shelf has a look of its own."""
    products = shop.products()
    looks = np.zeros((len(products), 4), dtype=np.float32)
    looks[np.arange(len(products)), [shop.shelves.index(product.category) for product in products]] = 1.0
    return fit(
        read_interactions(shop.merchant),
        items=[str(product.pk) for product in products],
        style_vectors=looks,
        content_vectors=looks,
        settings=TINY,
        now=timezone.now().timestamp(),
    )


def deploy_fit(shop: Shop, fitted: FittedRecommender | None = None) -> Recommender:
    """A version in use, its artifact on disk; the one before retires."""
    directory = f"recommenders/{shop.merchant.pk}/{uuid.uuid4()}"
    serving.save(
        fitted or fit_now(shop),
        settings.ARTIFACTS_ROOT / directory,
        typical_queries=np.zeros((0, 0), dtype=np.float32),
    )
    versions = Recommender.objects.filter(merchant=shop.merchant)
    versions.filter(status=Recommender.Status.DEPLOYED).update(status=Recommender.Status.RETIRED)
    return Recommender.objects.create(
        merchant=shop.merchant,
        version=versions.count() + 1,
        directory=directory,
        status=Recommender.Status.DEPLOYED,
        deployed_at=timezone.now(),
    )


def open_fitted_shop(*, products: int = 24) -> Shop:
    """A shop with a crowd and a recommender in use."""
    shop = open_shop(products=products)
    add_crowd(shop)
    deploy_fit(shop)
    return shop


def visitor(shop: Shop, *, agrees: bool = True) -> Client:
    """A browser; one that agrees has a profile from now on."""
    client = Client()
    client.post(f"{shop.home}consent/", {"answer": "yes" if agrees else "no"})
    return client


def walk(client: Client, shop: Shop, *, shelf: int, style: int, steps: int = 5) -> None:
    """Look at the first products of a shelf, each in one look."""
    for product in shop.products(shelf)[:steps]:
        client.get(f"{shop.home}p/{product.pk}/", {"style": shop.styles[style].slug})


def shown(client: Client, shop: Shop, *, slot: str = "home") -> list[tuple[int, int | None]]:
    """(product, style) of every card of a shelf on the home page, in order; 0 for the photo."""
    slate = client.get(shop.home).context["slates"][slot]
    return [(item.product.pk, item.rendering.style_id if item.rendering else 0) for item in slate.items]


class Api:
    """A client with a token of the shop."""

    def __init__(self, shop: Shop, *, scope: str = "events", role: str = Membership.Role.OWNER) -> None:
        _token, self.secret = create_token(
            merchant=shop.merchant, user=person(shop.merchant, role), name="t", scope=scope
        )
        self._client = Client(raise_request_exception=True)
        self._headers = {"Authorization": f"Token {self.secret}"}

    def get(self, path: str, **parameters: Any) -> Any:
        return self._client.get(f"/api/v1/{path}", parameters, headers=self._headers)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """``body``: JSON, or bytes as they are."""
        return self._client.generic(
            method,
            f"/api/v1/{path}",
            body if isinstance(body, bytes) else json.dumps(body),
            content_type="application/json",
            headers=self._headers,
        )


def event(product: Product, *, shopper: str = "customer-1", kind: str = "click", **fields: Any) -> dict[str, Any]:
    """An event as a client sends it."""
    return {"id": str(uuid.uuid4()), "shopper": shopper, "product": product.sku, "kind": kind, **fields}
