"""A shop with pictures that a browser can load: the demo's drawn products, and two looks of each by plain filters."""

from __future__ import annotations

import io
from collections.abc import Callable

from django.core.files.storage import default_storage
from PIL import Image, ImageFilter, ImageOps

from catalog.models import Merchant, ProductImage
from catalog.services.rendition_jobs import make_missing
from stylerec_site.demo.shop import fill_shelves, open_demo_shop
from styling.models import Style, StyledImage, StyleModel, StylizationRun
from styling.services.stylising import Rendering, record_rendering

#: Stand-ins for trained styles: as many bytes and pixels, and no training.
LOOKS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "Posters": lambda picture: ImageOps.posterize(picture, 2),
    "Softly": lambda picture: picture.filter(ImageFilter.GaussianBlur(3)),
}


def open_drawn_shop(*, processes: int) -> Merchant:
    """The demo's shop with every product drawn, photographed and published in two looks."""
    merchant = open_demo_shop()
    for _done in fill_shelves(merchant, processes=processes):
        pass
    make_missing(merchant=merchant)  # smaller copies, as a worker makes them
    photos = list(ProductImage.objects.filter(product__merchant=merchant))
    for number, (name, look) in enumerate(LOOKS.items()):
        style = Style.objects.create(merchant=merchant, name=name, slug=name.lower(), position=number)
        model = StyleModel.objects.create(merchant=merchant, style=style, version=1, directory=f"styles/drawn-{number}")
        run = StylizationRun.objects.create(
            kind="styling.stylise", merchant=merchant, merchant_key=merchant.pk, style_model=model, status="succeeded"
        )
        for photo in photos:
            record_rendering(run=run, product_image=photo, rendering=_rendering(photo, look))
    StyledImage.objects.filter(merchant=merchant).update(status=StyledImage.Status.PUBLISHED)
    return merchant


def _rendering(photo: ProductImage, look: Callable[[Image.Image], Image.Image]) -> Rendering:
    with default_storage.open(str(photo.file.name), "rb") as file, Image.open(file) as opened:
        made = look(opened.convert("RGB"))
    buffer = io.BytesIO()
    made.save(buffer, "JPEG", quality=92)
    return Rendering(buffer.getvalue(), made.width, made.height, "jpg", truth={}, breaches=[])
