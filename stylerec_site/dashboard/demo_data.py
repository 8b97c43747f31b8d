"""Demo data for an empty shop, as a job: drawn products, styles with their pictures, and people who looked around.

Everything is drawn by code from a seed. Doing it again adds what is missing and changes nothing that is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from catalog.access import require_role
from catalog.models import Membership, Merchant, Product
from jobs import services as jobs
from jobs.context import JobContext
from jobs.errors import Conflict
from jobs.models import Job
from jobs.presence import workers_seen
from recommend.services import events, shoppers
from stylerec_site.demo import crowd, looks, shop

KIND = "site.demo-data"
UNFINISHED = ["queued", "running"]


def start(*, merchant: Merchant, by: Any) -> Job:
    """Ask for demo data. Only an empty shop takes it, so that it never mixes with real products. Needs an editor."""
    require_role(by, merchant, Membership.Role.EDITOR)
    if Product.objects.filter(merchant=merchant).exists():
        raise Conflict(
            "shop-not-empty",
            _("The shop has products already."),
            _("Demo data is for an empty shop: open another one for it."),
        )
    under_way = newest(merchant)
    if under_way is not None and not under_way.is_finished:
        return under_way
    return jobs.enqueue(
        Job(kind=KIND, merchant_key=merchant.pk, created_by=by, parameters={"merchant": merchant.pk, "by": by.pk})
    )


def newest(merchant: Merchant) -> Job | None:
    """The last request for demo data."""
    return Job.objects.filter(merchant_key=merchant.pk, kind=KIND).order_by("-created_at").first()


def state_of(job: Job) -> dict[str, Any]:
    """How far the job is, for the live line of the front page."""
    alone = job.status == Job.Status.QUEUED and not workers_seen(job.queue)
    return {
        "status": job.status,
        "label": str(job.get_status_display()),
        "finished": job.is_finished,
        "percent": round(100 * job.fraction),
        "message": job.progress_message,
        "notice": _("It waits: no worker is running.") if alone else "",
        "error": f"{job.error_message} {job.error_hint}".strip() if job.error_code else "",
        "can_cancel": False,
        "can_retry": False,
    }


def run(context: JobContext) -> dict[str, Any]:
    """What a worker does: one product, one style, then the people at once; it can stop between two of them."""
    merchant = Merchant.objects.get(pk=context.parameters["merchant"])
    owner = context.job.created_by
    total = 100
    for done, count in shop.fill_shelves(merchant, processes=0):
        context.report(
            done=60 * done // count,
            total=total,
            message=_("%(done)d of %(total)d products drawn") % {"done": done, "total": count},
        )
        if context.should_stop():
            context.raise_if_stopped()
    for number, slug in enumerate(looks.LOOKS):
        context.report(
            done=60 + 30 * number // len(looks.LOOKS),
            total=total,
            message=_("Drawing pictures of the style “%(style)s”") % {"style": looks.LOOKS[slug].name},
        )
        if context.should_stop():
            context.raise_if_stopped()
        looks.set_up_style(merchant, slug, by=owner)
    context.report(done=92, total=total, message=_("People look around"))
    stored = _let_people_look_around(merchant)
    return {"products": Product.objects.filter(merchant=merchant).count(), "events": stored}


def _let_people_look_around(merchant: Merchant) -> int:
    """Seven weeks of seeded events; their ids are seeded too, so a second time stores nothing twice."""
    people = crowd.crowd(merchant, [])
    known = {person.name: shoppers.grant_consent(merchant=merchant, visitor_id=person.name) for person in people}
    stored = 0
    for batch in _batches(crowd.events_of(people, merchant)):
        taken, _refused = events.parse_batch({"events": batch})
        stored += events.store_events(merchant=merchant, events=taken, shoppers=known)
    return stored


def _batches(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start_at in range(0, len(rows), events.MOST_EVENTS):
        yield rows[start_at : start_at + events.MOST_EVENTS]
