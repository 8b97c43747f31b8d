"""Styles, models and renderings for tests. Pictures go through the real door and the real storage."""

from __future__ import annotations

import io
from typing import Any

import factory
import numpy as np
from PIL import Image

from catalog.models import Category, Membership, Merchant, ProductImage
from catalog.services.pictures import add_picture
from styling.models import Style, StyledImage, StyleModel, StylizationRun
from tests.catalog.factories import MembershipFactory, MerchantFactory, ProductFactory


def noise_picture(seed: int, *, size: int = 64, tint: tuple[int, int, int] = (150, 110, 70)) -> bytes:
    """A PNG of soft blobs around a tint: no two seeds are near-copies, one tint is one look."""
    draw = np.random.default_rng(seed)
    coarse = draw.normal(0, 45, (8, 8, 1)) + draw.normal(0, 6, (8, 8, 3)) + np.array(tint)
    small = Image.fromarray(coarse.clip(0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    small.resize((size, size), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def person(merchant: Merchant, role: str = Membership.Role.OWNER) -> Any:
    """A user with this role at the shop."""
    return MembershipFactory(merchant=merchant, role=role).user


def product_picture(merchant: Merchant, *, seed: int, category: Category | None = None, **look: Any) -> ProductImage:
    """A product with one picture."""
    product = ProductFactory(merchant=merchant, category=category)
    return add_picture(product=product, upload=noise_picture(seed, **look))


class StyleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Style

    merchant = factory.SubFactory(MerchantFactory)
    name = factory.Sequence(lambda n: f"Ink {n}")
    slug = factory.Sequence(lambda n: f"ink-{n}")


class StyleModelFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = StyleModel

    style = factory.SubFactory(StyleFactory)
    merchant = factory.SelfAttribute("style.merchant")
    version = factory.Sequence(lambda n: n + 1)
    directory = factory.Sequence(lambda n: f"styles/test-{n}")
    metrics = factory.LazyFunction(lambda: {"style_score": 0.5, "content_score": 0.8})


class StyledImageFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = StyledImage

    style_model = factory.SubFactory(StyleModelFactory)
    style = factory.SelfAttribute("style_model.style")
    merchant = factory.SelfAttribute("style_model.merchant")
    product_image = factory.LazyAttributeSequence(lambda self, n: product_picture(self.merchant, seed=1000 + n))
    file = factory.Sequence(lambda n: f"renderings/test-{n}.png")
    width = 64
    height = 64
    sha256 = factory.Sequence(lambda n: f"{n:064x}")


def stylisation(model: StyleModel, *pictures: ProductImage, **fields: Any) -> StylizationRun:
    """A stylisation's row, as ``stylise`` makes it."""
    run = StylizationRun.objects.create(
        kind="styling.stylise",
        queue="gpu",
        merchant=model.merchant,
        merchant_key=model.merchant_id,
        style_model=model,
        **fields,
    )
    run.product_images.add(*pictures)
    return run
