"""What the recommender's screens share: the shop that a screen is about, and whether a worker is there."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _

from catalog.models import Merchant
from jobs.presence import SEEN_WITHIN, workers_seen

QUEUE = "default"


def shops_of(request: HttpRequest) -> tuple[list[Merchant], Merchant | None]:
    """The user's shops, and the one that the address asks for (the first where it asks for none)."""
    shops = list(Merchant.objects.visible_to(request.user).order_by("name"))
    asked = request.GET.get("shop", "")
    return shops, next((shop for shop in shops if shop.slug == asked), shops[0] if shops else None)


def worker_notice() -> str:
    """What to tell the user when no worker listens for fits; empty when one does."""
    if workers_seen(QUEUE):
        return ""
    return _(
        "No worker has been seen for %(seconds)d seconds: a fit waits until one starts. "
        "Start one with: celery -A stylerec_site worker -Q %(queue)s"
    ) % {"seconds": SEEN_WITHIN.total_seconds(), "queue": QUEUE}
