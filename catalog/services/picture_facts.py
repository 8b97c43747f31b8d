"""What is known about pictures beyond themselves: where they are used, and which others look like them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Model
from django.db.models.fields.reverse_related import ManyToOneRel

from catalog.models import ProductImage
from jobs.errors import Text

#: Two pictures whose 64-bit perceptual hashes differ in at most this many bits look alike.
LOOKS_ALIKE_BITS = 5


@dataclass(frozen=True)
class Use:
    """How many rows of one kind were made from a picture; they go with it."""

    name: Text
    count: int


def uses_of(images: Sequence[ProductImage]) -> dict[int, list[Use]]:
    """What was made from each picture, by the picture's id; one query per kind.

    The kinds come from the models that point here, so that this room need not know the rooms above it.
    """
    found: dict[int, list[Use]] = defaultdict(list)
    for relation in ProductImage._meta.related_objects:
        if not isinstance(relation, ManyToOneRel) or not images:
            continue
        model: type[Model] = relation.related_model  # type: ignore[assignment]
        name = relation.field.name
        rows = model._default_manager.filter(**{f"{name}__in": images}).order_by().values_list(name)
        for image_id, count in rows.annotate(n=Count("pk")):
            found[image_id].append(Use(model._meta.verbose_name_plural, count))  # type: ignore[arg-type]
    return found


def lookalikes(images: Sequence[ProductImage], *, most: int = 3) -> dict[int, list[ProductImage]]:
    """For each picture others of the same shop that look like it, most alike first, at most ``most``."""
    hashed = [image for image in images if image.perceptual_hash]
    if not hashed:
        return {}
    shops = {image.product.merchant_id for image in hashed}
    rows = ProductImage.objects.filter(product__merchant_id__in=shops).exclude(perceptual_hash="")
    others = [
        (pk, shop, int(bits, 16))
        for pk, shop, bits in rows.values_list("pk", "product__merchant_id", "perceptual_hash")
    ]
    close: dict[int, list[int]] = {}
    for image in hashed:
        own, shop = int(image.perceptual_hash, 16), image.product.merchant_id
        near = sorted(
            (distance, pk)
            for pk, other_shop, bits in others
            if other_shop == shop and pk != image.pk and (distance := (own ^ bits).bit_count()) <= LOOKS_ALIKE_BITS
        )
        close[image.pk] = [pk for _distance, pk in near[:most]]
    wanted = ProductImage.objects.select_related("product").in_bulk({pk for pks in close.values() for pk in pks})
    return {pk: [wanted[other] for other in others] for pk, others in close.items() if others}
