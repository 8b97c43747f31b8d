"""Who may do what in the admin: memberships decide, not Django's model permissions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin

from catalog.access import RANK, has_role
from catalog.current_shop import current_shop, follow, own_shops
from catalog.models import Membership, Merchant
from jobs.admin_times import with_moments


class TenantAdmin(ModelAdmin):
    """Rows of the user's shops; whoever holds ``least_role`` changes them, everybody else looks.

    Lists show those of the current shop; a row opens by its address whichever of the user's shops it belongs to.
    """

    least_role: str = Membership.Role.EDITOR
    #: What an empty list says its rows would be good for.
    what_for: Any = ""
    #: Where an empty list leads besides its own form: (name of the page, what the button says).
    first_step: tuple[str, Any] | None = None
    #: Whether the list is narrowed to the current shop; the list of shops itself is not.
    lists_one_shop = True

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        request.__dict__["_lists_one_shop"] = self.lists_one_shop
        return super().get_changelist_instance(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        rows = rows.visible_to(request.user)
        shop = listed_shop(request)
        return rows.of_shop(shop) if shop else rows

    def get_list_display(self, request: HttpRequest) -> Any:
        """A column of shops only where there are several; moments in words."""
        columns = super().get_list_display(request)
        return with_moments(self.model, [name for name in columns if name != "merchant" or not current_shop(request)])

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The form keeps its shop in its address: another tab may look at another one before it is sent."""
        shop, is_named = current_shop(request), bool({"shop", "merchant"} & request.GET.keys())
        is_opened = request.method == "GET" and self.has_add_permission(request)
        if is_opened and shop and not is_named and len(own_shops(request)) > 1:
            pinned = request.GET.copy()
            pinned["shop"] = shop.slug
            return redirect(f"{request.path}?{pinned.urlencode()}")
        return super().add_view(request, form_url, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        shop = self.shop_of(row) if row is not None else None
        if shop is not None:  # the site's own rows belong to none
            follow(request, shop.pk)
        return row

    def shop_of(self, row: Any) -> Merchant:
        """The shop that a row belongs to."""
        return row.merchant

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)  # the queryset shows nothing of other shops

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(shops_to_add_to(request, self.least_role))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return bool(shops_to_add_to(request, self.least_role))
        return has_role(request.user, self.shop_of(obj), self.least_role)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class OwnAdmin(TenantAdmin):
    """Rows that the verbs write, not people."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LookOnlyAdmin(OwnAdmin):
    """Rows that have a page of their own instead of a form."""

    def page_of(self, row: Any) -> str:
        """The address of a row's page."""
        raise NotImplementedError

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return super().change_view(request, object_id, *args, **kwargs)  # says that it does not exist
        return redirect(self.page_of(row))


class OwnFilter(admin.RelatedFieldListFilter):
    """A filter by a related row that offers those of the user's own shops alone."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        related: type[Model] = field.related_model
        rows: Any = related._default_manager.visible_to(request.user)  # type: ignore[attr-defined]
        shop = listed_shop(request)
        rows = rows.of_shop(shop) if shop else rows
        return [(row.pk, str(row)) for row in rows]


def shops_with_role(request: HttpRequest, least: str) -> list[Merchant]:
    """Shops at which the user holds at least the role ``least``, by name."""
    shops = own_shops(request)
    if request.user.is_superuser:
        return shops
    return [shop for shop in shops if RANK[Membership.Role(shop.my_role)] >= RANK[Membership.Role(least)]]


def shops_to_add_to(request: HttpRequest, least: str) -> list[Merchant]:
    """Where a new row may go: the current shop, if the user's role there is enough; any such shop where all are seen."""
    shops, current = shops_with_role(request, least), current_shop(request)
    return [shop for shop in shops if shop.pk == current.pk] if current else shops


def editable_shops(request: HttpRequest) -> list[Merchant]:
    """Shops that the user may add to as an editor or more."""
    return shops_to_add_to(request, Membership.Role.EDITOR)


def listed_shop(request: HttpRequest) -> Merchant | None:
    """The one shop whose rows this request's list shows; None for a page of another kind, or a list of all shops."""
    return current_shop(request) if request.__dict__.get("_lists_one_shop") else None
