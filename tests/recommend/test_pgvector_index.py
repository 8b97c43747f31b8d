"""The search in PostgreSQL: what the exact index gives, and the web processes' own search where the table is gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as site
from django.db import connection

from recommend import serving
from recommend.engine.index import ExactIndex
from recommend.models import Recommender
from recommend.services import fitting, pgvector_index
from recommend.services.pgvector_index import PgVectorIndex
from recommend.services.shelves import Shelves
from tests.recommend.shops import deploy_fit, fit_now, open_fitted_shop

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith(pgvector_index.PREFIX)}


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_what_the_exact_index_finds(seed):
    rng = np.random.default_rng(seed)
    matrix = (rng.normal(size=(700, 9)) * rng.lognormal(size=(700, 1))).astype(np.float32)
    matrix[600:] = matrix[:100]  # ties
    query = rng.normal(size=9)
    allow = None if seed == 0 else rng.random(700) < 0.3
    exclude = rng.integers(0, 700, size=20)
    boosts = {int(row): float(rng.normal()) for row in rng.integers(0, 700, size=30)}

    ours = ExactIndex.build(matrix).search(query, 12, allow=allow, exclude=exclude, boosts=boosts)
    theirs = PgVectorIndex.build(f"test{seed}", matrix).search(query, 12, allow=allow, exclude=exclude, boosts=boosts)

    assert theirs.rows.tolist() == ours.rows.tolist()
    np.testing.assert_allclose(theirs.scores, ours.scores, rtol=1e-12)


def test_fewer_are_found_where_fewer_are_allowed_and_none_where_none_are_wanted():
    index = PgVectorIndex.build("small", np.eye(4, dtype=np.float32))

    assert index.search(np.ones(4), 3, allow=np.array([False, True, False, True])).rows.tolist() == [1, 3]
    assert index.search(np.ones(4), 0).rows.tolist() == []


@pytest.mark.parametrize("name", ["x; drop table catalog_product", "", "A", "a" * 46])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match="names no table"):
        pgvector_index.drop(name)


def test_a_shop_is_served_from_postgresql_with_the_same_shelves(settings):
    shop = open_fitted_shop()
    in_memory = [pick.product_id for pick in Shelves(shop.merchant, None).shelf("home", 8)]
    settings.SEARCH = "pgvector"
    deploy_fit(shop, fit_now(shop))
    serving.forget()

    served = serving.deployed(shop.merchant)

    assert isinstance(served.fitted.index, PgVectorIndex)
    assert len(tables()) == 1
    assert [pick.product_id for pick in Shelves(shop.merchant, None).shelf("home", 8)] == in_memory


def test_without_its_table_a_version_is_searched_in_memory(settings):
    settings.SEARCH = "pgvector"
    shop = open_fitted_shop()
    with connection.cursor() as cursor:
        for name in tables():
            cursor.execute(f"DROP TABLE {name}")
    serving.forget()

    assert serving.deployed(shop.merchant).fitted.index is None
    assert Shelves(shop.merchant, None).shelf("home", 8)


def test_the_vectors_go_with_the_files_of_their_version(settings, monkeypatch):
    settings.SEARCH = "pgvector"
    shop = open_fitted_shop()
    deploy_fit(shop)
    monkeypatch.setattr(fitting, "KEPT_VERSIONS", 1)
    assert len(tables()) == 2

    assert fitting.prune(merchant=shop.merchant) == 1

    kept = Recommender.objects.get(status=Recommender.Status.DEPLOYED)
    assert tables() == {pgvector_index.PREFIX + Path(site.ARTIFACTS_ROOT / kept.directory).name.replace("-", "")}
