"""An install whose keys lay beside what they seal moves them out, and can go back."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from recommend import pseudonyms
from recommend.models import Shopper
from recommend.privacy import key_store
from recommend.services import shoppers
from tests.catalog.factories import MerchantFactory

BEFORE, AFTER = [("recommend", "0003_learn_from_slates")], [("recommend", "0006_no_keys_beside_shoppers")]


def migrate(target: list[tuple[str, str]]):
    executor = MigrationExecutor(connection)
    executor.migrate(target)
    return MigrationExecutor(connection).loader.project_state(target).apps.get_model("recommend", "Shopper")


@pytest.fixture
def _whole_again(transactional_db):
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.mark.usefixtures("_whole_again")
def test_keys_move_out_of_the_table_and_back():
    merchant = MerchantFactory()
    one = shoppers.grant_consent(merchant=merchant, visitor_id="one")
    shoppers.grant_consent(merchant=merchant, visitor_id="two")
    shoppers.hide_tag(shopper=one, style_id=9)

    old = migrate(BEFORE)
    row = old.objects.get(pk=one.pk)
    assert pseudonyms.unseal(row.sealed_profile, wrapped_key=row.wrapped_key) == {"hidden_styles": [9]}
    for key_id in key_store.every():
        key_store.forget([key_id])

    migrate(AFTER)
    one, two = Shopper.objects.order_by("pk")
    assert one.key_id != two.key_id
    assert set(key_store.every()) == {one.key_id}
    assert shoppers.hidden_tags(one) == {9}
    with connection.cursor() as cursor:
        columns = {
            column.name for column in connection.introspection.get_table_description(cursor, Shopper._meta.db_table)
        }
    assert "wrapped_key" not in columns
