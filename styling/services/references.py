"""A style's reference pictures: many at once, each with its own outcome, so that nothing is lost silently."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog import audit
from catalog.access import require_role
from catalog.images import NormalisedImage, RejectedImage, normalise_upload
from catalog.models import Membership, Merchant
from catalog.services import rendition_jobs
from catalog.services.renditions import forget_copies, naming_files, store
from jobs.errors import NotFound
from styling.models import Style, StyleReference

#: The job that makes smaller copies; until it has been there, a reference is shown as its own file.
RENDITIONS_KIND = "styling.renditions"


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
        rendition_jobs.ask(kind=RENDITIONS_KIND, merchant_id=style.merchant_id)
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
            with naming_files(style.merchant_id):
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
    )


def make_missing_renditions(
    *, merchant: Merchant, on_progress: rendition_jobs.OnProgress, should_stop: Callable[[], bool]
) -> dict[str, int]:
    """Make the smaller copies of the shop's references that lack some. It decodes and encodes: worker code."""
    references = StyleReference.objects.filter(style__merchant=merchant)
    return rendition_jobs.fill(references, owner=merchant.pk, on_progress=on_progress, should_stop=should_stop)


def remove_reference(*, reference: StyleReference, by: Any) -> None:
    """Take a picture out of its style. Its files go too, unless the shop shows the same picture elsewhere."""
    style = reference.style
    require_role(by, style.merchant, Membership.Role.EDITOR)
    with transaction.atomic():
        audit.record(
            merchant=style.merchant,
            actor=by,
            action="reference-removed",
            target=style,
            before={"reference": reference.pk, "sha256": reference.sha256},
        )
        now = StyleReference.objects.select_for_update().filter(pk=reference.pk).first()
        if now is None:
            raise NotFound(
                "not-found", _("This does not exist."), _("It may have been deleted, or belong to another shop.")
            )
        reference.renditions = now.renditions  # a worker may have made them since the reference was read
        reference.delete()
        transaction.on_commit(lambda: _forget(reference, style.merchant_id))


def _forget(reference: StyleReference, merchant_id: int) -> None:
    with naming_files(merchant_id):
        name = str(reference.file.name)
        if not StyleReference.objects.filter(file=name).exists():
            default_storage.delete(name)
        forget_copies(reference.renditions, sha256=reference.sha256, owner=merchant_id)
