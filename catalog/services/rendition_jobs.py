"""Asking the workers for renditions, and what they do then: all pictures of a shop that lack some."""

from __future__ import annotations

from collections.abc import Callable

from django.core.files.storage import default_storage
from django.db import transaction

from catalog.models import Merchant, ProductImage
from catalog.services.renditions import make_renditions
from jobs.models import Job
from jobs.services import enqueue

KIND = "catalog.renditions"

OnProgress = Callable[[int, int], None]


def ask_for_renditions(*, merchant_id: int) -> None:
    """Have the shop's new pictures seen to, once this transaction is committed.

    A job that still waits will find them: it looks for them when it starts, so two hundred uploads need one job.
    """
    transaction.on_commit(lambda: _ask(merchant_id))


def _ask(merchant_id: int) -> None:
    waiting = Job.objects.filter(kind=KIND, merchant_key=merchant_id, status=Job.Status.QUEUED)
    if not waiting.exists():
        enqueue(Job(kind=KIND, queue="default", merchant_key=merchant_id))


def make_missing(
    *,
    merchant: Merchant,
    on_progress: OnProgress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Make the renditions of every picture of the shop that lacks some; how many were made, and how many cannot be."""
    # No first rendition, or one without AVIF, as earlier versions made them.
    lacking = ProductImage.objects.filter(product__merchant=merchant, renditions__0__avif__isnull=True)
    ids = list(lacking.order_by("pk").values_list("pk", flat=True))
    outcome = {"made": 0, "lost": 0}
    for done, pk in enumerate(ids, start=1):
        if should_stop():
            break
        image = ProductImage.objects.filter(pk=pk).first()
        if image is not None:
            outcome["made" if _make(image, merchant.pk) else "lost"] += 1
        on_progress(done, len(ids))
    return outcome


def _make(image: ProductImage, owner: int) -> bool:
    """Whether the copies were made; a file that is gone is no reason to leave the others without."""
    try:
        with default_storage.open(str(image.file.name), "rb") as file:
            renditions = make_renditions(file.read(), sha256=image.sha256, owner=owner)
    except OSError:  # no file, or (Pillow's own error is one too) none that can be read any more
        return False
    ProductImage.objects.filter(pk=image.pk).update(renditions=renditions)
    return True
