"""What shoppers did by category, style and week, on a screen and as a CSV to pass on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from catalog.models import Merchant
from catalog.tables import write_csv
from catalog.views.doors import found, page, staff_page
from jobs.errors import Text
from recommend.admin_views.doors import shops_of
from recommend.services.statistics import MEASURES, Line, by_category_style_and_week, weeks_from

SPANS = (4, 8, 26)


@staff_page
@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """The last whole weeks, each to be unfolded: its total, and within it each category's rows."""
    shops, shop = shops_of(request)
    if shop is None:
        return page(request, "recommend/no_shop.html", {}, title=_("Statistics"))
    weeks = weeks_from(request.GET.get("weeks", ""), default=SPANS[0])
    lines = list(by_category_style_and_week(merchant=shop, weeks=weeks))
    context = {
        "shops": shops,
        "shop": shop,
        "weeks": weeks,
        "spans": SPANS,
        "measures": list(_names().values()),
        "by_week": [_week(week, list(of_week)) for week, of_week in groupby(lines, key=lambda line: line.week)],
        "smallest_group": settings.STATISTICS_MINIMUM_GROUP,
        "withheld": any(None in line.numbers.values() for line in lines),
    }
    return page(request, "recommend/statistics.html", context, title=_("Statistics"))


@staff_page
@require_GET
def download(request: HttpRequest, merchant_id: int) -> HttpResponse:
    """The same as a CSV, its header in the user's language."""
    shop = found(Merchant.objects.all(), request, pk=merchant_id)
    weeks = weeks_from(request.GET.get("weeks", ""), default=SPANS[0])
    names = _names()
    header = [_("Week of"), _("Category"), _("Style"), *map(str, names.values())]
    withheld = _("withheld")
    rows = (
        [
            line.week.isoformat(),
            line.category_name,
            line.style_name,
            *(withheld if line.numbers[measure] is None else line.numbers[measure] for measure in names),
        ]
        for line in by_category_style_and_week(merchant=shop, weeks=weeks)
    )
    response = HttpResponse(write_csv(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{shop.slug}-statistics.csv"'
    return response


def _week(week: date, lines: Sequence[Line]) -> dict[str, Any]:
    """A week's total for its fold, and its rows; the first of a category says how many there are (``size``, else 0)."""
    rows: list[dict[str, Any]] = []
    for _category, some in groupby(lines, key=lambda line: line.category):
        of_category = list(some)
        for place, line in enumerate(of_category):
            numbers = [line.numbers[measure] for measure in MEASURES]
            rows.append({"line": line, "numbers": numbers, "size": 0 if place else len(of_category)})
    return {"week": week, "rows": rows, "total": list(zip(rows[0]["numbers"], _names().values(), strict=True))}


def _names() -> dict[str, Text]:
    names: dict[str, Text] = {
        "shoppers": _("Shoppers"),
        "impressions": _("Impressions"),
        "looks": _("Looks"),
        "added_to_bag": _("Added to bag"),
        "purchases": _("Purchases"),
    }
    return {measure: names[measure] for measure in MEASURES}
