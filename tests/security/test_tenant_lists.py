"""Lists, filters, searches, autocompletes, actions and our own pages never show or touch a foreign shop's rows."""

from __future__ import annotations

import itertools
import json

import pytest
from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from tests.security.possessions import ROOMS, pointers
from tests.security.routes import routes
from tests.security.walking import MARK, ask, nobodys, text_of, traces

pytestmark = pytest.mark.django_db


def own_admins():
    """(model, its admin) of everything that a shop owns."""
    return [(model, page) for model, page in admin.site._registry.items() if model._meta.app_label in ROOMS]


def test_our_own_pages_show_nothing_of_others(ours, theirs, session, token):
    found, shown = [], 0
    for route in routes():
        if route.is_operators or route.is_public or route.name == "admin:logout":
            continue
        address = route.address(lambda name, model: ours.rows[model].pk)
        for client in [session, token] if route.is_api else [session]:
            response = ask(client, "get", address)
            shown += response.status_code == 200
            leaked = traces(text_of(response), theirs)
            if leaked or response.status_code >= 500:
                found.append(f"{route.pattern}: {response.status_code} {leaked} {response.exc_info}")
    assert not found, "\n".join(found)
    assert shown > 60


def test_filters_and_searches_find_nothing_of_others(ours, theirs, session, token):
    """Whatever stands behind a list's question mark: foreign keys, lookups through relations, searches."""
    found = []
    shop, style = theirs.merchant, theirs.of("styling.Style")
    questions = [
        {"q": MARK[:7]},
        {"search": MARK[:7]},
        {"merchant__id__exact": shop.pk},
        {"merchant__name__startswith": MARK[:3]},
        {"style": style.pk, "shop": shop.slug, "merchant": shop.pk},
        {"style__id__exact": style.pk},
        {"products": theirs.of("catalog.Product").pk, "images": theirs.of("catalog.ProductImage").pk},
        {"run": theirs.of("styling.StylizationRun").pk},
        {"category__slug": theirs.of("catalog.Category").slug},
        {"product": theirs.of("catalog.Product").sku, "shopper": "customer-81"},
        {"shopper": theirs.of("recommend.Shopper").pk},
        {"_popup": "1", "_to_field": "id"},
    ]
    for route in routes():
        if route.row_names or route.is_operators or route.is_public:
            continue
        address = route.address(lambda name, model: None)
        for client, question in itertools.product([session, token] if route.is_api else [session], questions):
            if route.name == "admin:logout":
                continue
            response = ask(client, "get", address, question)
            asked = " ".join(str(value) for value in question.values())
            leaked = traces(text_of(response), theirs, asked=asked)
            if leaked or response.status_code >= 500:
                found.append(f"{route.pattern} {question}: {response.status_code} {leaked}")
    assert not found, "\n".join(found)


def test_a_foreign_shop_cannot_be_named_in_a_header(ours, theirs, session, token):
    found = []
    for route in routes():
        if route.is_api and not route.is_public:
            address = route.address(lambda name, model: theirs.rows[model].pk)
            for client in (session, token):
                response = ask(client, "get", address, HTTP_X_MERCHANT=theirs.merchant.slug)
                if traces(text_of(response), theirs, asked=address) or response.status_code >= 500:
                    found.append(f"{route.pattern}: {response.status_code}")
                if client is session and response.status_code not in {401, 403, 404, 405}:
                    found.append(f"{route.pattern}: {response.status_code} for somebody else's shop")
    assert not found, "\n".join(found)


def test_autocompletes_offer_nothing_of_others(ours, theirs, session):
    found, offered = [], 0
    for model, _page in own_admins():
        for pointer in [*pointers(model), *model._meta.many_to_many]:
            question = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": pointer.name,
            }
            for term in ("", MARK[:7]):
                response = ask(session, "get", reverse("admin:autocomplete"), {**question, "term": term})
                offered += response.status_code == 200
                if traces(text_of(response), theirs) or response.status_code not in {200, 403, 404}:
                    found.append(f"{question}: {response.status_code} {response.exc_info}")
    assert not found, "\n".join(found)
    assert offered


def test_admin_actions_do_nothing_to_foreign_rows(ours, theirs, session, rf):
    before = theirs.snapshot()
    found, tried = [], 0
    for model, page in own_admins():
        if model not in theirs.rows:
            continue
        request = rf.get("/admin/")
        request.user, request.session = ours.people["owner"], {}
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for name in {*page.get_actions(request), "delete_selected"}:
            for across in ("0", "1"):
                tried += 1
                body = {
                    "action": name,
                    "_selected_action": [theirs.rows[model].pk],
                    "select_across": across,
                    "index": 0,
                    "post": "yes",
                }
                response = session.post(address, body)  # not taken back: the database shows what it did
                if traces(text_of(response), theirs) or response.status_code >= 500:
                    found.append(
                        f"{model._meta.label}.{name}: {response.status_code} {traces(text_of(response), theirs)}"
                    )
    assert not found, "\n".join(found)
    assert tried > 10
    assert theirs.snapshot() == before


def test_the_admins_command_search_finds_nothing_of_others(ours, theirs, session):
    for term in (MARK, MARK[:7], str(theirs.of("catalog.Product").pk)):
        response = session.get(reverse("admin:search"), {"s": term})
        assert not traces(text_of(response), theirs, asked=term)


def test_review_and_regenerate_refuse_foreign_rows_in_the_body(ours, theirs, session):
    before = theirs.snapshot()
    image, batch = theirs.of("styling.StyledImage"), theirs.of("styling.ReviewStep").batch
    own = ours.of("styling.StyledImage").pk
    act = reverse("styling:review_act", args=[ours.merchant.pk])
    for verb in ("approve", "reject", "publish", "approve_and_publish", "unpublish"):
        for ids in ([image.pk], [own, image.pk]):
            response = ask(session, "post", act, json.dumps({"verb": verb, "ids": ids, "accept_flagged": True}))
            assert response.status_code == 404, (verb, response.content)
    undo = reverse("styling:review_undo", args=[ours.merchant.pk])
    assert ask(session, "post", undo, json.dumps({"batch": str(batch)})).status_code in {404, 409}
    again = reverse("styling:regenerate", args=[own])
    assert ask(session, "post", again, json.dumps({"style_model": image.style_model_id})).status_code == 404
    assert theirs.snapshot() == before


def test_rows_of_bodies_that_are_no_rows_at_all(ours, session):
    """Whatever a script sends instead of a list of keys: refused, never an error of ours."""
    nonsense = [None, 7, "7", ["x"], [None], [[1]], {"a": 1}, [10**30], [-1], [1.5], [True], "\x00", ["7" * 400]]
    act = reverse("styling:review_act", args=[ours.merchant.pk])
    undo = reverse("styling:review_undo", args=[ours.merchant.pk])
    again = reverse("styling:regenerate", args=[ours.of("styling.StyledImage").pk])
    found = []
    for value in nonsense:
        for address, body in (
            (act, {"verb": "approve", "ids": value}),
            (act, {"verb": value, "ids": []}),
            (act, {"verb": "reject", "ids": [], "reason": value}),
            (undo, {"batch": value}),
            (again, {"style_model": value}),
            (again, {"strength": value}),
            (again, {"keep_product": value}),
        ):
            response = ask(session, "post", address, json.dumps(body))
            if response.status_code >= 500:
                found.append(f"{address} {body}: {response.status_code} {response.exc_info[1]!r}")
    for address in (act, undo, again):
        for body in ("", "[]", "null", "{", '"x"', "\x00", "[" * 5000):
            response = ask(session, "post", address, body)
            if response.status_code >= 500:
                found.append(f"{address} {body[:9]!r}: {response.status_code} {response.exc_info[1]!r}")
    for name, value in itertools.product(
        ("products", "images", "style", "run", "after", "shop", "status"),
        ("9" * 40, "-1", "1,2,x", "٣", "\x00", "a" * 3000, "1.5", "²"),
    ):
        for page in ("styling:stylise", "styling:review", "recommending:versions"):
            response = ask(session, "get", reverse(page), {name: value})
            if response.status_code >= 500:
                found.append(f"{page} {name}={value[:9]!r}: {response.status_code} {response.exc_info[1]!r}")
        response = ask(session, "get", reverse("styling:review_items", args=[ours.merchant.pk]), {name: value})
        if response.status_code >= 500:
            found.append(f"items {name}={value[:9]!r}: {response.status_code} {response.exc_info[1]!r}")
    assert not found, "\n".join(found)


def test_numbers_too_long_for_a_key_are_no_rows(ours, session, token):
    found = []
    for route in routes():
        if not route.row_names or route.is_operators:
            continue
        for number in (2**63, 10**30, 0):
            if not all(isinstance(nobodys(model), int) for model in route.models.values() if model):
                continue
            try:
                address = route.address(lambda name, model, n=number: n)
            except NoReverseMatch:
                continue  # the address itself allows no such number
            for client in [session, token] if route.is_api else [session]:
                response = ask(client, "get", address)
                if response.status_code >= 500:
                    found.append(f"{address}: {response.status_code} {response.exc_info[1]!r}")
    assert not found, "\n".join(found)
