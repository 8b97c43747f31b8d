"""The front page's context. It costs the same number of queries whatever there is in the shop."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from catalog.access import RANK
from catalog.current_shop import current_shop
from catalog.models import Membership, Merchant
from stylerec_site.dashboard import attention, coverage, demo_data, first_run, health
from stylerec_site.navigation import standing_of


def callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the context of ``templates/admin/index.html``."""
    shops, shop, may_edit = chosen_shop(request)
    for_operators = attention.of_operators() if request.user.is_superuser else []
    context |= {"title": "", "shops": shops, "shop": shop, "may_edit": may_edit, "attention": for_operators}
    if shop is None:
        return context
    counts = first_run.count(shop)
    steps = first_run.steps_of(shop, counts)
    demo_job = demo_data.newest(shop) if not counts.visitors else None
    return context | {
        "steps": steps,
        "steps_done": sum(step.done for step in steps),
        "first_run": any(not step.done for step in steps),
        "next_step": next((step for step in steps if not step.done), None),
        "demo_job": demo_job,
        "demo_state": demo_data.state_of(demo_job) if demo_job else None,
        "offer_demo": may_edit and not counts.products,
        "figures": counts,
        "attention": [*for_operators, *attention.of_shop(shop, counts, may_edit=may_edit)],
        "coverage": coverage.of_shop(shop),
        "health": health.of_shop(shop),
    }


def chosen_shop(request: HttpRequest) -> tuple[list[Merchant], Merchant | None, bool]:
    """The user's shops, the one at hand (the first for whoever sees all at once), and may they edit it."""
    shops, current = standing_of(request).shops, current_shop(request)
    shop = next((one for one in shops if current and one.pk == current.pk), shops[0] if shops else None)
    if shop is None:
        return shops, None, False
    role = Membership.Role.OWNER if request.user.is_superuser else getattr(shop, "my_role", None)
    return shops, shop, role is not None and RANK[Membership.Role(role)] >= RANK[Membership.Role.EDITOR]
