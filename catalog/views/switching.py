"""The switch in the admin's header: from one of the user's shops to another."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.current_shop import ALL, choose_shop
from catalog.models import Merchant
from catalog.views.doors import staff_page

_OF_A_ROW = ("change", "delete", "history")


@staff_page
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Look at another shop, on the page at hand where it has one of its own there."""
    asked = request.POST.get("shop", "")
    shop = Merchant.objects.visible_to(request.user).filter(slug=asked).first()
    if shop is not None or (asked == ALL and request.user.is_superuser):
        choose_shop(request, shop)
    else:
        messages.error(request, _("You do not work for this shop."))
    return HttpResponseRedirect(same_page_of_another_shop(request.POST.get("next", "")))


def same_page_of_another_shop(path: str) -> str:
    """Where a switch leads: a list to itself without its filters, a row to its list, everything else to the front."""
    front = reverse("admin:index")
    if not path.startswith(front) or not url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        return front
    try:
        match = resolve(path.split("?")[0])
    except Resolver404:
        return front
    name, _sep, ending = (match.url_name or "").rpartition("_")
    if match.app_name == "admin" and ending in _OF_A_ROW:
        return reverse(f"admin:{name}_changelist")
    return front if match.kwargs else path.split("?")[0]
