"""Moving products between draft, published and archived, with a way back."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from catalog.models import Product
from catalog.services.statuses import restore, set_status
from catalog.views.doors import found, staff_page
from jobs.errors import UserError

_KEY = "catalog-undo"
#: So many changes can be taken back, the newest ones. The session keeps where the audit trail says what they were.
REMEMBERED = 5


def move(request: HttpRequest, products: QuerySet[Product], status: str) -> None:
    """Give the products a status, and offer to take it back in a message."""
    change = set_status(products=products, status=status, by=request.user)
    count = change.count
    label = Product.Status(status).label
    if not count:
        messages.info(request, _("Nothing to do: every chosen product is “%(status)s” already.") % {"status": label})
        return
    token = secrets.token_urlsafe(9)
    kept: dict[str, Any] = request.session.get(_KEY, {})
    request.session[_KEY] = dict([*kept.items(), (token, change.entries)][-REMEMBERED:])
    text = ngettext("%(count)d product is now “%(status)s”.", "%(count)d products are now “%(status)s”.", count)
    messages.success(
        request,
        format_html(
            '{} <form method="post" action="{}" class="ct-undo">'
            '<input type="hidden" name="csrfmiddlewaretoken" value="{}"><button>{}</button></form>',
            text % {"count": count, "status": label},
            reverse("catalog:undo", args=[token]),
            get_token(request),
            _("Undo"),
        ),
    )


@staff_page
@require_POST
def undo(request: HttpRequest, change: str) -> HttpResponse:
    """Take a change of this session back."""
    kept: dict[str, Any] = request.session.get(_KEY, {})
    entries = kept.pop(change, None)
    request.session[_KEY] = kept
    try:
        if not isinstance(entries, list):  # gone, or kept by an earlier version
            raise UserError("undo-gone", _("This can no longer be undone."), _("Change the products by hand."))
        count = restore(entries=entries, by=request.user)
        text = ngettext("%(count)d product is as it was.", "%(count)d products are as they were.", count)
        messages.success(request, text % {"count": count})
    except UserError as error:
        messages.error(request, str(error))
    return redirect("admin:catalog_product_changelist")


@staff_page
@require_POST
def set_one(request: HttpRequest, product_id: int, status: str) -> HttpResponse:
    """The button on a product's own page."""
    product = found(Product.objects.all(), request, pk=product_id)
    address = reverse("admin:catalog_product_change", args=[product.pk])
    try:
        move(request, Product.objects.filter(pk=product.pk), Product.Status(status))
    except UserError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(address)
