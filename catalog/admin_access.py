"""Who may do what in the admin: memberships decide, not Django's model permissions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin

from catalog.access import RANK, has_role
from catalog.models import Membership, Merchant


class TenantAdmin(ModelAdmin):
    """Rows of the user's shops; whoever holds ``least_role`` changes them, everybody else looks."""

    least_role: str = Membership.Role.EDITOR

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.visible_to(request.user)

    def shop_of(self, row: Any) -> Merchant:
        """The shop that a row belongs to."""
        return row.merchant

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)  # the queryset shows nothing of other shops

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(shops_with_role(request, self.least_role))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return bool(shops_with_role(request, self.least_role))
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
        return [(row.pk, str(row)) for row in rows]


def shops_with_role(request: HttpRequest, least: str) -> list[Merchant]:
    """Shops at which the user holds at least the role ``least``, by name; asked for once per request."""
    cache: dict[str, list[Merchant]] = request.__dict__.setdefault("_shops_with_role", {})
    if least not in cache:
        shops = Merchant.objects.visible_to(request.user)
        if not request.user.is_superuser:
            roles = [role for role, rank in RANK.items() if rank >= RANK[Membership.Role(least)]]
            shops = shops.filter(memberships__user=request.user, memberships__role__in=roles)
        cache[least] = list(shops.order_by("name"))
    return cache[least]


def editable_shops(request: HttpRequest) -> list[Merchant]:
    """Shops at which the user is an editor or more."""
    return shops_with_role(request, Membership.Role.EDITOR)
