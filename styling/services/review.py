"""Review: renderings move along ``StyledImage.TRANSITIONS``, in batches that can be undone.

Each verb moves what it can and says what it could not, and why: a bulk of 200 does not fail for one flagged picture.
Every move is a conditional UPDATE and leaves a ``ReviewStep``; the steps of one call share a batch, which ``undo``
takes back in reverse.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog import audit
from catalog.access import require_role
from catalog.models import Membership, Merchant
from jobs.errors import Conflict, NotFound, UserError
from styling.models import ReviewStep, StyledImage
from styling.services.news import announce_moves

Status = StyledImage.Status


@dataclass(frozen=True, slots=True)
class _Verb:
    """A verb of review: who may use it, and the way that a rendering takes from each status it applies to."""

    action: str
    least: str
    paths: Mapping[str, tuple[str, ...]]

    @property
    def publishes(self) -> bool:
        return any(Status.PUBLISHED in path for path in self.paths.values())


_APPROVE = _Verb(
    "renderings-approved",
    Membership.Role.REVIEWER,
    {Status.GENERATED: (Status.APPROVED,), Status.REJECTED: (Status.APPROVED,)},
)
_REJECT = _Verb(
    "renderings-rejected",
    Membership.Role.REVIEWER,
    {
        Status.GENERATED: (Status.REJECTED,),
        Status.APPROVED: (Status.REJECTED,),
        Status.PUBLISHED: (Status.APPROVED, Status.REJECTED),
    },
)
_PUBLISH = _Verb("renderings-published", Membership.Role.EDITOR, {Status.APPROVED: (Status.PUBLISHED,)})
_APPROVE_AND_PUBLISH = _Verb(
    "renderings-published",
    Membership.Role.EDITOR,
    {Status.GENERATED: (Status.APPROVED, Status.PUBLISHED), Status.APPROVED: (Status.PUBLISHED,)},
)
_UNPUBLISH = _Verb("renderings-unpublished", Membership.Role.EDITOR, {Status.PUBLISHED: (Status.APPROVED,)})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rendering that stayed where it was, and why."""

    image_id: int
    code: str
    message: str | Promise
    hint: str | Promise = ""


@dataclass(slots=True)
class Outcome:
    """What one press of a button did."""

    batch: uuid.UUID = field(default_factory=uuid.uuid4)
    #: Renderings that moved, by id, to the status they have now.
    moved: dict[int, str] = field(default_factory=dict)
    #: Earlier published renderings that gave way.
    replaced: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def require_all(self) -> Outcome:
        """Raise the first refusal, where a single rendering was asked for."""
        for refusal in self.refused:
            raise Conflict(refusal.code, refusal.message, refusal.hint, details={"image": refusal.image_id})
        return self


def approve(*, images: Iterable[StyledImage], by: Any) -> Outcome:
    """Approve renderings that await review or were rejected. Needs a reviewer."""
    return _review(_APPROVE, images, by)


def reject(*, images: Iterable[StyledImage], by: Any, reason: str = "") -> Outcome:
    """Reject renderings; a published one leaves the storefront at once. Needs a reviewer."""
    return _review(_REJECT, images, by, reason=reason.strip()[:300])


def publish(*, images: Iterable[StyledImage], by: Any, accept_flagged: bool = False) -> Outcome:
    """Show approved renderings to shoppers. Needs an editor.

    Each replaces the published rendering of the same picture and style in the same transaction. Flagged renderings are
    refused unless ``accept_flagged`` says that somebody has looked at what is wrong with them.
    """
    return _review(_PUBLISH, images, by, accept_flagged=accept_flagged)


def approve_and_publish(*, images: Iterable[StyledImage], by: Any, accept_flagged: bool = False) -> Outcome:
    """Both in one step. Needs an editor. Renderings that must be looked at one by one are refused."""
    return _review(_APPROVE_AND_PUBLISH, images, by, accept_flagged=accept_flagged)


def unpublish(*, images: Iterable[StyledImage], by: Any) -> Outcome:
    """Take renderings off the storefront, back to approved. Needs an editor."""
    return _review(_UNPUBLISH, images, by)


def undo(*, batch: uuid.UUID, merchant: Merchant, by: Any) -> Outcome:
    """Take back one batch: every rendering that is still where the batch left it goes back to where it was."""
    with transaction.atomic():
        _lock(merchant)
        steps = list(
            ReviewStep.objects.filter(batch=batch, image__merchant=merchant, undone_at=None)
            .select_related("image")
            .order_by("-id")
        )
        if not steps:
            raise NotFound("nothing-to-undo", _("There is nothing to undo."), _("It may have been undone already."))
        publishing = any(Status.PUBLISHED in (step.before, step.after) for step in steps)
        require_role(by, merchant, Membership.Role.EDITOR if publishing else Membership.Role.REVIEWER)
        outcome = Outcome()
        for step in steps:
            if StyledImage.objects.filter(pk=step.image_id, status=step.after).update(**_marks(step.before, by)):
                outcome.moved[step.image_id] = step.before
                announce_moves(step.after, step.before, [step.image_id])
                ReviewStep.objects.filter(pk=step.pk).update(undone_at=timezone.now())
            elif step.image_id not in {refusal.image_id for refusal in outcome.refused}:
                outcome.refused.append(
                    Refusal(
                        step.image_id, "moved-on", _("This rendering has been moved since."), _("Look at it again.")
                    )
                )
        audit.record(
            merchant=merchant,
            actor=by,
            action="review-undone",
            target=merchant,
            after={"batch": str(batch), "renderings": sorted(outcome.moved)},
        )
    return outcome


def _review(
    verb: _Verb, images: Iterable[StyledImage], by: Any, *, reason: str = "", accept_flagged: bool = False
) -> Outcome:
    """Move renderings of one shop along the verb's paths, together, and record it."""
    ids = [image.pk for image in images]
    if not ids:
        raise UserError("nothing-chosen", _("Nothing was chosen."), _("Choose renderings first."))
    merchant = _only_merchant(ids)
    require_role(by, merchant, verb.least)
    outcome = Outcome()
    with transaction.atomic():
        _lock(merchant)
        rows = list(
            StyledImage.objects.select_for_update(of=("self",))
            .filter(pk__in=ids, merchant=merchant)
            .select_related("style_model")
            .order_by("pk")
        )
        outcome.refused = [_cannot(row, verb) for row in rows if row.status not in verb.paths]
        rows = [row for row in rows if row.status in verb.paths]
        if verb.publishes:
            unseen = verb is _APPROVE_AND_PUBLISH
            refusals = _unfit_for_publishing(rows, accept_flagged=accept_flagged, unseen=unseen)
            unfit = {refusal.image_id for refusal in refusals}
            rows = [row for row in rows if row.pk not in unfit]
            outcome.refused += refusals
            _replace_published(rows, merchant, by, outcome)
        _walk(rows, verb, by, outcome, reason=reason)
        if outcome.moved:
            audit.record(
                merchant=merchant,
                actor=by,
                action=verb.action,
                target=merchant,
                after={
                    "batch": str(outcome.batch),
                    "renderings": sorted(outcome.moved),
                    "replaced": outcome.replaced,
                    "reason": reason,
                    "accept_flagged": accept_flagged,
                },
            )
    return outcome


def _walk(rows: Sequence[StyledImage], verb: _Verb, by: Any, outcome: Outcome, *, reason: str) -> None:
    paths = {row.pk: verb.paths[row.status] for row in rows}
    for position in range(max(map(len, verb.paths.values()))):
        for to in StyledImage.Status.values:
            going = [row for row in rows if paths[row.pk][position : position + 1] == (to,)]
            _step(going, to, by, outcome.batch, reason=reason)
    outcome.moved = {row.pk: row.status for row in rows}


def _unfit_for_publishing(rows: Sequence[StyledImage], *, accept_flagged: bool, unseen: bool) -> list[Refusal]:
    """Flagged ones, those that a person must look at one by one, and older ones of the same picture and style."""
    refusals = []
    newest = {(row.product_image_id, row.style_id): row.pk for row in sorted(rows, key=lambda row: row.pk)}
    for row in rows:
        if row.is_flagged and not accept_flagged:
            refusals.append(
                Refusal(
                    row.pk,
                    "flagged",
                    _("This rendering is beyond the shop's product-truth limits."),
                    _("Look at what differs; then publish it by accepting that, or regenerate or reject it."),
                )
            )
        elif row.style_model.never_auto_publish and unseen:
            refusals.append(
                Refusal(
                    row.pk,
                    "one-by-one",
                    _("Renderings of this model are never published unseen."),
                    _("Approve each one yourself, then publish it."),
                )
            )
        elif newest[row.product_image_id, row.style_id] != row.pk:
            refusals.append(
                Refusal(
                    row.pk,
                    "newer-chosen",
                    _("A newer rendering of the same picture and style was chosen too."),
                    _("Only one of them can be published."),
                )
            )
    return refusals


def _replace_published(rows: Sequence[StyledImage], merchant: Merchant, by: Any, outcome: Outcome) -> None:
    """Move the published renderings of the same pictures and styles back to approved."""
    pairs = {(row.product_image_id, row.style_id) for row in rows}
    earlier = [
        image
        for image in StyledImage.objects.published().filter(
            merchant=merchant,
            product_image_id__in={picture for picture, _style in pairs},
            style_id__in={style for _picture, style in pairs},
        )
        if (image.product_image_id, image.style_id) in pairs
    ]
    _step(earlier, Status.APPROVED, by, outcome.batch)
    outcome.replaced = [image.pk for image in earlier]


def _step(rows: Sequence[StyledImage], to: str, by: Any, batch: uuid.UUID, *, reason: str = "") -> None:
    """One conditional UPDATE per status that the rows come from, and a ``ReviewStep`` for each row."""
    for before in sorted({row.status for row in rows}):
        group = [row for row in rows if row.status == before]
        marks = _marks(to, by, reason=reason)
        updated = StyledImage.objects.filter(pk__in=[row.pk for row in group], status=before).update(**marks)
        if to not in StyledImage.TRANSITIONS[before] or updated != len(group):
            # The rows are locked: this says that somebody writes around the verbs.
            raise Conflict("moved-on", _("A rendering was moved meanwhile."), _("Reload the page."))
        ReviewStep.objects.bulk_create(
            ReviewStep(batch=batch, image=row, before=before, after=to, reason=marks["reject_reason"], by=by)
            for row in group
        )
        for row in group:
            row.status = to
        announce_moves(before, to, [row.pk for row in group])


def _marks(to: str, by: Any, *, reason: str = "") -> dict[str, Any]:
    """The columns of a rendering that has just arrived at ``to``."""
    now = timezone.now()
    seen = to != Status.GENERATED
    return {
        "status": to,
        "reviewed_by": by if seen else None,
        "reviewed_at": now if seen else None,
        "published_at": now if to == Status.PUBLISHED else None,
        "reject_reason": reason if to == Status.REJECTED else "",
    }


def _cannot(row: StyledImage, verb: _Verb) -> Refusal:
    return Refusal(
        row.pk,
        "wrong-status",
        _("This does not go with a rendering that is “%(status)s”.") % {"status": Status(row.status).label},
        _("Approve it first.") if verb is _PUBLISH else _("Reload the page to see where it stands."),
    )


def _only_merchant(ids: Sequence[int]) -> Merchant:
    merchants = list(Merchant.objects.filter(styled_images__pk__in=ids).distinct()[:2])
    if not merchants:
        raise NotFound("no-such-rendering", _("These renderings do not exist."), _("Reload the page."))
    if len(merchants) > 1:
        raise UserError("several-shops", _("These belong to several shops."), _("Review one shop at a time."))
    return merchants[0]


def _lock(merchant: Merchant) -> None:
    """Reviews of one shop wait for each other: the published rendering of a picture changes hands exactly once."""
    Merchant.objects.select_for_update().get(pk=merchant.pk)
