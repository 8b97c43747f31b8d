"""Which version answers: the one in use, swapped at once; the last good one where its files cannot be read."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from structlog.testing import capture_logs

from catalog.models import Membership
from jobs.errors import Conflict, NotAllowed
from recommend import serving
from recommend.engine.fitted import ScanIndex
from recommend.engine.index import ExactIndex
from recommend.models import Recommender
from recommend.services import catalogue, fitting
from recommend.services.shelves import Shelves
from tests.recommend.shops import add_crowd, deploy_fit, fit_now, open_shop, shown, visitor, walk
from tests.styling.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = open_shop()
    add_crowd(shop)
    return shop


def spoil(recommender: Recommender, name: str = "item_matrix.npy") -> None:
    """Turn one byte of a file over, as a failing disk does."""
    path = settings.ARTIFACTS_ROOT / recommender.directory / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)


def test_another_version_serves_from_the_next_request_on_and_the_way_back_is_the_same(shop):
    first, second = deploy_fit(shop), deploy_fit(shop)
    assert serving.deployed(shop.merchant).recommender_id == second.pk
    fitting.deploy(recommender=first)

    assert serving.deployed(shop.merchant).recommender_id == first.pk
    assert Shelves(shop.merchant, None).recommender_id == first.pk
    second.refresh_from_db()
    assert second.status == Recommender.Status.RETIRED


@pytest.mark.parametrize("is_fresh_process", [True, False])
def test_where_the_version_in_use_is_corrupt_the_last_good_one_serves(shop, is_fresh_process):
    good = deploy_fit(shop)
    if not is_fresh_process:
        serving.deployed(shop.merchant)
    spoil(deploy_fit(shop))
    with capture_logs() as logs:
        for _ in range(3):
            assert serving.deployed(shop.merchant).recommender_id == good.pk
            assert len(shown(Client(), shop)) == 8

    assert [entry["event"] for entry in logs] == ["recommender.unreadable", "recommender.stands_in"]


@pytest.mark.parametrize("damage", ["flip", "cut", "missing", "no config"])
def test_with_no_readable_version_the_shelves_are_full_of_what_is_new(shop, damage):
    recommender = deploy_fit(shop)
    directory = settings.ARTIFACTS_ROOT / recommender.directory
    if damage == "flip":
        spoil(recommender, "people.npy")
    elif damage == "cut":
        (directory / "item_ids.npy").write_bytes(b"\x93NUMPY")
    elif damage == "missing":
        (directory / "recent.npy").unlink()
    else:
        (directory / "config.json").write_text("{")
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)

    assert serving.deployed(shop.merchant) is None
    assert [product for product, _ in shown(client, shop)] == [p.pk for p in reversed(shop.products())][:8]


def test_a_large_shop_is_searched_by_its_index_with_the_same_result(shop, monkeypatch):
    fitted = fit_now(shop)
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    deploy_fit(shop, fitted)
    assert isinstance(serving.deployed(shop.merchant).fitted._search, ScanIndex)
    scanned = [product for product, _ in shown(client, shop)]

    monkeypatch.setattr(serving, "INDEX_FROM", 10)
    indexed = deploy_fit(shop, fitted)
    catalogue.forget()
    assert isinstance(serving.deployed(shop.merchant).fitted._search, ExactIndex)
    assert [product for product, _ in shown(client, shop)] == scanned

    serving.forget()
    (settings.ARTIFACTS_ROOT / indexed.directory / serving.INDEX / "vectors.npy").write_bytes(b"")
    assert isinstance(serving.deployed(shop.merchant).fitted._search, ScanIndex), "slower, and right all the same"


def test_a_version_whose_files_are_gone_cannot_be_deployed(shop):
    deploy_fit(shop)
    lost = Recommender.objects.create(merchant=shop.merchant, version=9, directory="recommenders/gone")
    with pytest.raises(Conflict) as refusal:
        fitting.deploy(recommender=lost)

    assert refusal.value.code == "artifact-missing"


def test_deploying_takes_an_editor(shop):
    first, _second = deploy_fit(shop), deploy_fit(shop)
    with pytest.raises(NotAllowed):
        fitting.deploy(recommender=first, by=person(shop.merchant, Membership.Role.REVIEWER))
    fitting.deploy(recommender=first, by=person(shop.merchant, Membership.Role.EDITOR))


def test_products_that_came_after_the_fit_are_found_and_those_that_left_are_not(shop):
    deploy_fit(shop)
    newcomer = open_shop(products=1).products()[0]
    newcomer.merchant, newcomer.category, newcomer.sku = shop.merchant, shop.shelves[0], "NEW"
    newcomer.save()
    shop.products()[0].delete()

    new = Client().get(shop.home).context["slates"]["new"].items
    assert newcomer.pk in {item.product.pk for item in new}


def test_a_snapshot_that_another_thread_writes_meanwhile_disturbs_no_page(shop):
    class Interrupted(int):
        """A shop's number; while it is compared, another page's snapshot is kept."""

        def __eq__(self, other: object) -> bool:
            catalogue._kept["columns", len(catalogue._kept)] = (0.0, None)
            return super().__eq__(other)

        __hash__ = int.__hash__

    catalogue._kept["facts", Interrupted(shop.merchant.pk), "of before"] = (0.0, None)
    assert catalogue.facts(shop.merchant).categories
    catalogue.forget()
