"""Every form of the admin, field by field, with keys of another shop: by each role, and by an owner of two shops."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client

from catalog.models import Category, Membership, Product
from recommend.admin import MerchandisingRuleAdmin
from recommend.models import MerchandisingRule
from tests.catalog.factories import MerchantFactory, UserFactory
from tests.security.forms import STRANGER, Walk, form_routes, key_models
from tests.security.possessions import pointers
from tests.security.routes import routes

pytestmark = pytest.mark.django_db


def walk_of(user, ours, theirs, monkeypatch) -> Walk:
    UserFactory(username=STRANGER)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return Walk(client, ours, theirs, monkeypatch)


@pytest.mark.parametrize("role", ["viewer", "reviewer", "editor", "owner"])
def test_no_field_of_any_form_takes_a_foreign_row(role, ours, theirs, monkeypatch):
    walk = walk_of(ours.people[role], ours, theirs, monkeypatch).over(form_routes())
    assert not walk.unexplained, f"say in forms.py what stands under {sorted(walk.unexplained)}"
    assert not walk.found, "\n".join(walk.found)
    if role == "owner":
        # Otherwise the walk would have been refused everything for other reasons, and shown nothing.
        assert {
            "admin:catalog_product_add category", "admin:catalog_product_change category",
            "admin:recommend_merchandisingrule_add product", "admin:recommend_merchandisingrule_change category",
            "creatives:new product", "styling:train source_category",
        } <= walk.tried, sorted(walk.tried)  # fmt: skip
        assert len(walk.opened) > 12, sorted(walk.opened)


@pytest.mark.parametrize("query", ["", "?merchant={own}", "?merchant={foreign}"])
def test_whoever_owns_two_shops_cannot_choose_a_third(query, ours, theirs, monkeypatch):
    owner = ours.people["owner"]
    second = MerchantFactory()
    Membership.objects.create(user=owner, merchant=second, role=Membership.Role.OWNER)
    walk = walk_of(owner, ours, theirs, monkeypatch)
    # With one shop the field that chooses it is not there.
    choosing = [route for route in form_routes() if route.name.endswith("_add") or route.name == "catalog:import"]
    walk.over(choosing, query.format(own=second.pk, foreign=theirs.merchant.pk))
    assert not walk.found, "\n".join(walk.found)


def test_every_relation_of_every_admin_form_has_been_tried(ours, theirs, monkeypatch):
    """The relations that the admins themselves declare, against what the walk found by watching."""
    walk = walk_of(ours.people["owner"], ours, theirs, monkeypatch)
    walk.over(route for route in form_routes() if route.name.endswith(("_add", "_change")))
    for model, page in admin.site._registry.items():
        related = {
            pointer.name for pointer in [*pointers(model), *model._meta.many_to_many] if key_models(pointer.name)
        }
        for verb in ("add", "change"):
            door = f"admin:{model._meta.app_label}_{model._meta.model_name}_{verb}"
            for name in related & walk.editable.get(door, set()):
                assert f"{door} {name}" in walk.tried, type(page).__name__


def test_the_walk_finds_a_form_that_lost_its_scope(ours, theirs, monkeypatch):
    """A field of a ModelAdmin that offers every shop's products."""
    really = MerchandisingRuleAdmin.formfield_for_foreignkey

    def unscoped(self, db_field, request, **kwargs):
        if db_field.name == "product":
            return super(MerchandisingRuleAdmin, self).formfield_for_foreignkey(
                db_field, request, queryset=Product.objects.all(), **kwargs
            )
        return really(self, db_field, request, **kwargs)

    monkeypatch.setattr(MerchandisingRuleAdmin, "formfield_for_foreignkey", unscoped)
    walk = walk_of(ours.people["owner"], ours, theirs, monkeypatch)
    walk.through(next(route for route in routes() if route.name == "admin:recommend_merchandisingrule_add"))
    assert any("offers rows of theirs in ['MerchandisingRuleForm.product']" in line for line in walk.found), walk.found


def test_the_walk_finds_a_door_of_our_own_that_trusts_a_key(ours, theirs, monkeypatch):
    """A view that reads a key from the form and writes with it."""

    def trusting(request, merchant_id):
        if request.method == "POST" and request.POST.get("category", "").isdecimal():
            Product.objects.filter(pk=ours.of("catalog.Product").pk).update(category=request.POST["category"])
        return HttpResponse("done")

    route = next(route for route in routes() if route.name == "styling:limits")
    monkeypatch.setattr("django.urls.resolvers.URLPattern.resolve", _instead(route, trusting))
    walk = walk_of(ours.people["owner"], ours, theirs, monkeypatch)
    walk.through(route)
    assert any("catalog.Product.category" in line for line in walk.found), walk.found


def test_a_name_that_nobody_explained_is_pointed_out():
    assert key_models("product") == [Product]
    assert key_models("price") == []
    assert key_models("starts_at_0") == []
    assert key_models("secret_category") is None
    assert Category in (key_models("source_category") or [])
    assert MerchandisingRule not in (key_models("effect") or [])


def _instead(route, view):
    """Resolve one route to another view."""
    from django.urls.resolvers import URLPattern

    really = URLPattern.resolve

    def resolve(self, path):
        match = really(self, path)
        if match is not None and self.name == route.name.rpartition(":")[2]:
            match.func = view
        return match

    return resolve
