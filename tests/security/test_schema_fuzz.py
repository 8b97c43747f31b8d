"""Schemathesis over the whole OpenAPI schema, as nobody, as a viewer and as an owner.

Whatever a client sends: never an error of ours, and every answer as the schema describes it. The examples are the same
in every run; ``STYLEREC_FUZZ_EXAMPLES=200 pytest tests/security/test_schema_fuzz.py`` looks further.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from catalog.models import ApiToken
from catalog.tokens import create_token
from jobs import api as jobs_api
from stylerec_site import throttles
from stylerec_site.wsgi import application
from tests.security.possessions import Possessions

pytestmark = pytest.mark.django_db

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = int(os.environ.get("STYLEREC_FUZZ_EXAMPLES", "0"))


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """As Django's own test client does: the requests share the test's connection, so nobody may close it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def _no_brakes(monkeypatch) -> None:
    """No limits on how often, and no waiting for news of jobs."""
    monkeypatch.setattr(throttles._Counted, "allow_request", lambda *_: True)
    monkeypatch.setattr(jobs_api, "LONGEST_WAIT_SECONDS", 0)


def token_for(who: str, ours: Possessions) -> dict[str, str]:
    """The header of each identity."""
    if who == "nobody":
        return {}
    scope = ApiToken.Scope.WRITE if who == "owner" else ApiToken.Scope.READ
    secret = create_token(merchant=ours.merchant, user=ours.people[who], name="till", scope=scope)[1]
    return {"Authorization": f"Token {secret}"}


@pytest.mark.parametrize(("who", "examples"), [("nobody", 2), ("viewer", 4), ("owner", 8)])
@pytest.mark.usefixtures("_no_brakes", "_one_connection")
def test_nothing_that_is_sent_breaks_the_api(who, examples, ours):
    headers = token_for(who, ours)
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", application)
    broken: dict[str, str] = {}
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        broken |= failures_of(operation, headers, own_key(operation.path, ours), EXAMPLES or examples)
    assert not broken, "\n".join(f"{title}: {said}" for title, said in broken.items())
    assert len(operations) > 40


def failures_of(operation, headers: dict[str, str], own: int | str | None, examples: int) -> dict[str, str]:
    """What went wrong with one operation: title → how, with one example of each."""
    broken: dict[str, str] = {}
    raised: list[BaseException | None] = []

    def note(sender, request, **_signal) -> None:
        raised.append(sys.exc_info()[1])

    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), with_own_key=st.booleans())
    def attack(case, with_own_key) -> None:
        if own is not None and with_own_key and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = own
        raised.clear()
        with transaction.atomic():
            response = case.call(headers={**(case.headers or {}), **headers})
            transaction.set_rollback(True)
        try:
            # A 503 that the schema announces (no worker runs here) is an answer; an unannounced one is still caught.
            announced = str(response.status_code) in operation.definition.raw["responses"]
            checks = [check for check in CHECKS if not (announced and check is not_a_server_error)]
            case.validate_response(response, checks=checks)
        except BaseException as failure:  # noqa: BLE001 - a group of failures, or whatever a check trips over
            title = f"{operation.method.upper()} {operation.path} → {response.status_code}"
            said = repr(raised[0]) if raised else _reasons(failure)
            broken.setdefault(title, f"{said[:500]} body={case.body!r:.200} query={case.query!r:.200}")

    got_request_exception.connect(note)
    try:
        attack()
    finally:
        got_request_exception.disconnect(note)
    return broken


def _reasons(failure: BaseException) -> str:
    parts = getattr(failure, "exceptions", [failure])
    return "; ".join(f"{part.title}: {part.message}" if hasattr(part, "title") else str(part) for part in parts)


def own_key(path: str, ours: Possessions) -> int | str | None:
    """The key of our own row behind an address, so that half of the requests meet something."""
    labels = {
        "jobs": "jobs.Job", "categories": "catalog.Category", "products": "catalog.Product",
        "imports": "catalog.ImportRun", "styles": "styling.Style", "training-runs": "styling.TrainingRun",
        "style-models": "styling.StyleModel", "stylisations": "styling.StylizationRun",
        "styled-images": "styling.StyledImage", "recommenders": "recommend.Recommender",
        "recommender-fits": "recommend.RecommenderFit",
        "webhooks": "developers.WebhookEndpoint", "publishable-keys": "developers.PublishableKey",
    }  # fmt: skip
    label = labels.get(path.removeprefix("/api/v1/").partition("/")[0])
    if label is None:
        return None
    key = ours.of(label).pk
    return str(key) if isinstance(key, uuid.UUID) else key
