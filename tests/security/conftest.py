"""What the attacks share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.test import Client
from rest_framework.test import APIClient

from catalog.models import ApiToken
from catalog.tokens import create_token
from tests.security.possessions import Possessions, possessions
from tests.security.walking import FIRST_KEY, MARK


@pytest.fixture(autouse=True)
def _quiet_refusals() -> Iterator[None]:
    """Thousands of requests are refused here on purpose; their log lines say nothing."""
    logger = logging.getLogger("django.request")
    before = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(before)


@pytest.fixture
def ours(db) -> Possessions:
    """The shop whose people attack."""
    return possessions("Own7mark")


@pytest.fixture
def theirs(ours) -> Possessions:
    """The shop that is attacked."""
    return possessions(MARK, first_key=FIRST_KEY)


@pytest.fixture
def session(ours) -> Client:
    """Our owner in a browser."""
    client = Client(raise_request_exception=False)
    client.force_login(ours.people["owner"])
    return client


@pytest.fixture
def token(ours) -> APIClient:
    """Our owner's program."""
    secret = create_token(merchant=ours.merchant, user=ours.people["owner"], name="till", scope=ApiToken.Scope.WRITE)[1]
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client
