"""A shop's product-truth limits: what renderings may do to a product before they are flagged."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from catalog.access import has_role
from catalog.models import Membership, Merchant
from catalog.views.doors import found, page, staff_page
from styling.cyclegan.truth import TruthLimits
from styling.forms import LimitsForm
from styling.models import StyledImage
from styling.services.limits import limits_of, set_limits

#: So many of the newest renderings tell what the limits mean in practice.
RECENT = 200


@staff_page
def limits(request: HttpRequest, merchant_id: int) -> HttpResponse:
    """Look at the limits; owners change them."""
    merchant = found(Merchant.objects.all(), request, pk=merchant_id)
    form = LimitsForm(request.POST or None, initial=asdict(limits_of(merchant)))
    if request.method == "POST" and form.is_valid():
        set_limits(merchant=merchant, limits=TruthLimits(**form.cleaned_data), by=request.user)
        messages.success(request, _("The limits hold for renderings from now on."))
        return redirect("styling:limits", merchant_id=merchant.pk)
    recent = list(StyledImage.objects.filter(merchant=merchant).order_by("-pk").values("is_flagged")[:RECENT])
    context = {
        "merchant": merchant,
        "form": form,
        "recent": len(recent),
        "flagged": sum(row["is_flagged"] for row in recent),
        "can_change": has_role(request.user, merchant, Membership.Role.OWNER),
    }
    return page(request, "styling/limits.html", context, title=_("Product-truth limits"))
