"""Who works for a shop, and the keys of programs that act for it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog.admin.shops import NewInShopAdmin
from catalog.admin_access import OwnFilter, shops_with_role
from catalog.models import ApiToken, Membership, Merchant
from catalog.services.members import add_member, change_role, remove_member, require_an_owner
from catalog.tokens import create_token, revoke_token
from catalog.views.doors import page
from jobs.errors import UserError

ROLE_HELP = _(
    "Viewers look. Reviewers approve and reject renderings. Editors change products, train and stylise. "
    "Owners publish, set up the shop and manage its people."
)


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    shop: Merchant
    username = forms.CharField(label=_("User name"), max_length=150, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = Membership
        fields = ["role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields.pop("username", None)
        if "role" in self.fields:
            self.fields["role"].help_text = ROLE_HELP

    def clean_role(self) -> str:
        role = self.cleaned_data["role"]
        if self.instance.pk:
            try:
                require_an_owner(self.instance, role)
            except UserError as error:
                raise forms.ValidationError(str(error)) from error
        return role


@admin.register(Membership)
class MembershipAdmin(NewInShopAdmin):
    form = MemberForm
    least_role = Membership.Role.OWNER
    list_display = ["user", "role", "merchant"]
    list_filter = ["role", ("merchant", OwnFilter)]
    list_select_related = ["user", "merchant"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    ordering = ["merchant", "user__username"]
    list_per_page = 50

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["user", "role"] if obj else ["username", "role"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["user"] if obj else []

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        if change:
            change_role(membership=obj, role=form.cleaned_data["role"], by=request.user)
            return
        made = add_member(
            merchant=form.shop,
            username=form.cleaned_data["username"],
            role=form.cleaned_data["role"],
            by=request.user,
        )
        obj.__dict__.update(made.__dict__)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except UserError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(request.get_full_path())

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        remove_member(membership=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset:
            try:
                self.delete_model(request, membership)
            except UserError as error:
                self.message_user(request, f"{membership}: {error}", messages.ERROR)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except UserError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:catalog_membership_changelist")


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    shop: Merchant

    class Meta:
        model = ApiToken
        fields = ["name", "scope"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            self.fields["name"].help_text = _("What uses it, like “checkout” or “warehouse”.")


@admin.register(ApiToken)
class ApiTokenAdmin(NewInShopAdmin):
    """Owners see every token of their shops, others their own."""

    what_for = _(
        "A secret for a program of yours that reads or changes this shop over the API. "
        "It is shown once, and can be revoked at any time."
    )
    form = TokenForm
    list_display = ["name", "prefix", "scope", "user", "merchant", "last_used_at", "state_shown"]
    list_filter = ["scope", ("revoked_at", admin.EmptyFieldListFilter), ("merchant", OwnFilter)]
    list_select_related = ["user", "merchant"]
    search_fields = ["name", "prefix", "user__username"]
    actions = ["revoke"]
    list_per_page = 50
    COLORS = {"active": "success", "revoked": "danger"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        owned = shops_with_role(request, Membership.Role.OWNER)
        return super().get_queryset(request).filter(Q(user=request.user) | Q(merchant__in=owned))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["name", "scope"]
        return ["name", "prefix", "scope", "user", "merchant", "created_at", "last_used_at", "revoked_at"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a token is made and revoked, never changed

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a revoked one says what had access, and until when

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        made, secret = create_token(
            merchant=form.shop, user=request.user, name=form.cleaned_data["name"], scope=form.cleaned_data["scope"]
        )
        obj.__dict__.update(made.__dict__)
        obj.__dict__["secret"] = secret  # of this request alone

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The one time that the secret is shown: it is kept nowhere, not even in the session."""
        context = {"token": obj, "secret": obj.__dict__["secret"], "opts": self.opts}
        return page(request, "catalog/new_token.html", context, title=str(_("Your new token")))

    @action(description=_("Revoke"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        done = 0
        for token in queryset:
            try:
                revoke_token(token=token, by=request.user)
                done += 1
            except UserError as error:
                self.message_user(request, f"{token}: {error}", messages.ERROR)
        if done:
            self.message_user(request, _("Requests with these tokens are refused from now on."), messages.SUCCESS)

    @display(description=_("State"), label=COLORS)
    def state_shown(self, token: ApiToken) -> tuple[str, Any]:
        return ("revoked", _("revoked")) if token.revoked_at else ("active", _("active"))
