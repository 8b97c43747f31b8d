"""Sets of creatives: ask for one, change it, draw it again, delete it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.images import RejectedImage, normalise_upload
from catalog.models import Membership, Merchant, Product
from catalog.services.renditions import files_of, naming_files, store
from jobs import services as jobs
from jobs.errors import Conflict, UserError
from jobs.models import Job
from recommend.creatives.brief import Brief
from recommend.creatives.drawing.lines import cleaned
from recommend.creatives.models import Creative, CreativeRun, CreativeSet
from recommend.creatives.services.links import make_links
from styling.models import Style

KIND = "creatives.draw"
QUEUE = "default"
MOST_PRODUCTS = 100


def create_set(
    *,
    merchant: Merchant,
    by: Any,
    products: Iterable[Product],
    brief: Brief,
    style: Style | None = None,
    name: str = "",
    logo: Any = None,
) -> CreativeSet:
    """Ask for creatives of products in the brief's formats; a worker draws them. The links work at once.

    ``logo`` is an uploaded file, or the storage name of another set's logo. Raises ``UserError`` where nothing was chosen,
    too much was, or the logo is no picture.
    """
    require_role(by, merchant, Membership.Role.EDITOR)
    chosen = list(products)
    if not chosen:
        raise UserError("nothing-chosen", _("No product was chosen."), _("Choose products first."))
    if len(chosen) > MOST_PRODUCTS:
        raise UserError(
            "too-many-products",
            _("More than %(limit)d products in one set.") % {"limit": MOST_PRODUCTS},
            _("Make several sets."),
        )
    if any(product.merchant_id != merchant.pk for product in chosen):
        raise UserError("mixed-shops", _("These products belong to several shops."), _("Choose products of one shop."))
    _check_style(merchant, style)
    logo_name = _stored_logo(merchant, logo)
    _check_logo(brief, logo_name)
    with transaction.atomic():
        creative_set = CreativeSet.objects.create(
            merchant=merchant,
            name=cleaned(name)[:120] or brief.headline[:120] or date_format(timezone.now(), "SHORT_DATETIME_FORMAT"),
            style=style,
            brief=brief.to_dict(),
            logo=logo_name,
            created_by=by,
        )
        _add_creatives(creative_set, chosen, brief)
        audit.record(
            merchant=merchant,
            actor=by,
            action="creatives-asked-for",
            target=creative_set,
            after={"products": len(chosen), "formats": list(brief.formats)},
        )
        _enqueue(creative_set, by=by, creatives=None)
    return creative_set


def change_set(
    *, creative_set: CreativeSet, by: Any, brief: Brief, style: Style | None, name: str = "", logo: Any = None
) -> CreativeRun:
    """Change headline, layout, colours, style, name or logo, and draw everything again. Links stay as they are.

    Products stay; of the formats, new ones are added, and those left out are deleted.
    """
    require_role(by, creative_set.merchant, Membership.Role.EDITOR)
    _check_style(creative_set.merchant, style)
    logo_name = _stored_logo(creative_set.merchant, logo) or str(creative_set.logo.name or "")
    _check_logo(brief, logo_name)
    with transaction.atomic():
        _refuse_while_drawing(creative_set)
        before = dict(creative_set.brief)
        creative_set.brief, creative_set.style, creative_set.logo = brief.to_dict(), style, logo_name
        creative_set.name = cleaned(name)[:120] or creative_set.name
        creative_set.save(update_fields=["brief", "style", "logo", "name"])
        _delete_rows(creative_set.creatives.exclude(format__in=brief.formats))
        owned = creative_set.creatives.values_list("product_id", flat=True)
        _add_creatives(creative_set, list(Product.objects.filter(pk__in=owned)), brief)
        audit.record(
            merchant=creative_set.merchant,
            actor=by,
            action="creatives-changed",
            target=creative_set,
            before=before,
            after=creative_set.brief,
        )
        return _enqueue(creative_set, by=by, creatives=None)


def draw_again(*, creative_set: CreativeSet, by: Any, creatives: Sequence[int] | None = None) -> CreativeRun:
    """Draw a set again, or those of its creatives whose ids are given: with today's pictures, names and prices."""
    require_role(by, creative_set.merchant, Membership.Role.EDITOR)
    if creatives is not None and not creative_set.creatives.filter(pk__in=creatives).exists():
        raise UserError("nothing-chosen", _("No creative was chosen."), _("It may have been deleted."))
    with transaction.atomic():
        _refuse_while_drawing(creative_set)
        return _enqueue(creative_set, by=by, creatives=creatives)


def delete_set(*, creative_set: CreativeSet, by: Any) -> None:
    """Delete a set with its creatives and their files. Its links go on leading to the products."""
    require_role(by, creative_set.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        for run in creative_set.runs.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING]):
            jobs.request_cancel(job=run, by=by)
        audit.record(
            merchant=creative_set.merchant,
            actor=by,
            action="creatives-deleted",
            target=creative_set,
            before={"name": creative_set.name},
        )
        _delete_rows(creative_set.creatives.all())
        creative_set.delete()


def delete_creative(*, creative: Creative, by: Any) -> None:
    """Delete one creative and its file. Its link goes on leading to the product."""
    require_role(by, creative.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        audit.record(
            merchant=creative.merchant,
            actor=by,
            action="creative-deleted",
            target=creative,
            before={"sku": creative.sku, "format": creative.format},
        )
        _delete_rows(Creative.objects.filter(pk=creative.pk))


def cancel_drawing(*, creative_set: CreativeSet, by: Any) -> None:
    """End the drawing that runs; what is drawn already stays. Raises ``Conflict`` where none runs."""
    require_role(by, creative_set.merchant, Membership.Role.EDITOR)
    run = drawing_of(creative_set)
    if run is None:
        raise Conflict("job-finished", _("This set is not being drawn."))
    jobs.request_cancel(job=run, by=by)


def drawing_of(creative_set: CreativeSet) -> CreativeRun | None:
    """The set's latest run."""
    return creative_set.runs.order_by("-created_at").first()


def _check_style(merchant: Merchant, style: Style | None) -> None:
    if style is not None and style.merchant_id != merchant.pk:
        raise UserError("bad-style", _("This style does not exist."), _("Choose one of the shop's styles."))


def _check_logo(brief: Brief, logo: str) -> None:
    if brief.sign == "logo" and not logo:
        raise UserError("no-logo", _("There is no logo to show."), _("Upload one, or show the shop's name."))


def _stored_logo(merchant: Merchant, logo: Any) -> str:
    """The storage name of a logo; uploads go through the one door for untrusted pictures."""
    if not logo:
        return ""
    if isinstance(logo, str):
        return logo
    try:
        picture = normalise_upload(logo)
    except RejectedImage as error:
        raise UserError("bad-logo", _("The logo cannot be used: %(reason)s") % {"reason": error}) from error
    return store(picture.content, folder="logos", sha256=picture.sha256, owner=merchant.pk, extension="jpg")


def _add_creatives(creative_set: CreativeSet, products: Sequence[Product], brief: Brief) -> None:
    """Rows and links for what the set does not have yet."""
    known = set(creative_set.creatives.values_list("sku", "format"))
    wanted = [(product, code) for product in products for code in brief.formats if (product.sku, code) not in known]
    links = make_links(
        merchant=creative_set.merchant,
        products=[product for product, _code in wanted],
        style=creative_set.style,
        campaign=creative_set.name,
    )
    with translation.override(brief.language):
        Creative.objects.bulk_create(
            Creative(
                merchant=creative_set.merchant,
                creative_set=creative_set,
                product=product,
                sku=product.sku,
                product_name=product.display_name,
                format=code,
                link=link,
            )
            for (product, code), link in zip(wanted, links, strict=True)
        )


def _refuse_while_drawing(creative_set: CreativeSet) -> None:
    Merchant.objects.select_for_update().get(pk=creative_set.merchant_id)  # two presses: the second waits and is told
    if creative_set.runs.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING]).exists():
        raise Conflict(
            "being-drawn", _("This set is being drawn right now."), _("Wait until it is done, or cancel it.")
        )


def _enqueue(creative_set: CreativeSet, *, by: Any, creatives: Sequence[int] | None) -> CreativeRun:
    count = creative_set.creatives.count() if creatives is None else len(creatives)
    return jobs.enqueue(
        CreativeRun(
            kind=KIND,
            queue=QUEUE,
            merchant=creative_set.merchant,
            merchant_key=creative_set.merchant_id,
            created_by=by,
            creative_set=creative_set,
            progress_total=count,
            parameters={} if creatives is None else {"creatives": list(creatives)},
        )
    )


def _delete_rows(creatives: Any) -> None:
    """Delete rows, and on commit the files that no other creative shows."""
    gone = list(creatives.exclude(file="").values_list("merchant_id", "sha256", "file", "renditions"))
    creatives.delete()
    for merchant_id, sha256, file, renditions in gone:
        names = [file, *files_of(renditions)]
        transaction.on_commit(partial(discard_files, merchant_id=merchant_id, sha256=sha256, names=names))


def discard_files(*, merchant_id: int, sha256: str, names: Iterable[str]) -> None:
    """Delete a drawing's files unless another creative shows the same one (equal pictures of a shop share their files)."""
    with naming_files(merchant_id):
        if not Creative.objects.filter(merchant_id=merchant_id, sha256=sha256).exists():
            for name in names:
                default_storage.delete(name)
