"""Pictures of products: through the one door, stored by content, the original kept apart."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.db.models import Max

from catalog.images import normalise_upload
from catalog.models import Product, ProductImage
from catalog.services.renditions import make_renditions, store

#: Two pictures whose 64-bit perceptual hashes differ in at most this many bits look alike.
LOOKS_ALIKE_BITS = 5


def add_picture(*, product: Product, upload: Any, alt_text: str = "", position: int | None = None) -> ProductImage:
    """Add one uploaded picture to a product. The same picture again returns the one that is there.

    Raises ``catalog.images.RejectedImage`` where the file is no picture that we can use.
    """
    original = upload if isinstance(upload, bytes) else upload.read()
    picture = normalise_upload(original)
    existing = ProductImage.objects.filter(product=product, sha256=picture.sha256).first()
    if existing:
        return existing
    owner = product.merchant_id
    extension = "png" if picture.format == "PNG" else "jpg"
    with transaction.atomic():
        if position is None:
            last = ProductImage.objects.filter(product=product).aggregate(last=Max("position"))["last"]
            position = 0 if last is None else last + 1
        return ProductImage.objects.create(
            product=product,
            position=position,
            alt_text=alt_text,
            original=store(
                original,
                folder="originals",
                sha256=hashlib.sha256(original).hexdigest(),
                owner=owner,
                extension="bin",  # whatever it is, nothing may serve or open it by its name
            ),
            file=store(picture.content, folder="pictures", sha256=picture.sha256, owner=owner, extension=extension),
            width=picture.width,
            height=picture.height,
            sha256=picture.sha256,
            perceptual_hash=picture.perceptual_hash,
            renditions=make_renditions(picture.content, sha256=picture.sha256, owner=owner),
        )


def lookalikes(*, image: ProductImage) -> list[ProductImage]:
    """Other pictures of the same shop that look like this one, most alike first."""
    own = int(image.perceptual_hash or "0", 16)
    others = ProductImage.objects.filter(product__merchant_id=image.product.merchant_id).exclude(pk=image.pk)
    distances = [
        ((own ^ int(other.perceptual_hash, 16)).bit_count(), other)
        for other in others.exclude(perceptual_hash="").only("id", "perceptual_hash", "product_id", "file", "alt_text")
    ]
    close = [(distance, other) for distance, other in distances if distance <= LOOKS_ALIKE_BITS]
    return [other for _, other in sorted(close, key=lambda pair: pair[0])]


def reorder(*, product: Product, image_ids: list[int]) -> None:
    """Give the product's pictures the order of ``image_ids``; pictures that are not named keep theirs, behind."""
    with transaction.atomic():
        pictures = {image.pk: image for image in product.images.select_for_update()}
        ordered = [pictures.pop(pk) for pk in image_ids if pk in pictures] + list(pictures.values())
        for position, image in enumerate(ordered):
            image.position = position
        ProductImage.objects.bulk_update(ordered, ["position"])
