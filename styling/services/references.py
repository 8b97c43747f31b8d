"""A style's reference pictures: many at once, each with its own outcome, so that nothing is lost silently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog import audit
from catalog.access import require_role
from catalog.images import NormalisedImage, RejectedImage, normalise_upload
from catalog.models import Membership
from catalog.services.renditions import make_renditions, store
from styling.models import Style, StyleReference


@dataclass(frozen=True, slots=True)
class ReferenceOutcome:
    """What became of one file of an upload."""

    name: str
    outcome: Literal["added", "duplicate", "rejected"]
    #: The reference in the style: the new one, or the equal one that was there already.
    reference: StyleReference | None = None
    code: str = ""
    reason: str = ""


def add_references(*, style: Style, files: Iterable[Any], by: Any) -> list[ReferenceOutcome]:
    """Add uploaded pictures (files or bytes) to a style; one outcome per file, in their order.

    A file that is no usable picture is rejected with its reason and the others go on.
    """
    require_role(by, style.merchant, Membership.Role.EDITOR)
    outcomes = [_add(style, file, str(getattr(file, "name", "") or f"#{n}")) for n, file in enumerate(files, start=1)]
    added = [outcome.reference.pk for outcome in outcomes if outcome.reference and outcome.outcome == "added"]
    if added:
        audit.record(
            merchant=style.merchant, actor=by, action="references-added", target=style, after={"references": added}
        )
    return outcomes


def _add(style: Style, file: Any, name: str) -> ReferenceOutcome:
    try:
        picture = normalise_upload(file)
    except RejectedImage as error:
        return ReferenceOutcome(name, "rejected", code=error.code, reason=str(error))
    existing = StyleReference.objects.filter(style=style, sha256=picture.sha256).first()
    if existing is None:
        try:
            with transaction.atomic():
                return ReferenceOutcome(name, "added", _create(style, picture))
        except IntegrityError:  # the same file came in through another request at this moment
            existing = StyleReference.objects.get(style=style, sha256=picture.sha256)
    reason = _("The style has this picture already.")
    return ReferenceOutcome(name, "duplicate", existing, "duplicate", reason)


def _create(style: Style, picture: NormalisedImage) -> StyleReference:
    owner = style.merchant_id
    return StyleReference.objects.create(
        style=style,
        file=store(
            picture.content,
            folder="references",
            sha256=picture.sha256,
            owner=owner,
            extension="png" if picture.format == "PNG" else "jpg",
        ),
        width=picture.width,
        height=picture.height,
        sha256=picture.sha256,
        perceptual_hash=picture.perceptual_hash,
        renditions=make_renditions(picture.content, sha256=picture.sha256, owner=owner),
    )


def remove_reference(*, reference: StyleReference, by: Any) -> None:
    """Take a picture out of its style. Its file goes too, unless another style of the shop holds the same one."""
    style = reference.style
    require_role(by, style.merchant, Membership.Role.EDITOR)
    name = str(reference.file.name)
    with transaction.atomic():
        audit.record(
            merchant=style.merchant,
            actor=by,
            action="reference-removed",
            target=style,
            before={"reference": reference.pk, "sha256": reference.sha256},
        )
        reference.delete()
        transaction.on_commit(lambda: _forget(name))


def _forget(name: str) -> None:
    if not StyleReference.objects.filter(file=name).exists():
        default_storage.delete(name)
