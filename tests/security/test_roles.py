"""What each role may change: every unsafe door, asked by every role, against what the database then holds."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from catalog.models import ApiToken, Membership
from catalog.tokens import create_token, digest_of
from tests.security.possessions import NOBODYS, models_of_rooms
from tests.security.routes import routes
from tests.security.walking import text_of

pytestmark = pytest.mark.django_db
UNSAFE = ("post", "put", "patch", "delete")
#: Rows that looking leaves behind, whoever looks: what a page showed, and how a token was used.
OF_LOOKING = {"recommend.Slate", "catalog.ApiToken"}
#: What a reviewer's work consists of.
OF_REVIEWING = {"styling.StyledImage", "styling.ReviewStep", "catalog.AuditEntry", "jobs.Job", "jobs.JobEvent",
                "styling.StylizationRun", "developers.WebhookDelivery"}  # fmt: skip
#: What only an owner touches.
OF_OWNING = {"catalog.Merchant", "catalog.Membership", "catalog.ApiToken", "developers.PublishableKey",
             "developers.WebhookEndpoint"}  # fmt: skip
#: What editors' experiments have the shop serve stands in its row, and nothing else of that row is theirs.
OF_EXPERIMENTS = re.compile(r'UPDATE "catalog_merchant" SET "serving" = \S+ WHERE ', re.I)


class Written:
    """The tables that a request wrote to, from the statements that it sent: cheaper than looking at every row."""

    _STATEMENT = re.compile(r'^\s*(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM) "(\w+)"', re.I)

    def __init__(self) -> None:
        self.labels: set[str] = set()
        self._of_table = {model._meta.db_table: model._meta.label for model in models_of_rooms()}

    def __call__(self, execute, sql, parameters, many, context):
        found = self._STATEMENT.match(sql)
        result = execute(sql, parameters, many, context)
        if found and context["cursor"].rowcount:
            label = self._of_table.get(found.group(1))
            label = "experiments.Experiment" if OF_EXPERIMENTS.match(sql) else label
            self.labels |= {label} if label and label not in NOBODYS else set()
        return result


def changed_by(client, ours, *, api: bool) -> dict[str, set[str]]:
    """For each route, the models whose rows an unsafe request with our own keys wrote."""
    changed: dict[str, set[str]] = {}
    for route in routes():
        if route.is_public or route.is_operators or route.name in {"admin:logout", "admin:password_change"}:
            continue
        if route.is_api != api:
            continue
        address = route.address(lambda name, model: ours.rows[model].pk)
        as_json = api or route.pattern.startswith("admin/styling/review/")
        for method in UNSAFE if api else ("post",):
            written = Written()
            with transaction.atomic():
                with connection.execute_wrapper(written):
                    if as_json:
                        sent = json.dumps(body_of(ours)), "application/json"
                        response = getattr(client, method)(address, sent[0], content_type=sent[1])
                    else:
                        response = client.post(address, body_of(ours))
                transaction.set_rollback(True)
            assert response.status_code < 500, (method, route.pattern, response.exc_info)
            if written.labels - OF_LOOKING and response.status_code < 400:
                changed.setdefault(route.pattern, set()).update(written.labels - OF_LOOKING)
    return changed


def body_of(ours) -> dict:
    """A body that many doors take: rows of our own, named as the doors name them."""
    image, style = ours.of("styling.StyledImage"), ours.of("styling.Style")
    return {
        "name": "Changed", "slug": "changed", "sku": "CHANGED-1", "price": "1.00", "effect": "boost", "events": [],
        "ids": [image.pk], "action": "approve", "verb": "approve", "style": style.pk, "url": "https://shop.example/hook",
        "products": [ours.of("catalog.Product").pk], "batch": str(ours.of("styling.ReviewStep").batch),
        "personalisation": True, "origins": ["https://shop.example"], "preset": "draft", "reason": "Blurred",
        "merchant": ours.merchant.pk, "product": ours.of("catalog.Product").pk, "post": "yes", "confirm": "yes",
    }  # fmt: skip


def client_of(user) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def program_of(user, ours, role: str) -> APIClient:
    """A client with a token that may write, of somebody who was an owner when it was made and now is less."""
    membership = Membership.objects.get(user=user, merchant=ours.merchant)
    Membership.objects.filter(pk=membership.pk).update(role=Membership.Role.OWNER)
    secret = create_token(merchant=ours.merchant, user=user, name="till", scope=ApiToken.Scope.WRITE)[1]
    Membership.objects.filter(pk=membership.pk).update(role=role)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


@pytest.mark.parametrize("api", [False, True], ids=["admin", "api"])
@pytest.mark.parametrize("role", ["viewer", "reviewer", "editor"])
def test_each_role_changes_what_it_may_and_nothing_else(role, api, ours):
    user = ours.people[role]
    client = program_of(user, ours, role) if api else client_of(user)
    changed = changed_by(client, ours, api=api)
    touched = set().union(*changed.values()) if changed else set()
    if role == "viewer":
        assert not changed, changed
    elif role == "reviewer":
        assert touched <= OF_REVIEWING, changed
        assert touched, "a reviewer reviews"
    else:
        assert not touched & OF_OWNING, {route: labels for route, labels in changed.items() if labels & OF_OWNING}
        assert touched - OF_REVIEWING, "an editor does more than review"


def test_a_reading_token_changes_nothing(ours):
    secret = create_token(merchant=ours.merchant, user=ours.people["owner"], name="reader", scope=ApiToken.Scope.READ)[
        1
    ]
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    assert not changed_by(client, ours, api=True)


def test_an_events_token_reads_no_products(ours):
    secret = create_token(merchant=ours.merchant, user=ours.people["owner"], name="shop", scope=ApiToken.Scope.EVENTS)[
        1
    ]
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    may, refused = set(), set()
    for route in routes():
        if route.is_api and not route.is_public:
            response = client.get(route.address(lambda name, model: ours.rows[model].pk))
            (refused if response.status_code == 403 else may).add(route.name)
    assert {"api:product-list", "api:interaction-list", "api:job-list", "api:style-list"} <= refused
    assert may <= {"api:events", "api:recommendations", "api:recommendations-email", "api:shopper"} | {
        n for n in may if n.startswith("api:shelf")
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 77_700_001), ("pk", 77_700_001), ("merchant", 77_700_001), ("merchant_id", 77_700_001),
        ("created_at", "2001-01-01T00:00:00Z"), ("search_text", "everything"), ("images", []), ("sku", "STOLEN"),
        ("is_staff", True), ("role", "owner"), ("status", "published"),
    ],
)  # fmt: skip
def test_fields_that_nobody_offers_cannot_be_set(field, value, ours, token):
    """Mass assignment: what a body says beyond the schema is not written."""
    product = ours.of("catalog.Product")
    before = type(product).objects.filter(pk=product.pk).values().get()
    response = token.patch(f"/api/v1/products/{product.pk}/", {field: value}, format="json")
    after = type(product).objects.filter(pk=product.pk).values().get()
    assert response.status_code in {200, 400}
    changed = {name for name in before if before[name] != after[name]}
    # `status` is offered, and the search text follows the names by itself.
    assert changed <= {"updated_at", "search_text", *({"status"} if field == "status" else set())}, changed
    assert "everything" not in after["search_text"]


def test_a_category_and_a_style_stay_in_their_shop(ours, theirs, token):
    for path, row in (("categories", ours.of("catalog.Category")), ("styles", ours.of("styling.Style"))):
        body = {"merchant": theirs.merchant.pk, "merchant_id": theirs.merchant.pk, "id": 1, "name": "Moved"}
        response = token.patch(f"/api/v1/{path}/{row.pk}/", body, format="json")
        assert response.status_code == 200, text_of(response)
        row.refresh_from_db()
        assert row.merchant_id == ours.merchant.pk
    body = {"name": "New", "slug": "new", "merchant": theirs.merchant.pk}
    created = token.post("/api/v1/categories/", body, format="json")
    assert created.status_code == 201
    assert ours.merchant.categories.filter(slug="new").exists()


def test_a_token_is_kept_as_a_digest_and_ends_with_its_user_and_its_shop(ours):
    owner = ours.people["owner"]
    token, secret = create_token(merchant=ours.merchant, user=owner, name="till", scope=ApiToken.Scope.READ)
    stored = repr(ApiToken.objects.filter(pk=token.pk).values().get())
    assert secret not in stored
    assert digest_of(secret) in stored
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    assert client.get("/api/v1/products/").status_code == 200
    type(owner).objects.filter(pk=owner.pk).update(is_active=False)
    assert client.get("/api/v1/products/").status_code == 401
    type(owner).objects.filter(pk=owner.pk).update(is_active=True)
    type(ours.merchant).objects.filter(pk=ours.merchant.pk).update(is_active=False)
    assert client.get("/api/v1/products/").status_code == 401
    type(ours.merchant).objects.filter(pk=ours.merchant.pk).update(is_active=True)
    Membership.objects.filter(user=owner, merchant=ours.merchant).delete()
    assert client.get("/api/v1/products/").status_code == 403
