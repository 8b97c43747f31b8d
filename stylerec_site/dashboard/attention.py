"""What needs somebody now, the gravest first, each with the one thing to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Merchant
from catalog.services.sweeping import is_refused
from jobs.models import Job
from jobs.registry import kind_name
from recommend.labels import WARNINGS
from recommend.models import Recommender
from recommend.services.health import known_warnings
from stylerec_site.dashboard.first_run import Counts
from stylerec_site.navigation import FAILURES_COUNT_FOR
from styling.models import Style, StyleModel
from styling.services.readiness import GOOD_PICTURES

#: Failed jobs that are named; the rest is a number.
NAMED_FAILURES = 5


@dataclass(frozen=True)
class Item:
    """One matter. ``tone`` is bad, warn or info; ``retry`` is the job that one click tries again."""

    tone: str
    icon: str
    text: str
    detail: str = ""
    link: str = ""
    action: str = ""
    retry: Job | None = None


def of_shop(shop: Merchant, counts: Counts, *, may_edit: bool) -> list[Item]:
    """Everything that waits for a person."""
    return [
        *_failures(shop, may_edit=may_edit),
        *_held(shop),
        *_drifted(shop),
        *_review(shop, counts),
        *_candidates(shop),
        *_pictures(counts),
        *_untrained(shop),
    ]


def of_operators() -> list[Item]:
    """What waits for whoever runs the site."""
    if not is_refused():
        return []
    return [
        Item(
            "warn",
            "delete_sweep",
            _("Files that nothing refers to are no longer deleted"),
            _(
                "They are most of what is stored: a large shop was deleted, or this is another site's database. Look with "
                "“manage.py sweep_files --dry-run”, then delete with “manage.py sweep_files --however-many”."
            ),
        )
    ]


def _failures(shop: Merchant, *, may_edit: bool) -> list[Item]:
    failed = failed_jobs(shop)
    rows = list(failed.order_by("-finished_at")[: NAMED_FAILURES + 1])
    items = [
        Item(
            "bad",
            "error",
            _("%(kind)s failed") % {"kind": kind_name(job.kind)},
            f"{job.error_message} {job.error_hint}".strip() or _("No reason was given; the job's log may say more."),
            reverse("admin:jobs_job_change", args=[job.pk]),
            _("Look"),
            job if may_edit else None,
        )
        for job in rows[:NAMED_FAILURES]
    ]
    if len(rows) > NAMED_FAILURES:
        link = f"{reverse('admin:jobs_job_changelist')}?status__exact=failed"
        items.append(Item("bad", "error", _("More jobs have failed"), "", link, _("See all")))
    return items


def failed_jobs(shop: Merchant) -> QuerySet[Job]:
    """The shop's failed and given-up jobs that are young enough to matter."""
    since = timezone.now() - FAILURES_COUNT_FOR
    return Job.objects.filter(merchant_key=shop.pk, status__in=["failed", "dead"], finished_at__gte=since)


def _held(shop: Merchant) -> list[Item]:
    newest = Recommender.objects.filter(merchant=shop).order_by("-version").first()
    if newest is None or not newest.held or newest.status != Recommender.Status.CANDIDATE:
        return []
    text = _("Version %(version)d of the recommender was held back") % {"version": newest.version}
    link = f"{reverse('recommending:versions')}?shop={shop.slug}&version={newest.version}"
    return [Item("warn", "pause_circle", text, newest.held_reason, link, _("Compare"))]


def _drifted(shop: Merchant) -> list[Item]:
    """What was found when the recommender was looked over last, the gravest alone."""
    link = f"{reverse('recommending:health')}?shop={shop.slug}"
    return [
        Item("warn", "monitor_heart", str(WARNINGS[code][0]), str(WARNINGS[code][1]), link, _("Look"))
        for code in known_warnings(shop)[:1]
        if code in WARNINGS
    ]


def _review(shop: Merchant, counts: Counts) -> list[Item]:
    address = f"{reverse('styling:review')}?shop={shop.slug}"
    items = []
    if counts.waiting:
        text = ngettext("%(n)d rendering waits for review", "%(n)d renderings wait for review", counts.waiting) % {
            "n": counts.waiting
        }
        items.append(Item("info", "rate_review", text, "", address, _("Review")))
    if counts.approved:
        text = ngettext(
            "%(n)d rendering is approved, but not on the storefront",
            "%(n)d renderings are approved, but not on the storefront",
            counts.approved,
        ) % {"n": counts.approved}
        items.append(Item("info", "publish", text, "", f"{address}&status=approved", _("Publish")))
    return items


def _candidates(shop: Merchant) -> list[Item]:
    """Trained versions that nobody has decided about, newer than anything in use."""
    rows: list[Any] = list(
        StyleModel.objects.filter(merchant=shop, status=StyleModel.Status.CANDIDATE).select_related("style")[:5]
    )
    return [
        Item(
            "info",
            "new_releases",
            _("%(model)s is trained and waits for your decision") % {"model": model},
            "",
            reverse("styling:versions", args=[model.style_id]),
            _("Compare"),
        )
        for model in rows
    ]


def _pictures(counts: Counts) -> list[Item]:
    if not counts.without_picture:
        return []
    text = ngettext("%(n)d product has no picture", "%(n)d products have no picture", counts.without_picture) % {
        "n": counts.without_picture
    }
    link = reverse("admin:catalog_product_changelist")
    return [Item("warn", "no_photography", text, "", link, _("Products"))]


def _untrained(shop: Merchant) -> list[Item]:
    """Styles that have pictures enough and were never trained: one training away from being of use."""
    ready = (
        Style.objects.filter(merchant=shop, models=None, training_runs=None)
        .annotate(pictures=Count("references"))
        .filter(pictures__gte=GOOD_PICTURES)
    )
    return [
        Item(
            "info",
            "palette",
            _("“%(style)s” has its pictures and can be trained") % {"style": style},
            "",
            reverse("styling:train", args=[style.pk]),
            _("Train"),
        )
        for style in ready.order_by("position")[:3]
    ]
