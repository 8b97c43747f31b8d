"""Stylising: render product pictures in a style, and record what came out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.models import Membership, Merchant, Product, ProductImage
from catalog.services.renditions import make_renditions, store
from jobs import services as jobs
from jobs.errors import Conflict, NotFound, UserError
from styling.models import Style, StyledImage, StyleModel, StylizationRun

KIND = "styling.stylise"
QUEUE = "gpu"
#: Keys that one query names.
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class StyliseOptions:
    """How a model is applied."""

    #: 0 leaves the picture as it is, 1 is the model's full effect.
    strength: float = 1.0
    #: Keep the product itself, restyle only what is around it.
    keep_product: bool = False
    #: Keep the background, restyle the product alone.
    keep_background: bool = False
    #: 0 takes the style's colours, 1 keeps the picture's own.
    keep_color: float = 0.0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Options from a request's body or a job's row; ``UserError`` where one is unknown or out of range."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise UserError("bad-options", _("There is no option “%(name)s”.") % {"name": unknown[0]})
        try:
            options = cls(
                strength=float(values.get("strength", 1.0)),
                keep_product=bool(values.get("keep_product", False)),
                keep_background=bool(values.get("keep_background", False)),
                keep_color=float(values.get("keep_color", 0.0)),
            )
        except (TypeError, ValueError) as error:
            raise UserError("bad-options", _("Strength and colour-keeping are numbers from 0 to 1.")) from error
        if not (0 <= options.strength <= 1 and 0 <= options.keep_color <= 1):
            raise UserError("bad-options", _("Strength and colour-keeping are numbers from 0 to 1."))
        if options.keep_product and options.keep_background:
            raise UserError(
                "bad-options",
                _("Product and background cannot both be kept: nothing would change."),
                _("Keep one of them, or neither."),
            )
        return options

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def stylise(
    *,
    style: Style,
    by: Any,
    products: Iterable[Product] = (),
    images: Iterable[ProductImage] = (),
    style_model: StyleModel | None = None,
    options: StyliseOptions | None = None,
    every_picture: bool = False,
) -> StylizationRun:
    """Ask for renderings in ``style``: of ``images``, and of the first picture (or all) of ``products``.

    The style's deployed model renders, unless another version is given. Needs an editor.
    """
    require_role(by, style.merchant, Membership.Role.EDITOR)
    model = style_model or deployed_model(style=style)
    if model.style_id != style.pk:
        raise NotFound("no-such-model", _("This version does not exist."), _("Choose one of the style's own."))
    chosen, without_picture = _pictures_of(style.merchant, products, images, every_picture=every_picture)
    return _enqueue(model=model, image_ids=chosen, by=by, options=options, without_picture=without_picture)


def regenerate(
    *,
    image: StyledImage,
    by: Any,
    options: StyliseOptions | None = None,
    style_model: StyleModel | None = None,
) -> StylizationRun:
    """Render one picture again with other options or another version; the rendering at hand stays. Needs a reviewer."""
    require_role(by, image.merchant, Membership.Role.REVIEWER)
    model = style_model or image.style_model
    if model.style_id != image.style_id:
        raise NotFound("no-such-model", _("This version does not exist."), _("Choose one of the style's own."))
    return _enqueue(
        model=model,
        image_ids=[image.product_image_id],
        by=by,
        options=options or StyliseOptions.from_dict(image.options),
        without_picture=0,
    )


def deployed_model(*, style: Style) -> StyleModel:
    """The version in use; ``Conflict`` where the style has none yet."""
    model = StyleModel.objects.filter(style=style, status=StyleModel.Status.DEPLOYED).first()
    if model is None:
        raise Conflict(
            "no-deployed-model",
            _("“%(style)s” has no model in use yet.") % {"style": style},
            _("Train the style, or deploy one of its versions, then stylise."),
        )
    return model


def _pictures_of(
    merchant: Merchant, products: Iterable[Product], images: Iterable[ProductImage], *, every_picture: bool
) -> tuple[list[int], int]:
    """Ids of the pictures to render, each once, and how many of the products have none."""
    product_ids, image_ids = _keys(products), _keys(images)
    own = ProductImage.objects.filter(product__merchant=merchant)
    own_products = Product.objects.filter(merchant=merchant)
    if _count_of(own, image_ids) < len(set(image_ids)) or _count_of(own_products, product_ids) < len(set(product_ids)):
        raise NotFound("no-such-product", _("Some of these do not exist."), _("Choose products of this shop."))
    by_product: dict[int, list[int]] = {pk: [] for pk in product_ids}
    for some in batched(product_ids, AT_ONCE):
        for pk, product_id in own.filter(product_id__in=some).values_list("pk", "product_id"):
            by_product[product_id].append(pk)
    of_products = [pk for own_ids in by_product.values() for pk in (own_ids if every_picture else own_ids[:1])]
    without_picture = sum(1 for own_ids in by_product.values() if not own_ids)
    if not product_ids and not image_ids:
        raise UserError("nothing-chosen", _("Nothing was chosen."), _("Choose products or pictures first."))
    if not of_products and not image_ids:
        raise UserError(
            "no-pictures", _("None of these products has a picture."), _("Add pictures to them, then stylise.")
        )
    return list(dict.fromkeys([*image_ids, *of_products])), without_picture


def _keys(rows: Iterable[Any]) -> list[int]:
    """The rows' keys, in order; of a query without reading the rows themselves."""
    return list(rows.values_list("pk", flat=True)) if isinstance(rows, QuerySet) else [row.pk for row in rows]


def _count_of(rows: QuerySet[Any], keys: Sequence[int]) -> int:
    return sum(rows.filter(pk__in=some).count() for some in batched(sorted(set(keys)), AT_ONCE))


def batched(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """The items, ``size`` at a time: databases take so many parameters in one query and no more."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _enqueue(
    *, model: StyleModel, image_ids: Sequence[int], by: Any, options: StyliseOptions | None, without_picture: int
) -> StylizationRun:
    with transaction.atomic():
        run = jobs.enqueue(
            StylizationRun(
                kind=KIND,
                queue=QUEUE,
                merchant=model.merchant,
                merchant_key=model.merchant_id,
                created_by=by,
                style_model=model,
                options=(options or StyliseOptions()).to_dict(),
                progress_total=len(image_ids),
                parameters={"pictures": len(image_ids), "without_picture": without_picture},
            )
        )
        for some in batched(image_ids, AT_ONCE):
            run.product_images.add(*some)
        audit.record(
            merchant=model.merchant,
            actor=by,
            action="stylise-started",
            target=model,
            after={"run": str(run.pk), "pictures": len(image_ids)},
        )
    return run


@dataclass(frozen=True, slots=True)
class Rendering:
    """One rendered picture as the worker hands it over: encoded, with its product-truth report."""

    content: bytes
    width: int
    height: int
    extension: str
    truth: Mapping[str, Any]
    #: Limits that the report breaks: ``[{"code": …, "value": …, "limit": …}]``; any of them flags the rendering.
    breaches: Sequence[Mapping[str, Any]]


def record_rendering(*, run: StylizationRun, product_image: ProductImage, rendering: Rendering) -> StyledImage:
    """Store a rendering and its row, awaiting review. A doubled call returns the row that is there."""
    existing = StyledImage.objects.filter(run=run, product_image=product_image).first()
    if existing:
        return existing
    owner = run.merchant_id
    sha256 = hashlib.sha256(rendering.content).hexdigest()
    name = store(rendering.content, folder="renderings", sha256=sha256, owner=owner, extension=rendering.extension)
    renditions = make_renditions(rendering.content, sha256=sha256, owner=owner)
    try:
        with transaction.atomic():
            return StyledImage.objects.create(
                merchant_id=owner,
                product_image=product_image,
                style_id=run.style_model.style_id,
                style_model=run.style_model,
                run=run,
                file=name,
                width=rendering.width,
                height=rendering.height,
                sha256=sha256,
                renditions=renditions,
                options=run.options,
                truth=dict(rendering.truth),
                breaches=[dict(breach) for breach in rendering.breaches],
                is_flagged=bool(rendering.breaches),
            )
    except IntegrityError:
        return StyledImage.objects.get(run=run, product_image=product_image)
