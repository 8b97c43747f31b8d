"""What is written into the schema from one place: the error format, ``Idempotency-Key``, and the examples."""

from __future__ import annotations

from typing import Any

from stylerec_site.api_examples import ANSWERS, REQUESTS

_ERROR = {
    "type": "object",
    "description": "Every refusal has this form. `code` is stable; `message` and `hint` are in the language asked for.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint", "details", "request_id"],
            "properties": {
                "code": {"type": "string", "example": "invalid"},
                "message": {"type": "string", "example": "Some fields are not right."},
                "hint": {"type": "string", "example": "See details, field by field."},
                "details": {
                    "type": "object",
                    "additionalProperties": {},
                    "example": {"price": ["A valid number is required."]},
                },
                "request_id": {"type": "string", "example": "b2f6c3f0d8f94a0e9f6b7f1c0a3a1d55"},
            },
        }
    },
}
_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]{1,255}$"},
    "description": "The same key with the same request gives the first answer again (for 24 hours), and acts once.",
}
_REFUSED = {
    "description": "Refused",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_BUSY = {**_REFUSED, "description": "Nobody is free, or no room is left; the same request may succeed in a moment"}
_FULL = {**_REFUSED, "description": "No room is left on the server; nothing was saved, nothing that was there is lost"}
_MAY_BE_BUSY = {
    ("post", "/api/v1/events/"),
    ("post", "/api/v1/styles/{id}/render/"),
    ("get", "/api/v1/jobs/{id}/events/"),
}
_WRITES = {"post", "put", "patch", "delete"}
#: Requests of pages carry no token, so that there is nobody whose key it could be.
_OF_PAGES = "/api/v1/shelf/"


def describe_what_all_share(result: dict[str, Any], **_generation: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular."""
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = _ERROR
    for address, operations in result["paths"].items():
        for method, operation in operations.items():
            _add_examples(operation)
            operation["responses"].setdefault("4XX", _REFUSED)
            if (method, address) in _MAY_BE_BUSY:
                operation["responses"].setdefault("503", _BUSY)
            if method in _WRITES:
                operation["responses"].setdefault("507", _FULL)
            if method in _WRITES and not address.startswith(_OF_PAGES):
                operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    return result


def _add_examples(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    if name in REQUESTS:
        operation["requestBody"]["content"]["application/json"]["example"] = REQUESTS[name]
    for status, response in operation["responses"].items():
        if (name, status) in ANSWERS:
            response["content"]["application/json"]["example"] = ANSWERS[name, status]
