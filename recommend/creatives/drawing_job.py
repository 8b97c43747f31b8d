"""What a worker does for a ``CreativeRun``."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict
from typing import Any

from django.core.files.storage import default_storage
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from PIL import Image

from catalog.models import Product, ProductImage
from catalog.services.renditions import files_of, make_renditions, naming_files, store
from jobs.context import JobContext
from jobs.errors import UserError
from recommend.creatives.brief import Brief
from recommend.creatives.drawing.creative import Mark, draw_creative
from recommend.creatives.drawing.formats import FORMATS
from recommend.creatives.drawing.subject import Subject, find_subject
from recommend.creatives.drawing.words import Words
from recommend.creatives.models import Creative, CreativeRun, CreativeSet
from recommend.creatives.services.sets import discard_files
from recommend.creatives.texts import DELETED_PRODUCT, MISSING_PICTURE, NO_RENDERING, UNREADABLE_PICTURE
from recommend.templatetags.shop import money
from styling.models import StyledImage

JPEG_QUALITY = 90
#: Smaller copies of a creative: enough for the lists that show it.
COPIES = 2


class CannotDraw(Exception):
    """Why one creative cannot be drawn: a code of ``texts.PROBLEMS``."""


def run_drawing(context: JobContext) -> dict[str, Any]:
    """Draw every creative of the run that it has not drawn yet; what cannot be drawn says why and stops nobody."""
    run = CreativeRun.objects.select_related("creative_set__merchant", "creative_set__style").get(pk=context.job_id)
    creatives = run.creative_set.creatives.all()
    if "creatives" in context.parameters:
        creatives = creatives.filter(pk__in=context.parameters["creatives"])
    total = creatives.count()
    waiting = list(creatives.exclude(drawn_by=run).select_related("product").order_by("product_id", "pk"))
    artist = Artist(run.creative_set)
    for number, creative in enumerate(waiting, start=total - len(waiting)):
        if context.should_stop():
            context.raise_if_stopped()
        context.report(
            done=number, total=total, message=_("%(done)d of %(total)d creatives") % {"done": number, "total": total}
        )
        _draw(run, creative, artist, context)
    context.report(done=total, total=total)
    drawn = creatives.filter(drawn_by=run)
    problems = drawn.exclude(problem="").count()
    if total and problems == total:
        raise UserError(
            "nothing-drawn",
            _("None of the %(count)d creatives could be drawn.") % {"count": total},
            _("Each of them says why."),
        )
    return {"drawn": total - problems, "problems": problems}


def _draw(run: CreativeRun, creative: Creative, artist: Artist, context: JobContext) -> None:
    """Draw and record one creative; the picture it had before goes when nobody shows it."""
    content: bytes | None = None
    changes: dict[str, Any]
    try:
        content, report = artist.draw(creative)
    except CannotDraw as reason:
        # What was drawn before stays: an advertisement that runs is better than none.
        changes = {"problem": str(reason)}
    else:
        changes = {"problem": "", "sha256": hashlib.sha256(content).hexdigest(), "report": report}
    owner = creative.merchant_id
    # The job's row before the shop's, as everybody locks them.
    with context.fenced(), naming_files(owner):
        if content is not None:
            sha256 = changes["sha256"]
            changes |= {
                "file": store(content, folder="creatives", sha256=sha256, owner=owner, extension="jpg"),
                "renditions": make_renditions(content, sha256=sha256, owner=owner, at_most=COPIES),
            }
        Creative.objects.filter(pk=creative.pk).update(drawn_by=run, drawn_at=timezone.now(), **changes)
    if creative.file and content is not None:
        names = [str(creative.file.name), *files_of(creative.renditions)]
        discard_files(merchant_id=owner, sha256=creative.sha256, names=names)


class Artist:
    """Draws the creatives of one set; a product's picture is opened and looked at once for all its formats."""

    def __init__(self, creative_set: CreativeSet) -> None:
        self._set = creative_set
        self._brief = Brief.from_dict(creative_set.brief)
        self._mark = self._make_mark()
        self._product_id: int | None = None
        self._picture: tuple[Image.Image, Subject] | None = None

    def draw(self, creative: Creative) -> tuple[bytes, dict[str, Any]]:
        """The creative as JPEG, and its report. Raises ``CannotDraw``."""
        if creative.product is None:
            raise CannotDraw(DELETED_PRODUCT)
        picture, subject = self._picture_of(creative.product)
        image, report = draw_creative(
            picture,
            subject,
            form=FORMATS[creative.format],
            layout=self._brief.layout,
            words=self._words(creative.product),
            palette=self._brief.palette,
            mark=self._mark,
        )
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
        rounded = {name: round(value, 2) for name, value in report.contrast.items()}
        return buffer.getvalue(), {**asdict(report), "contrast": rounded, "found_by": subject.found_by}

    def _words(self, product: Product) -> Words:
        with translation.override(self._brief.language):
            name = product.display_name
            price = money(product.price, self._set.merchant.currency) if self._brief.show_price else ""
        if not self._brief.headline:
            return Words(name, "", price)
        return Words(self._brief.headline, name if self._brief.show_name else "", price)

    def _make_mark(self) -> Mark:
        if self._brief.sign == "logo" and self._set.logo:
            try:
                return Mark(logo=_opened(str(self._set.logo.name)))
            except OSError:
                pass  # a lost logo costs the logo, not the set: the name stands in
        if self._brief.sign == "none":
            return Mark()
        with translation.override(self._brief.language):
            return Mark(name=self._set.merchant.display_name)

    def _picture_of(self, product: Product) -> tuple[Image.Image, Subject]:
        if self._product_id != product.pk or self._picture is None:
            self._product_id, self._picture = product.pk, None
            try:
                picture = _opened(self._file_of(product))
            except OSError as error:
                raise CannotDraw(UNREADABLE_PICTURE) from error
            self._picture = picture, find_subject(picture)
        return self._picture

    def _file_of(self, product: Product) -> str:
        """The storage name of the product's first picture, or of its published rendering in the set's style."""
        if self._set.style_id:
            rendering = (
                StyledImage.objects.published()
                .filter(product_image__product=product, style=self._set.style_id)
                .order_by("product_image__position", "product_image_id")
                .first()
            )
            if rendering is None:
                raise CannotDraw(NO_RENDERING)
            return str(rendering.file.name)
        image = ProductImage.objects.filter(product=product).order_by("position", "pk").first()
        if image is None:
            raise CannotDraw(MISSING_PICTURE)
        return str(image.file.name)


def _opened(name: str) -> Image.Image:
    """A stored, normalised picture. Raises ``OSError`` where it is missing or damaged."""
    with default_storage.open(name, "rb") as file, Image.open(file) as opened:
        return opened.convert("RGB")
