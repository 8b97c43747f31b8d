"""What the front page does: open a shop, ask for demo data, try a job again, and show how the shop is doing."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from catalog.models import Merchant
from catalog.services.merchants import open_shop
from catalog.views.doors import found, staff_json, staff_page
from jobs import services as jobs
from jobs.errors import NotAllowed, UserError
from jobs.models import Job
from jobs.tenancy import tenancy
from stylerec_site.dashboard import demo_data, performance
from stylerec_site.navigation import standing_of


@staff_page
@require_POST
def open_first_shop(request: HttpRequest) -> HttpResponse:
    """A shop of one's own, for whoever has none yet (and for superusers)."""
    try:
        if standing_of(request).shops and not request.user.is_superuser:
            raise NotAllowed("has-a-shop", _("You work for a shop already."), _("Ask a superuser for another one."))
        shop = open_shop(
            name=request.POST.get("name", "").strip(),
            name_zh=request.POST.get("name_zh", "").strip(),
            currency=request.POST.get("currency", "EUR").strip().upper(),
            owner=request.user,
        )
    except ValidationError as error:
        for text in error.messages:
            messages.error(request, text)
        return redirect("admin:index")
    except UserError as error:
        messages.error(request, str(error))
        return redirect("admin:index")
    messages.success(request, _("“%(shop)s” is open. Fill its shelves next.") % {"shop": shop})
    return redirect(address_of(shop))


@staff_page
@require_POST
def start_demo(request: HttpRequest, merchant_id: int) -> HttpResponse:
    """Demo data for an empty shop."""
    shop = found(Merchant.objects.all(), request, pk=merchant_id)
    try:
        demo_data.start(merchant=shop, by=request.user)
    except UserError as error:
        messages.error(request, str(error))
    return redirect(address_of(shop))


@staff_json
@require_GET
def job_state(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """How far a job is, for the live line of the front page."""
    job: Job = found(Job.objects.all(), request, pk=job_id)
    return JsonResponse(demo_data.state_of(job))


@staff_page
@require_POST
def retry(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """One click: put a failed job back into its queue."""
    job: Job = found(Job.objects.all(), request, pk=job_id)
    try:
        tenancy().require_steering(request.user, job.merchant_key)
        jobs.retry(job=job, by=request.user)
        messages.success(request, _("It is back in the queue and goes on from where it was."))
    except UserError as error:
        messages.error(request, str(error))
    shop = Merchant.objects.visible_to(request.user).filter(pk=job.merchant_key or 0).first()
    return redirect(address_of(shop) if shop else "admin:index")


@staff_page
@require_GET
def performance_part(request: HttpRequest, merchant_id: int) -> HttpResponse:
    """Rates and activity, as a part of the front page that comes after the rest."""
    shop = found(Merchant.objects.all(), request, pk=merchant_id)
    asked = request.GET.get("days", "28")
    days = int(asked) if asked in {str(span) for span in performance.SPANS} else 28
    lines = performance.tables(shop, days)
    titles = {"style": _("By style"), "category": _("By category"), "slot": _("By place")}
    context = {
        "shop": shop,
        "days": days,
        "spans": performance.SPANS,
        "activity": performance.activity(shop, days),
        "tables": [(title, lines[name]) for name, title in titles.items() if lines[name]],
    }
    return render(request, "admin/dashboard/performance.html", context)


def address_of(shop: Merchant) -> str:
    """The front page of one shop."""
    return f"{reverse('admin:index')}?shop={shop.slug}"
