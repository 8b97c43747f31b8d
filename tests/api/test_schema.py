"""The OpenAPI schema is complete: bodies, examples that fit, refusals, and nothing of the schema itself is doubtful."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from openapi_schema_validator import OAS30Validator

from stylerec_site.api_examples import ANSWERS, REQUESTS


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    out = io.StringIO()
    call_command("spectacular", format="openapi-json", fail_on_warn=True, validate=True, stdout=out)
    return json.loads(out.getvalue())


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for address, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield address, method, operation


def examples(content: dict[str, Any]) -> list[Any]:
    named = [example["value"] for example in content.get("examples", {}).values()]
    return named + ([content["example"]] if "example" in content else [])


def faults(schema: dict[str, Any], content: dict[str, Any]) -> list[str]:
    """What is wrong with the examples of one body."""
    whole = {**content["schema"], "components": schema["components"]}
    return [error.message for example in examples(content) for error in OAS30Validator(whole).iter_errors(example)]


def test_every_json_body_has_an_example_that_fits(schema):
    without, unfit = [], []
    for address, method, operation in operations(schema):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            without += [] if examples(content) else [f"{method} {address}"]
            unfit += [f"{method} {address}: {fault}" for fault in faults(schema, content)]
    assert without == []
    assert unfit == []


def test_every_example_of_an_answer_fits_and_no_example_is_of_nothing(schema):
    known = {operation["operationId"]: operation for _address, _method, operation in operations(schema)}
    assert set(REQUESTS) <= set(known)
    for (name, status), _example in ANSWERS.items():
        content = known[name]["responses"][status]["content"]["application/json"]
        assert examples(content)
        assert faults(schema, content) == []


def test_every_operation_says_what_it_is_what_it_refuses_and_who_may(schema):
    for address, method, operation in operations(schema):
        assert operation.get("summary") or operation.get("description"), f"{method} {address}"
        assert operation["responses"]["4XX"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/Error"
        }
        schemes = {name for scheme in operation["security"] for name in scheme}
        assert schemes == ({"PublishableKey"} if address.startswith("/api/v1/shelf/") else {"ApiToken", "cookieAuth"})


def test_long_work_is_answered_with_202(schema):
    for name in ("imports_create", "training_runs_create", "stylisations_create", "recommender_fits_create"):
        (operation,) = [one for _address, _method, one in operations(schema) if one["operationId"] == name]
        assert "202" in operation["responses"]
