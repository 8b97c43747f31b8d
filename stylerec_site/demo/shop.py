"""The demo shop: its people, its drawn products, its styles. Running it again changes nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from typing import Any

from django.contrib.auth import get_user_model

from catalog.demo import DemoProduct, assortment
from catalog.models import Category, Membership, Merchant, ProductImage
from catalog.services.merchants import open_shop
from catalog.services.pictures import add_picture
from catalog.services.products import save_product

SEED = 7
SLUG = "kiln-and-light"
#: The demo's log-ins: user name, role, what the role is for. Public on purpose; the demo refuses production settings.
PASSWORD = "stylerec-demo"  # noqa: S105
PEOPLE = {
    "mei": (Membership.Role.OWNER, "owner: trains, deploys, publishes"),
    "tom": (Membership.Role.REVIEWER, "reviewer: approves and rejects"),
}


def demo_shop() -> Merchant | None:
    """The shop, where it was opened before."""
    return Merchant.objects.filter(slug=SLUG).first()


def open_demo_shop() -> Merchant:
    """The shop and the people who work there."""
    owner = _person("mei")
    merchant = demo_shop() or open_shop(
        name="Kiln & Light",
        name_zh="窑与光",
        slug=SLUG,
        owner=owner,
        tagline="Ceramics and glass for quiet rooms",
        tagline_zh="安静空间里的陶瓷与玻璃",
        currency="EUR",
    )
    for name, (role, _) in PEOPLE.items():
        Membership.objects.get_or_create(merchant=merchant, user=_person(name), defaults={"role": role})
    return merchant


def _person(name: str) -> Any:
    user, is_new = get_user_model().objects.get_or_create(username=name, defaults={"is_staff": True})
    if is_new:
        user.set_password(PASSWORD)
        user.save()
    return user


def fill_shelves(merchant: Merchant, *, processes: int = 2) -> Iterator[tuple[int, int]]:
    """Draw and add every product that has no picture yet; yields (done, total).

    ``processes`` draw beside this one; 0 draws in this one (a Celery worker's child may have no children).
    """
    products = assortment(seed=SEED)
    finished = set(ProductImage.objects.filter(product__merchant=merchant).values_list("product__sku", flat=True))
    missing = [product for product in products if product.sku not in finished]
    shelves = _categories(merchant, products)
    with ProcessPoolExecutor(max_workers=processes) if processes else nullcontext() as pool:
        drawn = pool.map(draw, missing) if pool else map(draw, missing)
        for done, (product, picture) in enumerate(zip(missing, drawn, strict=True), start=1):
            saved, _ = save_product(
                merchant=merchant,
                sku=product.sku,
                name=product.name,
                name_zh=product.name_zh,
                description=product.description,
                description_zh=product.description_zh,
                price=product.price,
                stock=product.stock,
                category=shelves[product.category],
            )
            add_picture(product=saved, upload=picture, alt_text=product.name, position=0)
            yield done, len(missing)


def draw(product: DemoProduct) -> bytes:
    """The product's photo as a PNG."""
    buffer = io.BytesIO()
    product.draw().save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _categories(merchant: Merchant, products: list[DemoProduct]) -> dict[str, Category]:
    shelves: dict[str, Category] = {}
    for product in products:
        if product.category not in shelves:
            shelves[product.category], _ = Category.objects.get_or_create(
                merchant=merchant,
                slug=product.category,
                defaults={
                    "name": product.category_name,
                    "name_zh": product.category_name_zh,
                    "position": len(shelves),
                },
            )
    return shelves
