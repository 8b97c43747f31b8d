"""Freshness and drift: is the recommender still the one that was fitted, in pictures, and the one thing to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from catalog.access import has_role
from catalog.models import Membership
from catalog.views.doors import page, staff_page
from recommend.admin_charts import bar, rate_course, signed_bar
from recommend.admin_views.doors import shops_of
from recommend.engine.drift import MATTERS, Shift
from recommend.engine.intervals import wilson
from recommend.labels import WARNINGS
from recommend.models import RecommenderFit
from recommend.services.health import MOST_FALLBACK, Health, Rate, health_of

#: Lines of a shift that are shown, the largest change first.
LINES = 8
#: A hit rate of fewer people says nothing.
FEWEST_PEOPLE = 10
UNFINISHED = ("queued", "running")


@staff_page
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """The screen of one shop."""
    shops, shop = shops_of(request)
    if shop is None:
        return page(request, "recommend/no_shop.html", {}, title=_("Freshness and drift"))
    found = health_of(shop)
    context = {
        "shops": shops,
        "shop": shop,
        "health": found,
        "warnings": [WARNINGS[code] for code in found.warnings],
        "can_fit": has_role(request.user, shop, Membership.Role.EDITOR),
        "is_fitting": RecommenderFit.objects.filter(merchant=shop, status__in=UNFINISHED).exists(),
        "promised": _promised(found),
        "hits": _hits(found),
        "fallback": _percent(found.answers.fallback_share),
        "fallback_bar": bar(
            found.answers.fallback_share, most=1.0, tone="bad" if "fallback" in found.warnings else "accent"
        ),
        "most_fallback": _percent(MOST_FALLBACK),
        "coverage": _percent(found.answers.coverage),
        "coverage_bar": bar(found.answers.coverage, most=1.0, tone="good"),
        "chart": rate_course(
            [(rate.value, *rate.bounds) if rate.impressions else None for _day, rate in found.days],
            expected=found.before.bounds if found.before.impressions else None,
        ),
        "first": found.days[0][0],
        "last": found.days[-1][0],
        "before": _rate(found.before),
        "recent": _rate(found.recent),
        "shifts": [
            _shift(
                _("What they look at, by category"), found.categories, found.names["category"], _("Without a category")
            ),
            _shift(_("What they respond to, by style"), found.styles, found.names["style"], _("Original photo")),
        ],
        "matters": f"{MATTERS:.2f}",
    }
    return page(request, "recommend/health.html", context, title=_("Freshness and drift"))


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _rate(rate: Rate) -> dict[str, Any] | None:
    if not rate.impressions:
        return None
    low, high = rate.bounds
    return {
        "value": f"{100 * rate.value:.1f}%",
        "span": f"{100 * low:.1f}–{100 * high:.1f}%",
        "impressions": rate.impressions,
    }


def _hits(found: Health) -> dict[str, Any] | None:
    """The hit rate since the fit, with its interval; None while too few people have chosen something."""
    hits, people = found.hits
    if people < FEWEST_PEOPLE:
        return None
    low, high = wilson(hits, people)
    return {"value": _percent(hits / people), "span": f"{100 * low:.0f}–{100 * high:.0f}%", "people": people}


def _promised(found: Health) -> dict[str, str] | None:
    """What the version scored on events that it had not seen."""
    scores = (found.version.metrics.get("scores") if found.version else None) or {}
    if "hit_rate@10" not in scores:
        return None
    return {"hit_rate": _percent(scores["hit_rate@10"]), "coverage": _percent(scores.get("coverage", 0))}


def _shift(title: str, shift: Shift, names: Mapping[str, str], nothing: str) -> dict[str, Any]:
    """A shift with its largest changes; what is gone from the shop has no name and no line."""
    changes = [
        (names[key] if key else nothing, before, now)
        for key, (before, now) in shift.shares.items()
        if not key or key in names
    ]
    changes.sort(key=lambda change: -abs(change[2] - change[1]))
    most = max([abs(now - before) for _name, before, now in changes] + [0.05])
    return {
        "title": title,
        "index": f"{shift.index:.2f}",
        "noise": f"{shift.noise:.2f}",
        "is_known": shift.is_known,
        "has_moved": shift.has_moved,
        "bar": bar(shift.index, most=max(2 * MATTERS, shift.index), tone="bad" if shift.has_moved else "good"),
        "lines": [
            (name, _percent(before), _percent(now), signed_bar(now - before, most=most))
            for name, before, now in changes[:LINES]
        ],
    }
