"""How the attacks ask, and how they recognise what must not be there."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.db import transaction
from django.test import Client

from tests.security.possessions import Possessions

MARK = "Foreign7mark"
FIRST_KEY = 77_700_000
NOBODYS_KEY = 77_799_999
NOBODYS_UUID = uuid.UUID("77777777-0000-4000-8000-777777777777")
METHODS = ("get", "post", "put", "patch", "delete")
#: How a door may say no. 415 and 400 come before the row is looked for; a redirect leads to the admin's front page.
REFUSALS = {302, 400, 401, 403, 404, 405, 415}


def ask(client: Client, method: str, address: str, body: Any = None, **headers: str) -> Any:
    """One request whose effects are taken back: JSON to the API, a form elsewhere (or JSON, for a ``str`` body)."""
    with transaction.atomic():
        if method == "get":
            response = client.get(address, body or {}, **headers)
        elif address.startswith("/api/") or isinstance(body, str):
            response = getattr(client, method)(address, body or "{}", content_type="application/json", **headers)
        elif method == "post":
            response = client.post(address, body or {}, **headers)
        else:
            response = getattr(client, method)(address, **headers)
        transaction.set_rollback(True)
    response.whole = b"".join(response.streaming_content) if response.streaming else response.content
    return response


def text_of(response: Any) -> str:
    """A response's body and where it leads."""
    content = getattr(response, "whole", None)
    return (response.content if content is None else content).decode(errors="replace") + response.headers.get(
        "Location", ""
    )


def traces(text: str, theirs: Possessions, *, asked: str = "") -> list[str]:
    """What of the foreign shop stands in a text, beyond what stood in the question."""
    known = {MARK, MARK.lower(), *(str(row.pk) for row in theirs.rows.values())}
    return sorted(trace for trace in known if trace in text and trace not in asked)


def nobodys(model: Any) -> object:
    """A key that no row has."""
    return NOBODYS_UUID if _is_uuid(model) else NOBODYS_KEY


def without_keys(text: str) -> str:
    """A body without what differs from request to request: the keys in it, request ids and form tokens."""
    # Ids first: one of a request may happen to begin like a key.
    text = re.sub(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|777\d{5}", "KEY", text)
    return re.sub(r'(nonce|value|csrfmiddlewaretoken)="[^"]*"|"[A-Za-z0-9]{64}"', "TOKEN", text)


def _is_uuid(model: Any) -> bool:
    key = model._meta.pk
    while key.remote_field:
        key = key.remote_field.model._meta.pk
    return key.get_internal_type() == "UUIDField"
