"""Which shop a new row belongs to: the one that the address names, or the one that the user is looking at."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from catalog.admin_access import TenantAdmin, shops_to_add_to, shops_with_role
from catalog.models import Merchant
from catalog.views.doors import page


class NewInShopAdmin(TenantAdmin):
    """Rows that belong to one shop for good. Whoever looks at all shops at once chooses one before the form."""

    def new_shop(self, request: HttpRequest) -> Merchant | None:
        """The shop of the row that is being added; None where the user has yet to choose."""
        asked = request.GET.get("merchant")
        named = next((shop for shop in shops_with_role(request, self.least_role) if str(shop.pk) == asked), None)
        shops = shops_to_add_to(request, self.least_role)
        return named or (shops[0] if len(shops) == 1 else None)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if self.has_add_permission(request) and self.new_shop(request) is None:
            context = {"shops": shops_to_add_to(request, self.least_role), "opts": self.opts}
            title = self.opts.verbose_name or ""
            return page(request, "catalog/choose_shop.html", context, title=str(title).capitalize())
        return super().add_view(request, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.shop = self.shop_of(obj) if obj else self.new_shop(request)  # a class of this request alone
        return form
