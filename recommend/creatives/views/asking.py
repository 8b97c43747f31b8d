"""Asking for a set, and for a changed one: the products and the brief."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from catalog.access import has_role
from catalog.current_shop import current_shop
from catalog.models import Membership, Merchant, Product
from catalog.search import matches
from catalog.views.doors import page, staff_page, thumbnail
from jobs.errors import UserError
from recommend.creatives.brief import Brief
from recommend.creatives.drawing.formats import FORMATS
from recommend.creatives.forms import BriefForm
from recommend.creatives.models import CreativeSet
from recommend.creatives.services import sets
from recommend.creatives.texts import LAYOUT_HINTS, format_label
from recommend.creatives.views.sets import found_set

#: Products that the picker shows at once; the search finds the others.
SHOWN_PRODUCTS = 60
#: Products that one request may name: more than a set takes, so that too many are refused and not silently dropped.
MOST_NAMED = 1000


@staff_page
def new(request: HttpRequest) -> HttpResponse:
    """Choose products and a brief; POST asks for the set. ``?products=`` brings products along, ``?shop=`` a shop."""
    chosen = Product.objects.visible_to(request.user).filter(pk__in=_ids(request, "products"))
    merchant = _shop(request, chosen)
    if merchant is None:
        return page(request, "creatives/no_shop.html", {}, title=_("New ad creatives"))
    form = BriefForm(request.POST or None, request.FILES or None, merchant=merchant, initial=_last_brief(merchant))
    if request.method == "POST" and form.is_valid():
        products = Product.objects.filter(merchant=merchant, pk__in=_posted(request))
        try:
            made = sets.create_set(
                merchant=merchant,
                by=request.user,
                products=products,
                brief=form.brief(),
                style=form.cleaned_data["style"],
                name=form.cleaned_data["name"],
                logo=form.cleaned_data["logo"] or _last_logo(merchant),
            )
            return redirect("creatives:set", set_id=made.pk)
        except UserError as error:
            form.add_error(None, str(error))
    context = {
        **_brief_context(form),
        "merchant": merchant,
        "query": request.GET.get("q", ""),
        "products": _picker(request, merchant, chosen),
        "most": sets.MOST_PRODUCTS,
        "has_logo": bool(_last_logo(merchant)),
        "can_create": has_role(request.user, merchant, Membership.Role.EDITOR),
    }
    return page(request, "creatives/new.html", context, title=_("New ad creatives"))


@staff_page
def change(request: HttpRequest, set_id: int) -> HttpResponse:
    """Another headline, layout, look or colours for the same products; POST draws everything again."""
    creative_set = found_set(request, set_id)
    initial = BriefForm.initial_of(
        Brief.from_dict(creative_set.brief), style_id=creative_set.style_id, name=creative_set.name
    )
    form = BriefForm(request.POST or None, request.FILES or None, merchant=creative_set.merchant, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            sets.change_set(
                creative_set=creative_set,
                by=request.user,
                brief=form.brief(),
                style=form.cleaned_data["style"],
                name=form.cleaned_data["name"],
                logo=form.cleaned_data["logo"],
            )
            return redirect("creatives:set", set_id=creative_set.pk)
        except UserError as error:
            form.add_error(None, str(error))
    context = {
        **_brief_context(form),
        "creative_set": creative_set,
        "has_logo": bool(creative_set.logo),
        "can_create": has_role(request.user, creative_set.merchant, Membership.Role.EDITOR),
    }
    return page(request, "creatives/change.html", context, title=creative_set.name)


def _brief_context(form: BriefForm) -> dict[str, Any]:
    return {
        "form": form,
        "layouts": [
            {"code": code, "name": name, "hint": LAYOUT_HINTS[code], "chosen": form["layout"].value() == code}
            for code, name in form.fields["layout"].choices  # type: ignore[attr-defined]
        ],
        "formats": [
            {
                "code": code,
                "label": format_label(code),
                "form": FORMATS[code],
                "chosen": code in (form["formats"].value() or []),
            }
            for code in FORMATS
        ],
    }


def _shop(request: HttpRequest, chosen: Any) -> Merchant | None:
    """The shop that is named, that the products belong to, or the first in which the user may make something."""
    shops = Merchant.objects.visible_to(request.user)
    if first := chosen.first():
        return shops.filter(pk=first.merchant_id).first()
    if current := current_shop(request):
        return current
    return next((shop for shop in shops if has_role(request.user, shop, Membership.Role.EDITOR)), shops.first())


def _picker(request: HttpRequest, merchant: Merchant, chosen: Any) -> list[dict[str, Any]]:
    """What can be chosen: what was brought along first, then what the search finds, newest first."""
    wanted = {*_posted(request), *chosen.filter(merchant=merchant).values_list("pk", flat=True)}
    own = Product.objects.filter(merchant=merchant).exclude(status=Product.Status.ARCHIVED).prefetch_related("images")
    query = request.GET.get("q", "")
    found_products = own.filter(matches(query, shop=merchant.pk)) if query else own
    rows = [*own.filter(pk__in=wanted), *found_products.exclude(pk__in=wanted)[:SHOWN_PRODUCTS]]
    return [
        {
            "product": product,
            "picture": thumbnail(product.images.all()[0]) if product.images.all() else "",
            "chosen": product.pk in wanted,
        }
        for product in rows
    ]


def _ids(request: HttpRequest, name: str) -> list[int]:
    texts = request.GET.get(name, "").split(",")
    return [int(text) for text in texts if text.isdecimal() and len(text) < 19][:MOST_NAMED]


def _posted(request: HttpRequest) -> list[int]:
    return [int(text) for text in request.POST.getlist("product") if text.isdecimal() and len(text) < 19][:MOST_NAMED]


def _last_brief(merchant: Merchant) -> dict[str, Any]:
    """The colours, layout and formats of the shop's last set: a brand does not change every week."""
    last = CreativeSet.objects.filter(merchant=merchant).first()
    brief = Brief.from_dict({**last.brief, "headline": ""}) if last else Brief()
    return BriefForm.initial_of(brief, style_id=last.style_id if last else None)


def _last_logo(merchant: Merchant) -> str:
    last = CreativeSet.objects.filter(merchant=merchant).exclude(logo="").first()
    return str(last.logo.name) if last else ""
