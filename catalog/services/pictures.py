"""Pictures of products: through the one door, stored by content, the original kept apart."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.images import normalise_upload
from catalog.images.limits import DEFAULT
from catalog.models import Membership, Product, ProductImage
from catalog.services.rendition_jobs import ask_for_renditions
from catalog.services.renditions import forget_copies, naming_files, store, stored_name
from jobs.errors import NotFound

LONGEST_ALT_TEXT = 200


def add_picture(
    *, product: Product, upload: Any, alt_text: str = "", position: int | None = None, ask: bool = True
) -> ProductImage:
    """Add one uploaded picture to a product. The same picture again returns the one that is there.

    With ``ask=False`` the caller asks for the renditions, once for many pictures.

    Raises ``catalog.images.RejectedImage`` where the file is no picture that we can use.
    """
    return _add(product, upload, alt_text=alt_text, position=position, ask=ask)[0]


def upload_picture(*, product: Product, upload: Any, by: Any, alt_text: str = "") -> tuple[ProductImage, bool]:
    """``add_picture`` by a person, on the record; the picture, and whether it is new to the product."""
    require_role(by, product.merchant, Membership.Role.EDITOR)
    image, is_new = _add(product, upload, alt_text=alt_text)
    if is_new:
        audit.record(
            merchant=product.merchant,
            actor=by,
            action="picture-added",
            target=product,
            after={"picture": image.pk, "sha256": image.sha256},
        )
    return image, is_new


def _add(
    product: Product, upload: Any, *, alt_text: str = "", position: int | None = None, ask: bool = True
) -> tuple[ProductImage, bool]:
    # One byte more than is allowed, so that the door still sees that it is too much.
    original = upload if isinstance(upload, bytes) else upload.read(DEFAULT.most_bytes + 1)
    place: dict[str, Any] = {
        "folder": "originals",
        "sha256": hashlib.sha256(original).hexdigest(),
        "owner": product.merchant_id,
        "extension": "bin",  # whatever it is, nothing may serve or open it by its name
    }
    known = ProductImage.objects.filter(product=product, original=stored_name(**place)).first()
    if known:  # the very same bytes, which were opened before
        return known, False
    picture = normalise_upload(original)
    existing = ProductImage.objects.filter(product=product, sha256=picture.sha256).first()
    if existing:
        return existing, False
    owner = product.merchant_id
    extension = "png" if picture.format == "PNG" else "jpg"
    try:
        with naming_files(owner):
            if position is None:
                last = ProductImage.objects.filter(product=product).aggregate(last=Max("position"))["last"]
                position = 0 if last is None else last + 1
            image = ProductImage.objects.create(
                product=product,
                position=position,
                alt_text=alt_text,
                original=store(original, **place),
                file=store(picture.content, folder="pictures", sha256=picture.sha256, owner=owner, extension=extension),
                width=picture.width,
                height=picture.height,
                sha256=picture.sha256,
                perceptual_hash=picture.perceptual_hash,
            )
            if ask:
                ask_for_renditions(merchant_id=owner)
    except IntegrityError:  # the same file came in through another request at this moment
        return ProductImage.objects.get(product=product, sha256=picture.sha256), False
    return image, True


def describe_picture(*, image: ProductImage, alt_text: str, by: Any) -> None:
    """Say what a picture shows, for those who do not see it."""
    require_role(by, image.product.merchant, Membership.Role.EDITOR)
    image.alt_text = " ".join(alt_text.split())[:LONGEST_ALT_TEXT]
    image.save(update_fields=["alt_text"])


def remove_picture(*, image: ProductImage, by: Any) -> None:
    """Delete a picture and what was made from it; its files go too, unless the shop shows the same one elsewhere."""
    product = image.product
    require_role(by, product.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        audit.record(
            merchant=product.merchant,
            actor=by,
            action="picture-removed",
            target=product,
            before={"picture": image.pk, "sha256": image.sha256},
        )
        now = ProductImage.objects.select_for_update().filter(pk=image.pk).first()
        if now is None:
            raise NotFound(
                "not-found", _("This does not exist."), _("It may have been deleted, or belong to another shop.")
            )
        image.renditions = now.renditions  # a worker may have made them since the picture was read
        image.delete()
        reorder(product=product, image_ids=[])
        transaction.on_commit(lambda: _forget(image, product.merchant_id))


def _forget(image: ProductImage, merchant_id: int) -> None:
    with naming_files(merchant_id):
        # Each on its own: equal originals have become two pictures where the door was another version's in between.
        for column in ("original", "file"):
            name = str(getattr(image, column).name or "")
            if name and not ProductImage.objects.filter(**{column: name}).exists():
                default_storage.delete(name)
        forget_copies(image.renditions, sha256=image.sha256, owner=merchant_id)


def reorder(*, product: Product, image_ids: list[int]) -> None:
    """Give the product's pictures the order of ``image_ids``; pictures that are not named keep theirs, behind."""
    with transaction.atomic():
        pictures = {image.pk: image for image in product.images.select_for_update()}
        ordered = [pictures.pop(pk) for pk in image_ids if pk in pictures] + list(pictures.values())
        for position, image in enumerate(ordered):
            image.position = position
        ProductImage.objects.bulk_update(ordered, ["position"])
