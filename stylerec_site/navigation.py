"""The admin's side bar: what a user may do at their shops, and nothing that leads nowhere.

Each link names a route and the least role for it. A route that no installed room has is left out, so rooms come and go
without a change here. The shops, roles and counts behind it cost one query per page.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db.models import Case, Count, IntegerField, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.access import RANK
from catalog.current_shop import current_shop
from catalog.models import Membership, Merchant
from jobs.errors import Text
from jobs.models import Job
from styling.models import StyledImage

VIEWER, REVIEWER, EDITOR, OWNER = (
    Membership.Role.VIEWER,
    Membership.Role.REVIEWER,
    Membership.Role.EDITOR,
    Membership.Role.OWNER,
)
#: A failure that nobody tried again for so long is history, not a task.
FAILURES_COUNT_FOR = timedelta(days=14)
#: Shops that a superuser's side bar counts over.
MOST_SHOPS = 50


@dataclass(frozen=True)
class Link:
    """One line of the side bar."""

    title: Text
    icon: str
    #: The first of these routes that exists, parted by “|”.
    route: str
    least: str = VIEWER
    #: Which of the counts stands beside it.
    badge: str = ""
    superuser: bool = False


@dataclass(frozen=True)
class Standing:
    """Where the user stands: their open shops; their role and what waits, at the current one or at all of them."""

    shops: list[Merchant] = field(default_factory=list)
    rank: int = -1
    counts: dict[str, int] = field(default_factory=dict)
    current: Merchant | None = None


GROUPS: list[tuple[Text, list[Link]]] = [
    ("", [Link(_("Today"), "today", "admin:index")]),
    (
        _("Shelves"),
        [
            Link(_("Products"), "inventory_2", "admin:catalog_product_changelist"),
            Link(_("Categories"), "category", "admin:catalog_category_changelist"),
            Link(_("Import"), "upload_file", "catalog:import|admin:catalog_importrun_changelist"),
        ],
    ),
    (
        _("Style"),
        [
            Link(_("Styles"), "palette", "admin:styling_style_changelist"),
            Link(_("Training"), "model_training", "admin:styling_trainingrun_changelist"),
            Link(_("Stylise"), "auto_fix_high", "styling:stylise", EDITOR),
            Link(_("Review"), "rate_review", "styling:review", VIEWER, "waiting"),
        ],
    ),
    (
        _("Shoppers"),
        [
            Link(_("Recommender"), "recommend", "recommending:versions"),
            Link(_("Freshness and drift"), "monitor_heart", "recommending:health"),
            Link(_("Why panel"), "psychology", "recommending:why"),
            Link(_("Rules"), "push_pin", "admin:recommend_merchandisingrule_changelist"),
            Link(_("Experiments"), "science", "admin:experiments_experiment_changelist"),
            Link(_("Statistics"), "table_chart", "recommending:statistics"),
            Link(_("What shoppers do"), "monitoring", "admin:recommend_interaction_changelist", EDITOR),
            Link(_("Shoppers"), "groups", "admin:recommend_shopper_changelist", EDITOR),
        ],
    ),
    (_("Marketing"), [Link(_("Ad creatives"), "campaign", "admin:creatives_creativeset_changelist", EDITOR)]),
    (
        _("Workshop"),
        [
            Link(_("Jobs"), "pending_actions", "admin:jobs_job_changelist", VIEWER, "failed"),
            Link(_("Audit trail"), "history", "admin:catalog_auditentry_changelist"),
            Link(_("Shop settings"), "settings", "admin:catalog_merchant_changelist", OWNER),
            Link(_("People"), "badge", "admin:catalog_membership_changelist", OWNER),
            Link(_("API tokens"), "key", "admin:catalog_apitoken_changelist", EDITOR),
            Link(_("Webhooks"), "webhook", "admin:developers_webhookendpoint_changelist", OWNER),
            Link(_("Storefront keys"), "vpn_key", "admin:developers_publishablekey_changelist", OWNER),
            Link(_("Users"), "manage_accounts", "admin:auth_user_changelist", superuser=True),
        ],
    ),
]


def menu_names() -> dict[str, str]:
    """What the side bar calls the lists of models: their own plural name, in small letters, to the side bar's."""
    names = {}
    for _title, links in GROUPS:
        for link in links:
            page = link.route.rpartition("admin:")[2]
            if page.endswith("_changelist"):
                app, model = page.removesuffix("_changelist").split("_", 1)
                names[str(apps.get_model(app, model)._meta.verbose_name_plural).lower()] = str(link.title)
    return names


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links that the user may follow."""
    user = request.user
    if not (user.is_authenticated and user.is_staff):
        return []
    standing = standing_of(request)
    groups = [
        {"title": title, "separator": bool(title), "items": items}
        for title, links in GROUPS
        if (items := [item for link in links if (item := _item(link, standing, user.is_superuser))])
    ]
    shop = _shop_link(standing)
    return [*groups, {"title": "", "separator": True, "items": [shop]}] if shop else groups


def standing_of(request: HttpRequest) -> Standing:
    """The user's shops, role and counts; asked for once per request."""
    kept: Standing | None = getattr(request, "_standing", None)
    if kept is None:
        kept = _read_standing(request.user, current_shop(request))
        request._standing = kept  # type: ignore[attr-defined]
    return kept


def _read_standing(user: Any, current: Merchant | None) -> Standing:
    recent = timezone.now() - FAILURES_COUNT_FOR
    failed = Job.objects.filter(merchant_key=OuterRef("pk"), status__in=["failed", "dead"], finished_at__gte=recent)
    waiting = StyledImage.objects.awaiting_review().filter(merchant=OuterRef("pk"))
    shops = Merchant.objects.visible_to(user).annotate(
        waiting=_count_of(waiting, "merchant"), failed=_count_of(failed, "merchant_key")
    )
    rank = RANK[OWNER] if user.is_superuser else -1
    if not user.is_superuser:
        mine = Membership.objects.filter(user_id=user.pk, merchant=OuterRef("pk"))
        shops = shops.annotate(my_role=Subquery(mine.values("role")[:1]))
    here = current.pk if current else 0
    first_the_current = Case(When(pk=here, then=0), default=1)
    rows = sorted(shops.order_by(first_the_current, "name")[:MOST_SHOPS], key=lambda row: row.name)
    looked_at = [row for row in rows if row.pk == here or not current]
    if not user.is_superuser:
        rank = max((RANK[Membership.Role(row.my_role)] for row in looked_at), default=-1)
    counts = {name: sum(getattr(row, name) for row in looked_at) for name in ("waiting", "failed")}
    return Standing(rows, rank, counts, current)


def _count_of(rows: QuerySet[Any], owner: str) -> Coalesce:
    """How many ``rows`` there are for the shop of the outer query."""
    counted = rows.order_by().values(owner).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _item(link: Link, standing: Standing, is_superuser: bool) -> dict[str, Any] | None:
    """The line as Unfold wants it; None where the user may not, or where the route does not exist."""
    if link.superuser and not is_superuser:
        return None
    if not is_superuser and link.route != "admin:index" and standing.rank < RANK[Membership.Role(link.least)]:
        return None
    address = address_of(link.route)
    if not address:
        return None
    item = {"title": link.title, "icon": link.icon, "link": address}
    count = standing.counts.get(link.badge, 0)
    if count:
        variant = "danger" if link.badge == "failed" else "info"
        item |= {"badge": str(count) if count < 1000 else "999+", "badge_variant": variant}
    return item


def address_of(routes: str) -> str:
    """The address of the first route that an installed room has; empty where none has it."""
    for route in routes.split("|"):
        with contextlib.suppress(NoReverseMatch):
            return reverse(route)
    return ""


def _shop_link(standing: Standing) -> dict[str, Any] | None:
    if not standing.shops:
        return None
    only = standing.current or (standing.shops[0] if len(standing.shops) == 1 else None)
    if only:
        address = reverse("storefront:home", kwargs={"shop": only.slug})
    else:
        address = reverse("storefront:shops")
    # Every address begins with the list of shops: it must not light up on pages that stand in no group.
    return {"title": _("See your shop"), "icon": "storefront", "link": address, "active": False}
