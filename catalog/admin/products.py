"""Products: the list with its search, filters and actions, and the form with its pictures."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.validators import MaxLengthValidator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from catalog.admin.shops import NewInShopAdmin
from catalog.admin_access import OwnFilter
from catalog.models import Category, Merchant, Product, ProductImage
from catalog.search import matches
from catalog.services.exports import export
from catalog.services.products import EDITABLE, LONGEST_DESCRIPTION, save_product
from catalog.views.doors import IN_A_ROW, table_download, thumbnail
from catalog.views.pictures import picture_cards, upload_labels
from catalog.views.statuses import move
from jobs.errors import UserError

#: Products of one set of creatives; more would not fit an address either.
MOST_ADVERTISED = 100
STATUS_COLORS = {"published": "success", "draft": "info", "archived": "warning"}


class ShopAutocomplete(AutocompleteSelect):
    """An autocomplete that looks within one shop."""

    shop: Merchant | None = None

    def get_url(self) -> str:
        address = super().get_url()
        return f"{address}?{urlencode({'shop': self.shop.pk})}" if self.shop else address


class ProductForm(forms.ModelForm):  # type: ignore[type-arg]
    shop: Merchant

    class Meta:
        model = Product
        fields = ["sku", *EDITABLE]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "price" not in self.fields:  # whoever may only look has no fields
            return
        self.fields["price"].label = f"{self.fields['price'].label} ({self.shop.currency})"
        category: Any = self.fields["category"]
        category.queryset = Category.objects.filter(merchant=self.shop)
        getattr(category.widget, "widget", category.widget).shop = self.shop
        for name in ("description", "description_zh"):
            self.fields[name].widget.attrs |= {"rows": 4, "maxlength": LONGEST_DESCRIPTION}
            self.fields[name].validators.append(MaxLengthValidator(LONGEST_DESCRIPTION))

    def clean_sku(self) -> str:
        sku = self.cleaned_data["sku"].strip()
        if Product.objects.filter(merchant=self.shop, sku=sku).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Another product of the shop has this SKU."))
        return sku


class PicturesFilter(admin.SimpleListFilter):
    title = _("pictures")
    parameter_name = "pictures"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("some", _("With pictures")), ("none", _("Without a picture"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"some", "none"}:
            return queryset
        # A subquery, not a join: a product with three pictures is still one row.
        shown = ProductImage.objects.order_by().values("product")
        return queryset.filter(pk__in=shown) if self.value() == "some" else queryset.exclude(pk__in=shown)


def listed(request: HttpRequest, query: str) -> QuerySet[Product]:
    """The products that the user's list shows for its address's ``query``, over all its pages.

    None where the list would not take the query.
    """
    asked = copy.copy(request)
    everywhere = QueryDict(query, mutable=True)
    everywhere.pop("p", None)  # the page at hand
    asked.GET = everywhere  # type: ignore[assignment]
    try:
        rows = admin.site.get_model_admin(Product).get_changelist_instance(asked).get_queryset(asked)
    except IncorrectLookupParameters:
        return Product.objects.none()
    return Product.objects.filter(pk__in=rows.order_by().values("pk"))


@admin.register(Product)
class ProductAdmin(NewInShopAdmin):
    what_for = _("Import a table with pictures to fill your shelves at once, or add products one by one.")
    first_step = ("catalog:import", _("Import"))
    form = ProductForm
    list_display = ["picture", "name", "name_zh", "sku", "category", "price_shown", "stock", "status_shown"]
    list_display_links = ["picture", "name"]
    list_filter = ["status", PicturesFilter, ("category", OwnFilter), ("merchant", OwnFilter)]
    list_select_related = ["category", "merchant"]
    list_per_page = 50
    search_fields = ["sku"]
    search_help_text = _("Words in Chinese or English")
    autocomplete_fields = ["category"]
    fields = [
        ("name", "name_zh"),
        ("sku", "category"),
        ("price", "stock"),
        "status",
        ("description", "description_zh"),
    ]
    actions = ["stylise", "advertise", "publish", "withdraw", "archive"]
    change_form_template = "admin/catalog/product/change_form.html"
    list_before_template = "catalog/product_tools.html"
    warn_unsaved_form = True

    class Media:
        css = {"all": ["styling/studio.css", "styling/truth.css", "styling/review.css", "catalog/catalog.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        first = ProductImage.objects.order_by("position", "id")[:1]
        return super().get_queryset(request).prefetch_related(Prefetch("images", first, to_attr="covers"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(matches(search_term)), False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["sku"] if obj else []  # imports, the API and orders know the product by it

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # orders and what shoppers did refer to it; archiving takes it off the storefront

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "category":
            kwargs["widget"] = ShopAutocomplete(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        sku = obj.sku if change else form.cleaned_data["sku"]
        fields = {name: form.cleaned_data[name] for name in EDITABLE}
        saved, _is_new = save_product(merchant=form.shop, sku=sku, actor=request.user, **fields)
        obj.__dict__.update(saved.__dict__)

    def response_add(self, request: HttpRequest, obj: Product, post_url_continue: str | None = None) -> HttpResponse:
        """On to the pictures: a product is hardly ever complete without."""
        if "_popup" in request.POST or "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(
            request, _("“%(product)s” is there. Drop its pictures below.") % {"product": obj}, messages.SUCCESS
        )
        return redirect("admin:catalog_product_change", obj.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        product = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if product is not None:
            history = reverse("admin:catalog_auditentry_changelist")
            context |= {
                "product": product,
                "pictures": picture_cards(product.images.select_related("product")),
                "can_edit": self.has_change_permission(request, product),
                "upload_labels": upload_labels(),
                "history": f"{history}?{urlencode({'q': f'Product:{product.pk}'})}",
                "show_history": False,
            }
        return super().change_view(request, object_id, form_url, context)

    def get_urls(self) -> list[Any]:
        export_view = self.admin_site.admin_view(self.export)
        return [path("export.<table:kind>", export_view, name="catalog_product_export"), *super().get_urls()]

    def export(self, request: HttpRequest, kind: str) -> HttpResponse:
        """The products of the list as it is filtered and searched, as a table."""
        try:
            products = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect("admin:catalog_product_changelist")
        content = export(products, kind=kind, address_of=request.build_absolute_uri)
        return table_download(content, name=f"products.{kind}", kind=kind)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"query": request.GET.urlencode(), "can_import": self.has_add_permission(request)}
        return super().changelist_view(request, context | (extra_context or {}))

    @display(description=_("Picture"))
    def picture(self, product: Any) -> str:
        image = next(iter(product.covers), None)
        if image is None:
            return "–"
        return format_html(
            '<span class="st-strip"><img src="{}" width="44" height="44" alt="{}" loading="lazy"></span>',
            thumbnail(image, width=IN_A_ROW),
            product.display_name,  # the picture is the row's first link, and a link needs a name
        )

    @display(description=_("Price"), ordering="price")
    def price_shown(self, product: Product) -> str:
        return f"{product.price} {product.merchant.currency}"

    @display(description=_("Status"), label=STATUS_COLORS, ordering="status")
    def status_shown(self, product: Product) -> tuple[str, Any]:
        return product.status, product.get_status_display()

    @action(description=_("Stylise…"))
    def stylise(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """On to the styles, with the ticked products; with the list itself where all that it shows were chosen."""
        chosen = {"list": request.GET.urlencode()}
        if request.POST.get("select_across") != "1":
            chosen["products"] = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True))
        return HttpResponseRedirect(f"{reverse('styling:stylise')}?{urlencode(chosen)}")

    @action(description=_("New ad creatives"))
    def advertise(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        if queryset.count() > MOST_ADVERTISED:
            text = _("A set of creatives takes at most %(limit)d products. Tick fewer of them.")
            self.message_user(request, text % {"limit": MOST_ADVERTISED}, messages.ERROR)
            return None
        ids = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True))
        return HttpResponseRedirect(f"{reverse('creatives:new')}?{urlencode({'products': ids})}")

    @action(description=_("Publish"))
    def publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, queryset, Product.Status.PUBLISHED)

    @action(description=_("Back to draft"))
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, queryset, Product.Status.DRAFT)

    @action(description=_("Archive"))
    def archive(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, queryset, Product.Status.ARCHIVED)

    def _move(self, request: HttpRequest, queryset: QuerySet[Any], status: str) -> None:
        try:
            move(request, Product.objects.filter(pk__in=queryset.order_by().values("pk")), status)
        except UserError as error:
            self.message_user(request, str(error), messages.ERROR)
