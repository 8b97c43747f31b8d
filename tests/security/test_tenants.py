"""Two shops, every address, every foreign key, every method: a foreign shop's rows do not exist.

For each route the answer to a foreign key must be the answer to a key that nobody has, nothing of the foreign shop may
stand in it, and nothing of the foreign shop may have changed.
"""

from __future__ import annotations

import itertools

import pytest

from tests.security.routes import Route, routes
from tests.security.walking import METHODS, REFUSALS, ask, nobodys, text_of, traces, without_keys

pytestmark = pytest.mark.django_db


def with_keys() -> list[Route]:
    """Routes that name a row of a shop."""
    return [route for route in routes() if route.row_names and not route.is_operators and not route.is_public]


def test_a_foreign_key_is_a_key_that_nobody_has(ours, theirs, session, token):
    before = theirs.snapshot()
    found: list[str] = []
    walked = 0
    for route in with_keys():
        for foreign in _mixtures(route):
            address = route.address(lambda name, model, f=foreign: (theirs if name in f else ours).rows[model].pk)
            nowhere = route.address(lambda name, model, f=foreign: nobodys(model) if name in f else ours.rows[model].pk)
            for client, method in itertools.product([session, token] if route.is_api else [session], METHODS):
                walked += 1
                response, other = ask(client, method, address), ask(client, method, nowhere)
                text, where = text_of(response), f"{method.upper()} {route.pattern}: {response.status_code}"
                leaked = traces(text, theirs, asked=address)
                if response.status_code not in REFUSALS or leaked:
                    found.append(f"{where} {leaked}")
                elif other.status_code != response.status_code or without_keys(text) != without_keys(text_of(other)):
                    found.append(f"{where}, but {other.status_code} for a key of nobody's")
    assert not found, "\n".join(found)
    assert walked > 500
    assert theirs.snapshot() == before


def test_each_parameter_names_the_row_that_its_route_looks_for(ours, session, token):
    """Otherwise the walk would ask for keys that the route never heard of, and learn nothing."""
    deaf = []
    for route in with_keys():
        client = token if route.is_api else session
        address = route.address(lambda name, model: ours.rows[model].pk)
        if route.name.endswith("download"):
            continue  # serves a file, which a row made here does not have
        if all(ask(client, method, address).status_code in {404, 405} for method in METHODS):
            deaf.append(f"{route.pattern} {route.models}")
    assert not deaf, "\n".join(deaf)


def test_nobody_gets_in_without_logging_in(ours, client, theirs):
    client.raise_request_exception = False
    found = []
    for route in routes():
        if route.is_public or route.name == "admin:logout":
            continue
        address = route.address(lambda name, model: theirs.rows[model].pk if model in theirs.rows else 1)
        for method in METHODS:
            response = ask(client, method, address)
            leads = response.headers.get("Location", "")
            sent_away = response.status_code == 302 and ("/login/" in leads)
            if not (sent_away or response.status_code in {401, 403, 404, 405}) or traces(
                text_of(response), theirs, asked=address
            ):
                found.append(f"{method.upper()} {route.pattern}: {response.status_code} {leads}")
    assert not found, "\n".join(found)


def test_a_shop_is_not_found_in_another_shops_storefront(client, ours, theirs):
    shop = ours.merchant.slug
    for path in (
        f"/s/{shop}/p/{theirs.of('catalog.Product').pk}/",
        f"/s/{shop}/c/{theirs.of('catalog.Category').slug}/",
    ):
        response = client.get(path)
        assert response.status_code == 404
        assert not traces(text_of(response), theirs, asked=path)
    assert client.post(f"/s/{shop}/bag/{theirs.of('catalog.Product').pk}/").status_code == 404


def _mixtures(route: Route) -> list[tuple[str, ...]]:
    """Which of the route's keys are foreign: every choice with at least one."""
    return [
        names
        for count in range(1, len(route.row_names) + 1)
        for names in itertools.combinations(route.row_names, count)
    ]
