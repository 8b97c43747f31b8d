"""API tokens: scoped, hashed, shown once, revocable; roles rank."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from catalog.access import has_role, require_role, role_of
from catalog.models import ApiToken, Membership
from catalog.tokens import create_token, revoke_token
from jobs.errors import NotAllowed
from tests.catalog.factories import MembershipFactory, MerchantFactory, ProductFactory, UserFactory

pytestmark = pytest.mark.django_db
Role, Scope = Membership.Role, ApiToken.Scope


def client_with(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


def token_for(role: str = Role.OWNER, scope: str = Scope.WRITE) -> tuple[ApiToken, str]:
    membership = MembershipFactory(role=role)
    return create_token(merchant=membership.merchant, user=membership.user, name="till", scope=scope)


def test_the_secret_is_kept_nowhere():
    token, secret = token_for()
    stored = ApiToken.objects.filter(pk=token.pk).values()[0]
    assert secret not in map(str, stored.values())
    assert stored["prefix"] == secret[:8]


def test_a_token_reads_its_own_shop_and_no_other():
    token, secret = token_for()
    own, foreign = ProductFactory(merchant=token.merchant), ProductFactory()
    found = client_with(secret).get("/api/v1/products/").json()["results"]
    assert [product["id"] for product in found] == [own.pk]
    assert client_with(secret).get(f"/api/v1/products/{foreign.pk}/").status_code == 404


def test_a_revoked_token_is_refused_from_the_next_request_on():
    token, secret = token_for()
    revoke_token(token=token, by=token.user)
    response = client_with(secret).get("/api/v1/products/")
    assert (response.status_code, response.json()["error"]["code"]) == (401, "not-authenticated")


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        (Role.OWNER, Scope.WRITE, 201),
        (Role.EDITOR, Scope.WRITE, 201),
        (Role.OWNER, Scope.READ, 403),
        (Role.OWNER, Scope.EVENTS, 403),
    ],
)
def test_writing_needs_scope_and_role(role, scope, status):
    _, secret = token_for(role, scope)
    body = {"sku": "V-1", "name": "Vase", "price": "12.00"}
    assert client_with(secret).post("/api/v1/products/", body, format="json").status_code == status


def test_a_token_loses_what_its_user_loses():
    token, secret = token_for(Role.EDITOR)
    Membership.objects.filter(user=token.user).update(role=Role.VIEWER)
    body = {"sku": "V-1", "name": "Vase", "price": "12.00"}
    assert client_with(secret).post("/api/v1/products/", body, format="json").status_code == 403


@pytest.mark.parametrize("header", ["Token", "Token a b", "Token \u00e9\u00e9", "Token sr_unknown"])
def test_a_bad_header_is_a_clear_401(header):
    response = APIClient().get("/api/v1/products/", HTTP_AUTHORIZATION=header)
    assert response.status_code == 401
    assert response.json()["error"]["message"]


def test_a_viewer_cannot_make_a_token_that_writes():
    membership = MembershipFactory(role=Role.VIEWER)
    with pytest.raises(NotAllowed):
        create_token(merchant=membership.merchant, user=membership.user, name="x", scope=Scope.WRITE)


def test_roles_rank_and_strangers_have_none():
    membership = MembershipFactory(role=Role.REVIEWER)
    user, merchant = membership.user, membership.merchant
    assert has_role(user, merchant, Role.VIEWER)
    assert has_role(user, merchant, Role.REVIEWER)
    assert not has_role(user, merchant, Role.EDITOR)
    assert role_of(user, MerchantFactory()) is None
    assert role_of(UserFactory(is_superuser=True), merchant) == Role.OWNER
    with pytest.raises(NotAllowed):
        require_role(user, merchant, Role.OWNER)


def test_somebody_with_two_shops_must_say_which():
    user = UserFactory()
    one, two = MembershipFactory(user=user).merchant, MembershipFactory(user=user).merchant
    product = ProductFactory(merchant=two)
    client = APIClient()
    client.force_login(user)
    assert client.get("/api/v1/products/").json()["error"]["code"] == "which-merchant"
    found = client.get("/api/v1/products/", headers={"X-Merchant": two.slug}).json()["results"]
    assert [row["id"] for row in found] == [product.pk]
    assert client.get("/api/v1/products/", headers={"X-Merchant": one.slug}).json()["results"] == []
