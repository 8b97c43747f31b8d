"""Pictures by web address: fetched once each, a bad one noted with its row."""

from __future__ import annotations

import pytest

from catalog.models import Product, ProductImage
from catalog.remote import RejectedUrl
from catalog.services.import_sources import Source
from catalog.services.imports import apply
from tests.catalog.factories import MerchantFactory, picture_bytes

pytestmark = pytest.mark.django_db


def source(*images):
    lines = "".join(f"S-{number},Vase,5,{urls}\n" for number, urls in enumerate(images))
    return Source("products.csv", f"sku,name,price,images\n{lines}".encode())


def pictures_of_the_web(**colors):
    """A stand-in for the web, and the addresses that it was asked for."""
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        name = url.rsplit("/", 1)[-1]
        if name not in colors:
            raise RejectedUrl("url-refused", "The site answers with the status 404.")
        return picture_bytes(color=colors[name])

    return fetch, asked


def test_addresses_are_fetched_in_order_and_once_for_all_rows_that_name_them():
    fetch, asked = pictures_of_the_web(a=(1, 2, 3), b=(250, 2, 3))
    urls = [f"https://pictures.example/{name}" for name in ("a", "b")]
    planned = apply(merchant=MerchantFactory(), source=source("|".join(urls), urls[1]), fetch=fetch)
    assert sorted(asked) == urls
    assert planned.pictures_added == 3
    assert list(Product.objects.get(sku="S-0").images.values_list("position", flat=True)) == [0, 1]


def test_an_address_that_gives_nothing_is_noted_and_blocks_nothing():
    fetch, _asked = pictures_of_the_web()
    planned = apply(merchant=MerchantFactory(), source=source("https://pictures.example/gone"), fetch=fetch)
    assert [problem.code for row in planned.rows for problem in row.picture_problems] == ["url-refused"]
    assert "https://pictures.example/gone" in str(planned.rows[0].picture_problems[0].message)
    assert Product.objects.count() == 1


def test_an_address_within_the_network_is_never_asked():
    planned = apply(merchant=MerchantFactory(), source=source("http://127.0.0.1:9/a.png"))
    assert [problem.code for row in planned.rows for problem in row.picture_problems] == ["url-not-public"]


def test_stopping_keeps_what_is_there_and_the_rest_follows():
    fetch, asked = pictures_of_the_web(**{str(number): (number * 20, 2, 3) for number in range(12)})
    merchant, addresses = MerchantFactory(), [f"https://pictures.example/{number}" for number in range(12)]
    apply(
        merchant=merchant,
        source=source(*addresses),
        fetch=fetch,
        should_stop=lambda: ProductImage.objects.count() >= 3,
    )
    assert ProductImage.objects.count() == 3
    apply(merchant=merchant, source=source(*addresses), fetch=fetch)
    assert ProductImage.objects.count() == 12
    assert set(asked) == set(addresses)
