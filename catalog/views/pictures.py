"""A product's pictures: one request per dropped file, so that each has its own progress and its own answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from catalog.access import require_role
from catalog.images import RejectedImage
from catalog.models import Membership, Product, ProductImage
from catalog.services.picture_facts import lookalikes, uses_of
from catalog.services.pictures import describe_picture, remove_picture, reorder, upload_picture
from catalog.views.doors import found, json_body, staff_json, thumbnail
from jobs.errors import UserError

MOST_PICTURES = 30


def upload_labels() -> dict[str, str]:
    """What the upload's script says, in the user's language."""
    texts = {
        "waiting": gettext_lazy("waiting"),
        "added": gettext_lazy("added"),
        "failed": gettext_lazy("That did not work. Reload the page and try again."),
        "offline": gettext_lazy("The connection was lost. Drop this file again."),
        "summary": gettext_lazy(
            "{done} of {asked} done: {added} added, {duplicate} there already, {rejected} not usable"
        ),
        "saved": gettext_lazy("Saved."),
        "confirm": gettext_lazy("Delete this picture for good?"),
        "confirm_uses": gettext_lazy("Delete this picture for good, and with it: {uses}?"),
        "first": gettext_lazy("Shown first"),
        "earlier": gettext_lazy("Move forward"),
        "later": gettext_lazy("Move back"),
        "delete": gettext_lazy("Delete"),
        "alt": gettext_lazy("What it shows (alternative text)"),
        "alike": gettext_lazy("Looks like"),
    }
    return {name: str(text) for name, text in texts.items()}


def picture_cards(images: Iterable[ProductImage]) -> list[dict[str, Any]]:
    """What the product's page shows of each picture."""
    rows = list(images)
    uses, alike = uses_of(rows), lookalikes(rows)
    return [
        {
            "id": image.pk,
            "src": thumbnail(image),
            "full": image.file.url,
            "alt": image.alt_text,
            "size": f"{image.width} × {image.height}",
            "uses": ", ".join(f"{use.count} {use.name}" for use in uses.get(image.pk, [])),
            "alike": [
                {
                    "name": other.product.display_name,
                    "address": reverse("admin:catalog_product_change", args=[other.product_id]),
                }
                for other in alike.get(image.pk, [])
            ],
        }
        for image in rows
    ]


@staff_json
@require_POST
def upload(request: HttpRequest, product_id: int) -> HttpResponse:
    """Add the file of this request: added, a duplicate, or rejected with the reason."""
    product = found(Product.objects.select_related("merchant"), request, pk=product_id)
    file = request.FILES.get("file")
    if file is None:
        raise UserError("nothing-chosen", _("No file arrived."), _("Choose pictures and try again."))
    if product.images.count() >= MOST_PICTURES:
        raise UserError(
            "too-many-pictures",
            _("A product has at most %(limit)d pictures.") % {"limit": MOST_PICTURES},
            _("Delete one first."),
        )
    try:
        image, is_new = upload_picture(product=product, upload=file, by=request.user)
    except RejectedImage as error:
        return JsonResponse({"outcome": "rejected", "code": error.code, "reason": str(error)})
    if not is_new:
        reason = _("The product has this picture already.")
        return JsonResponse({"outcome": "duplicate", "code": "duplicate", "reason": reason})
    return JsonResponse({"outcome": "added", "picture": picture_cards([image])[0], "count": product.images.count()})


@staff_json
@require_POST
def order(request: HttpRequest, product_id: int) -> HttpResponse:
    """Put the product's pictures into the order of ``{"ids": […]}``."""
    product = found(Product.objects.select_related("merchant"), request, pk=product_id)
    require_role(request.user, product.merchant, Membership.Role.EDITOR)
    ids = json_body(request).get("ids")
    if not isinstance(ids, list) or not all(isinstance(pk, int) for pk in ids):
        raise UserError("bad-order", _("The order of the pictures could not be read."), _("Reload the page."))
    reorder(product=product, image_ids=ids)
    return JsonResponse({"ids": list(product.images.values_list("pk", flat=True))})


@staff_json
@require_POST
def describe(request: HttpRequest, picture_id: int) -> HttpResponse:
    """Save ``{"alt_text": …}``."""
    image = _image(request, picture_id)
    describe_picture(image=image, alt_text=str(json_body(request).get("alt_text", "")), by=request.user)
    return JsonResponse({"alt_text": image.alt_text})


@staff_json
@require_POST
def remove(request: HttpRequest, picture_id: int) -> HttpResponse:
    """Delete one picture."""
    image = _image(request, picture_id)
    product = image.product
    remove_picture(image=image, by=request.user)
    return JsonResponse({"count": product.images.count()})


def _image(request: HttpRequest, picture_id: int) -> ProductImage:
    return found(ProductImage.objects.select_related("product__merchant"), request, pk=picture_id)
