"""Pictures, products and sets that the tests of ad creatives share."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from catalog.models import Membership, Merchant, Product, ProductImage
from catalog.services.renditions import store
from jobs import lifecycle
from jobs.tasks import work
from recommend.creatives.brief import Brief
from recommend.creatives.models import CreativeRun, CreativeSet
from recommend.creatives.services.sets import create_set
from tests.catalog.factories import MembershipFactory, MerchantFactory, ProductFactory

GROUND, RED = (214, 206, 196), (178, 34, 34)
#: Where the product stands on ``product_picture`` (left, top, right, bottom).
STANDS = (150, 110, 260, 310)


def product_picture(*, size: tuple[int, int] = (400, 400), box: tuple[int, int, int, int] = STANDS) -> Image.Image:
    """A red product on a softly lit ground with a little grain; the product's box is known."""
    rng = np.random.default_rng(7)
    light = np.linspace(1.03, 0.9, size[1])[:, None, None]
    ground = np.array(GROUND) * light + rng.normal(0, 1.2, (size[1], size[0], 1))
    picture = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    ImageDraw.Draw(picture).rounded_rectangle((box[0], box[1], box[2] - 1, box[3] - 1), radius=14, fill=RED)
    return picture


def red_box(picture: Image.Image) -> tuple[int, int, int, int]:
    """The box of what is as red as the product, and nothing else in these pictures is."""
    pixels = np.asarray(picture, dtype=int)
    red = (pixels[..., 0] > 150) & (pixels[..., 1] < 70) & (pixels[..., 2] < 70)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def add_photo(product: Product, picture: Image.Image | None = None) -> ProductImage:
    """A photo of a product as the catalogue keeps it, without the detour through the door."""
    import io

    picture = picture or product_picture()
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    sha256 = f"{product.pk:064x}"
    name = store(buffer.getvalue(), folder="pictures", sha256=sha256, owner=product.merchant_id, extension="png")
    return ProductImage.objects.create(
        product=product, file=name, original=name, width=picture.width, height=picture.height, sha256=sha256
    )


def shop_with(*, products: int = 1, photos: bool = True, role: str = Membership.Role.OWNER) -> tuple[Merchant, Any]:
    """A shop with products, and somebody with a role in it."""
    merchant = MerchantFactory(name="Kiln & Co", name_zh="窑与器")
    user = MembershipFactory(merchant=merchant, role=role).user
    for _number in range(products):
        product = ProductFactory(merchant=merchant)
        if photos:
            add_photo(product)
    return merchant, user


def make_set(merchant: Merchant, by: Any, **changes: Any) -> CreativeSet:
    """A set of all the shop's products, square unless the brief says more."""
    options = {name: changes.pop(name) for name in ("style", "name", "logo") if name in changes}
    brief = Brief.from_dict({"formats": ["square"], "headline": "Slow mornings", **changes})
    return create_set(
        merchant=merchant, by=by, products=Product.objects.filter(merchant=merchant), brief=brief, **options
    )


def draw(creative_set: CreativeSet) -> CreativeRun:
    """Do the set's latest drawing as a worker would, in this process."""
    run = creative_set.runs.latest("created_at")
    fence = lifecycle.claim(run.pk, worker="test")
    assert fence is not None
    work(run.pk, fence)
    run.refresh_from_db()
    return run
