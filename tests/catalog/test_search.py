"""Search finds Chinese and English, and only what holds every word."""

from __future__ import annotations

import importlib

import pytest
from django.core.management import call_command
from django.db import connection

from catalog.models import Product
from catalog.search import LONGEST_TOKEN, MOST_BYTES, matches, searchable, tokens_of
from catalog.services.products import save_product
from tests.catalog.factories import MerchantFactory, ProductFactory


def _found(query: str, **options: int) -> set[str]:
    return set(Product.objects.filter(matches(query, **options)).values_list("sku", flat=True))


def test_chinese_becomes_characters_and_pairs():
    assert tokens_of("青瓷花瓶") == ["青", "瓷", "花", "瓶", "青瓷", "瓷花", "花瓶"]


def test_latin_words_are_folded_and_numbers_kept():
    assert tokens_of("Cobalt-Blue VASE 12") == ["cobalt", "blue", "vase", "12"]


def test_chinese_beside_latin_letters_is_a_word_of_its_own():
    assert tokens_of("LED灯泡3只") == ["led", "灯", "泡", "灯泡", "3", "只"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("花瓶", {"vase"}),
        ("青瓷 花瓶", {"vase"}),
        ("青瓷", {"vase", "bowl"}),
        ("瓶", {"vase"}),
        ("瓶花", set()),  # the pair in this order occurs nowhere
        ("cel", {"vase", "bowl"}),
        ("adon", set()),  # the middle of a word is no match
        ("celadon bowl", {"bowl"}),
        ("CELADON Bow", {"bowl"}),
        ("celadon and not or near", set()),  # words of the index's own language are words
        ("é", {"cup"}),  # the beginning of a word that is not ASCII; “e” begins another
        ("e", set()),
        ("灯", {"lamp"}),
        ("led灯", {"lamp"}),
        ("%", {"vase", "bowl", "cup", "lamp"}),  # nothing to look for: everything
        ("§1", set()),  # what marks a shop in the index is no word
        ("w" * 3_000, {"long"}),
        ("w" * LONGEST_TOKEN + "v", {"long"}),  # what counts of it is the same
        ("w" * (LONGEST_TOKEN - 1) + "v", set()),
    ],
)
def test_a_query_finds_rows_that_hold_all_its_tokens(query, found):
    ProductFactory(sku="vase", search_text=searchable("Celadon vase", "青瓷花瓶"))
    ProductFactory(sku="bowl", search_text=searchable("Celadon bowl", "青瓷碗"))
    ProductFactory(sku="cup", search_text=searchable("Émail cup"))
    ProductFactory(sku="lamp", search_text=searchable("LED灯泡"))
    ProductFactory(sku="long", search_text=searchable("w" * 2_500))
    assert _found(query) == (found | {"long"} if query == "%" else found)


@pytest.mark.django_db
def test_the_index_follows_every_way_of_writing_a_product():
    product, other = ProductFactory(search_text=" old "), ProductFactory(search_text=" other ")
    Product.objects.filter(pk=product.pk).update(search_text=" new ")
    assert (_found("old"), _found("new")) == (set(), {product.sku})
    product.refresh_from_db()
    product.search_text = " newer still "
    Product.objects.bulk_update([product], ["search_text"])
    assert (_found("still"), _found("newe")) == ({product.sku}, {product.sku})
    Product.objects.bulk_create(
        [Product(merchant=product.merchant, sku="made", name="Made", price=1, search_text=" still ")]
    )
    assert _found("still") == {product.sku, "made"}
    Product.objects.filter(sku="made").delete()
    other.merchant.delete()
    assert (_found("still"), _found("other")) == ({product.sku}, set())


@pytest.mark.django_db
def test_a_shop_finds_its_own_products_also_after_they_moved():
    here, there = MerchantFactory(), MerchantFactory()
    product = ProductFactory(merchant=here, search_text=" vase ")
    ProductFactory(merchant=there, search_text=" vase ")
    assert _found("vase", shop=here.pk) == {product.sku}
    Product.objects.filter(pk=product.pk).update(merchant=there)
    assert _found("vase", shop=here.pk) == set()
    assert product.sku in _found("vase", shop=there.pk)


@pytest.mark.django_db
def test_two_searches_of_one_query_set_are_two_conditions():
    ProductFactory(sku="both", search_text=" red vase ")
    ProductFactory(sku="one", search_text=" red bowl ")
    assert Product.objects.filter(matches("red")).filter(matches("vase")).get().sku == "both"
    assert Product.objects.exclude(matches("vase")).get().sku == "one"


@pytest.mark.django_db
@pytest.mark.sqlite
def test_the_triggers_are_there_after_all_migrations():
    """If not: a later migration made SQLite build ``catalog_product`` anew. It must end with ``make_triggers`` of 0008."""
    migration = importlib.import_module("catalog.migrations.0008_search_index")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'catalog_product'")
        assert {name for (name,) in cursor.fetchall()} >= set(migration.TRIGGERS)


def test_no_text_makes_more_tokens_than_an_index_takes():
    words = [f"字{number:06d}" for number in range(120_000)]
    text = searchable("Vase", " ".join(words))
    assert MOST_BYTES - 20 < len(text.encode()) <= MOST_BYTES
    assert text.startswith(" vase 字 000000 000001 ")
    assert text.split()[-1] == f"{len(text.split()) - 3:06d}", "cut between two tokens"
    assert text.endswith(" ")
    assert searchable(text) == text


@pytest.mark.django_db
def test_a_product_of_very_many_words_is_saved_and_found():
    merchant = MerchantFactory()
    long = " ".join(f"word{number:06d}" for number in range(120_000))
    product, _is_new = save_product(merchant=merchant, sku="big", name="Big", price=1, description=long)
    assert _found("word000100 big") == {product.sku}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", ["0006", "0007"])
def test_products_of_too_many_words_are_cut_before_they_are_indexed(before):
    """An earlier version took them, and one that could not index them has stopped behind 0007."""
    product = ProductFactory(sku="big")
    call_command("migrate", "catalog", before, verbosity=0)
    words = " ".join(f"word{number:06d}" for number in range(120_000))
    Product.objects.filter(pk=product.pk).update(search_text=f" {words} ")
    call_command("migrate", verbosity=0)
    assert _found("word000100") == {"big"}
    product.refresh_from_db()
    if before == "0006" or connection.vendor == "postgresql":
        assert len(product.search_text) <= MOST_BYTES


@pytest.mark.django_db(transaction=True)
def test_products_of_before_the_index_are_found_after_it_and_mixed_words_are_parted():
    product = ProductFactory(sku="lamp", search_text=" led灯泡 ")
    call_command("migrate", "catalog", "0006", verbosity=0)
    call_command("migrate", verbosity=0)
    assert _found("灯泡") == _found("led") == {product.sku}
    product.delete()
    assert _found("led") == set()
