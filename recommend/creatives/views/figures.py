"""A set's return: the table of click-through by creative, and the day's impressions as the places report them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.access import has_role
from catalog.models import Membership
from catalog.views.doors import found, page, staff_page
from jobs.errors import UserError
from recommend.creatives.forms import ImpressionsForm
from recommend.creatives.models import CreativeSet
from recommend.creatives.services.figures import ReportedDay, figures_of, report_impressions
from recommend.creatives.texts import format_label


@staff_page
def show(request: HttpRequest, set_id: int) -> HttpResponse:
    """The table; POST stores impressions of one day."""
    creative_set: CreativeSet = found(CreativeSet.objects.select_related("merchant"), request, pk=set_id)
    creatives = list(creative_set.creatives.select_related("link"))
    form = ImpressionsForm(request.POST or None, codes=[creative.link.code for creative in creatives])
    if request.method == "POST" and form.is_valid():
        days = [ReportedDay(code, form.cleaned_data["day"], count) for code, count in form.figures().items()]
        try:
            stored = report_impressions(merchant=creative_set.merchant, by=request.user, days=days)
            text = ngettext("Stored for %(count)d creative.", "Stored for %(count)d creatives.", stored)
            messages.success(request, text % {"count": stored})
            return redirect("creatives:figures", set_id=creative_set.pk)
        except UserError as error:
            form.add_error(None, str(error))
    rows = sorted(figures_of(creatives), key=lambda row: (-(row.ctr or 0), -row.clicks, row.creative.pk))
    context = {
        "creative_set": creative_set,
        "form": form,
        "rows": [
            {
                "figures": row,
                "format": format_label(row.creative.format),
                "link": request.build_absolute_uri(row.creative.link.get_absolute_url()),
                "ctr": _percent(row.ctr),
                "interval": "–".join(_percent(end) for end in row.interval) if row.interval else "",
            }
            for row in rows
        ],
        "total": {
            "impressions": sum(row.impressions for row in rows),
            "clicks": sum(row.clicks for row in rows),
            "orders": None if None in (told := [row.orders for row in rows]) else sum(filter(None, told)),
        },
        "today": timezone.now().date().isoformat(),
        "can_change": has_role(request.user, creative_set.merchant, Membership.Role.EDITOR),
    }
    title = _("%(set)s: clicks") % {"set": creative_set.name}
    return page(request, "creatives/figures.html", context, title=title)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f} %"
