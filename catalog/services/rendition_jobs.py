"""Asking the workers for renditions, and what they do then: all pictures of a shop that lack some.

Pictures of products here; what other rooms keep pictures of goes through the same two verbs, ``ask`` and ``fill``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet

from catalog.models import Merchant, ProductImage
from catalog.services.renditions import MAIL_WIDTH, WIDTHS, forget_copies, make_renditions
from jobs.full_disk import no_room
from jobs.models import Job
from jobs.services import enqueue

KIND = "catalog.renditions"
#: The copies are in the order of their widths, so that the one for mails is always at one place, if it is there.
_PLACE = f"renditions__{WIDTHS.index(MAIL_WIDTH)}"
_MAIL_COPY = {f"{_PLACE}__width": MAIL_WIDTH}
_NO_JPEG = {f"{_PLACE}__jpg__isnull": True}

OnProgress = Callable[[int, int], None]


def ask_for_renditions(*, merchant_id: int) -> None:
    """Have the shop's new pictures seen to, once this transaction is committed."""
    ask(kind=KIND, merchant_id=merchant_id)


def ask(*, kind: str, merchant_id: int) -> None:
    """Have a job of this kind done for the shop, once this transaction is committed.

    A job that still waits will find what is new: it looks when it starts, so two hundred uploads need one job.
    """
    transaction.on_commit(lambda: _ask(kind, merchant_id))


def _ask(kind: str, merchant_id: int) -> None:
    waiting = Job.objects.filter(kind=kind, merchant_key=merchant_id, status=Job.Status.QUEUED)
    if not waiting.exists():
        enqueue(Job(kind=kind, queue="default", merchant_key=merchant_id))


def make_missing(
    *,
    merchant: Merchant,
    on_progress: OnProgress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Make the renditions of every product picture of the shop that lacks some."""
    pictures = ProductImage.objects.filter(product__merchant=merchant)
    return fill(pictures, owner=merchant.pk, on_progress=on_progress, should_stop=should_stop)


def fill(
    pictures: QuerySet[Any],
    *,
    owner: int,
    on_progress: OnProgress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Make what these rows (``file``, ``sha256``, ``renditions``) lack; how many were made, and how many cannot be."""
    # No first rendition, or one without AVIF, or none for mails, as earlier versions made them.
    lacking = pictures.filter(Q(renditions__0__avif__isnull=True) | Q(**_MAIL_COPY, **_NO_JPEG))
    ids = list(lacking.order_by("pk").values_list("pk", flat=True))
    outcome = {"made": 0, "lost": 0}
    for done, pk in enumerate(ids, start=1):
        if should_stop():
            break
        picture = pictures.filter(pk=pk).first()
        if picture is not None:
            outcome["made" if _make(picture, owner) else "lost"] += 1
        on_progress(done, len(ids))
    return outcome


def _make(picture: Any, owner: int) -> bool:
    """Whether the copies were made; a file that is gone is no reason to leave the others without."""
    try:
        with default_storage.open(str(picture.file.name), "rb") as file:
            renditions = make_renditions(file.read(), sha256=picture.sha256, owner=owner)
    except OSError as error:  # no file, or (Pillow's own error is one too) none that can be read any more
        if no_room(error):
            raise  # the picture is well: the job is tried again when there is room
        return False
    if not type(picture)._default_manager.filter(pk=picture.pk).update(renditions=renditions):
        forget_copies(renditions, sha256=picture.sha256, owner=owner)  # deleted meanwhile: nobody else knows of them
    return True
