"""API clients of a shop for tests."""

from __future__ import annotations

from rest_framework.test import APIClient

from catalog.models import ApiToken, Membership, Merchant
from catalog.tokens import create_token
from tests.catalog.factories import MembershipFactory, MerchantFactory

API = "/api/v1"


def token_of(merchant: Merchant, *, role: str = Membership.Role.OWNER, scope: str = ApiToken.Scope.WRITE) -> str:
    """The secret of a new token of a new member."""
    member = MembershipFactory(merchant=merchant, role=role)
    return create_token(merchant=merchant, user=member.user, name="till", scope=scope)[1]


def client_of(
    merchant: Merchant | None = None, *, role: str = Membership.Role.OWNER, scope: str = ApiToken.Scope.WRITE
) -> APIClient:
    """A client that sends a new member's token; ``client.merchant`` is its shop."""
    client = APIClient()
    client.merchant = merchant or MerchantFactory()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token_of(client.merchant, role=role, scope=scope)}")
    return client
