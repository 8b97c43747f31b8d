"""A typed Python client generated from the schema, used from end to end."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.core.management import call_command

from recommend.services import event_stream
from tests.api.clients import token_of
from tests.catalog.factories import MerchantFactory

PACKAGE = "stylerec_client"
CONFIG = Path(site.BASE_DIR) / "docs" / "python-client.yml"


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> Iterator[None]:
    """The client, generated as ``make client`` does, and importable."""
    folder = tmp_path_factory.mktemp("client")
    schema, warnings = folder / "openapi.json", io.StringIO()
    call_command("spectacular", file=str(schema), format="openapi-json", fail_on_warn=True, validate=True)
    program = Path(sys.executable).parent / "openapi-python-client"
    command = [program, "generate", "--path", schema, "--meta", "none", "--config", CONFIG]
    made = subprocess.run(
        [*command, "--output-path", folder / PACKAGE], capture_output=True, text=True, timeout=120, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr + warnings.getvalue()
    assert "WARNING" not in made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


def part(path: str) -> Any:
    """A module of the client."""
    return importlib.import_module(f"{PACKAGE}.{path}" if path else PACKAGE)


@pytest.mark.django_db(transaction=True)
def test_a_program_fills_a_shop_and_asks_what_to_show(generated, live_server):
    models = part("models")
    bulk, listing = part("api.products.products_bulk_create"), part("api.products.products_list")
    shoppers, events = part("api.shoppers.shoppers_update"), part("api.events.events_create")
    shelf = part("api.recommendations.recommendations_retrieve")
    merchant = MerchantFactory()
    secret = token_of(merchant)

    with part("").AuthenticatedClient(base_url=live_server.url, token=secret, prefix="Token") as client:
        rows = [models.ProductRequest(sku=f"V-{n}", name=f"Vase {n}", price=f"{10 + n}.00", stock=5) for n in range(3)]
        key = str(uuid.uuid4())
        body = models.BulkProductsRequest(products=rows)
        outcome = bulk.sync(client=client, body=body, idempotency_key=key)
        again = bulk.sync_detailed(client=client, body=body, idempotency_key=key)
        assert (outcome.created, outcome.refused) == (3, 0)
        assert (again.parsed, again.headers["Idempotency-Replayed"]) == (outcome, "true")

        page = listing.sync(client=client, page_size=2)
        assert [row.sku for row in page.results] == ["V-2", "V-1"]
        assert page.next_

        state = shoppers.sync(client=client, visitor_id="anna", body=models.ConsentRequest(personalisation=True))
        assert (state.consent, state.personalisation) == ("granted", True)
        event = models.EventRequest(id=uuid.uuid4(), shopper="anna", product="V-1", kind=models.KindEnum.PURCHASE)
        taken = events.sync(client=client, body=models.EventsRequest(events=[event]))
        assert (taken.accepted, taken.refused) == (1, [])
        consumer = event_stream.Consumer()
        consumer.prepare()
        consumer.consume(wait_ms=200)

        statistics = part("api.statistics.statistics_retrieve").sync(client=client, weeks=1)
        assert (statistics.smallest_group, statistics.lines) == (10, [])

        found = shelf.sync(client=client, shopper="anna", n=2)
        assert found.personal
        assert {item.sku for item in found.items} <= {"V-0", "V-2"}

        refused = shelf.sync(client=client, product="NONE", slot=models.RecommendationsRetrieveSlot.PRODUCT)
        assert isinstance(refused, models.Error)
        assert refused.error.code == "no-such-product"
