"""Search finds Chinese and English, and only what holds every word."""

from __future__ import annotations

import pytest

from catalog.models import Product
from catalog.search import matches, searchable, tokens_of
from tests.catalog.factories import ProductFactory


def test_chinese_becomes_characters_and_pairs():
    assert tokens_of("青瓷花瓶") == ["青", "瓷", "花", "瓶", "青瓷", "瓷花", "花瓶"]


def test_latin_words_are_folded_and_numbers_kept():
    assert tokens_of("Cobalt-Blue VASE 12") == ["cobalt", "blue", "vase", "12"]


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
        ("%", {"vase", "bowl"}),  # nothing to look for: everything
    ],
)
def test_a_query_finds_rows_that_hold_all_its_tokens(query, found):
    ProductFactory(sku="vase", search_text=searchable("Celadon vase", "青瓷花瓶"))
    ProductFactory(sku="bowl", search_text=searchable("Celadon bowl", "青瓷碗"))
    assert set(Product.objects.filter(matches(query)).values_list("sku", flat=True)) == found
