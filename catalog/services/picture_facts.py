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
#: The hash of a picture without light and dark, which is like any other such picture's.
_FLAT = {"0" * 16, "f" * 16}


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
    if not images:
        return {}
    shops = {image.product.merchant_id for image in images}
    rows = ProductImage.objects.filter(product__merchant_id__in=shops).exclude(perceptual_hash="")
    others = list(rows.values_list("pk", "product__merchant_id", "sha256", "perceptual_hash"))
    close: dict[int, list[int]] = {}
    for image in images:
        shop = image.product.merchant_id
        near = [(_distance(image, sha256, bits), pk) for pk, its_shop, sha256, bits in others if its_shop == shop]
        alike = sorted(pair for pair in near if pair[0] <= LOOKS_ALIKE_BITS and pair[1] != image.pk)
        close[image.pk] = [pk for _bits, pk in alike[:most]]
    wanted = ProductImage.objects.select_related("product").in_bulk({pk for pks in close.values() for pk in pks})
    return {pk: [wanted[other] for other in others] for pk, others in close.items() if others}


def _distance(image: ProductImage, sha256: str, bits: str) -> int:
    """Bits of difference, 0–64; pictures without light and dark are alike only where they are the same."""
    if image.sha256 == sha256:
        return 0
    if not image.perceptual_hash or image.perceptual_hash in _FLAT or bits in _FLAT:
        return 64
    return (int(image.perceptual_hash, 16) ^ int(bits, 16)).bit_count()
