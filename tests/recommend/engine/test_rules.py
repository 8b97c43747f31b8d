"""The merchant's rules: what each lets through, what it does to the shelf, and that no shelf is empty without need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommend.engine.errors import EngineError
from recommend.engine.index import ExactIndex
from recommend.engine.rules import CatalogueColumns, Rules, boosts, fill_shelf

#: Eight products: the first four in category 1, the others in 2; product 5 is out of stock.
CATALOGUE = CatalogueColumns(
    in_stock=np.array([True, True, True, True, True, False, True, True]),
    price=np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0]),
    category=np.array([1, 1, 1, 1, 2, 2, 2, 2]),
)


@dataclass(frozen=True)
class ByIndex:
    """The exact search as a source: product 0 has the highest score, product 7 the lowest."""

    name: str = "for-you"

    def __call__(self, allow, boosts, k):
        index = ExactIndex.build(np.linspace(0.8, 0.1, len(allow))[:, None])
        found = index.search(np.ones(1), k, allow=allow, boosts=boosts)
        return found.rows, found.scores


@dataclass(frozen=True)
class Silent:
    """A source that has nothing to say."""

    name: str = "silent"

    def __call__(self, allow, boosts, k):
        return np.empty(0, dtype=np.int64), np.empty(0)


def shelf(k=4, *, catalogue=CATALOGUE, sources=(ByIndex(),), vectors=None, **rules):
    return fill_shelf(k, catalogue=catalogue, rules=Rules(**rules), sources=sources, vectors=vectors)


def rows(found):
    return [item.row for item in found.items]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"bought": [0, 2]}, [1, 3, 4, 6]),
        ({"lowest_price": 35}, [3, 4, 6, 7]),
        ({"lowest_price": 15, "highest_price": 30}, [1, 2]),
        ({"categories": [2]}, [4, 6, 7]),
        ({"hidden": [1], "hidden_categories": [2]}, [0, 2, 3]),
        ({"boosted": {7: 1.0, 0: -0.25}}, [7, 1, 2, 0]),
        ({"boosted_categories": {2: 0.35}}, [0, 4, 1, 2]),
        ({"pinned": [6, 3]}, [6, 3, 0, 1]),
        ({"pinned": [5, 99, 6], "bought": [0]}, [6, 1, 2, 3]),  # out of stock, long gone
        ({"category_cap": 2}, [0, 1, 4, 6]),
        ({"category_cap": 2, "pinned": [3, 2]}, [3, 2, 4, 6]),
        ({"category_cap": 1, "categories": [1]}, [0, 1, 2, 3]),  # the cap gives way to a full shelf
    ],
)
def test_each_rule_does_what_it_says(rules, expected):
    assert rows(shelf(**rules)) == expected


def test_every_decision_leaves_a_trace():
    found = shelf(pinned=[3], boosted={7: 1.0, 0: -0.25}, category_cap=2, hidden=[1], bought=[2])

    traces = {item.row: (item.source, item.trace) for item in found.items}
    assert traces == {
        3: ("pinned", ("pinned",)),
        7: ("for-you", ("boosted",)),
        0: ("for-you", ("buried",)),
        4: ("for-you", ()),
    }
    assert found.kept_out == {"hidden": 1, "stock": 1, "category": 0, "price": 0, "bought": 1}


def test_over_the_cap_is_said():
    found = shelf(k=3, category_cap=1, categories=[1])

    assert [item.trace for item in found.items] == [(), ("over-cap",), ("over-cap",)]


def test_variety_moves_another_look_up_and_says_so():
    looks = np.array([[1.0, 0.0]] * 4 + [[0.0, 1.0]] * 4)

    found = shelf(k=2, vectors=looks, relevance=0.5)

    assert rows(found) == [0, 4]
    assert found.items[1].trace == ("for-variety",)


def test_a_weaker_source_fills_what_a_silent_one_leaves():
    assert {item.source for item in shelf(sources=[Silent(), ByIndex()]).items} == {"for-you"}
    assert {item.source for item in shelf(sources=[Silent()]).items} == {"catalogue"}


@pytest.mark.parametrize(
    ("rules", "trace"),
    [
        ({"lowest_price": 1000}, ("without:price",)),
        ({"categories": [9]}, ("without:price", "without:category")),
        ({"bought": range(8)}, ("without:price", "without:category", "without:bought")),
    ],
)
def test_rules_are_given_up_one_by_one_before_a_shelf_is_empty(rules, trace):
    found = shelf(**rules)

    assert rows(found) == [0, 1, 2, 3]
    assert found.items[0].trace == trace


def test_a_filter_that_leaves_something_is_never_given_up():
    assert rows(shelf(highest_price=10)) == [0]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_shelf_is_empty_repeats_itself_or_shows_what_is_hidden(data):
    count = data.draw(st.integers(1, 12))
    some = st.lists(st.integers(0, 12), max_size=12)
    catalogue = CatalogueColumns(
        in_stock=np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count))),
        price=np.arange(count, dtype=float),
        category=np.arange(count) % 3,
    )
    rules = {
        "pinned": data.draw(some),
        "hidden": data.draw(some),
        "bought": data.draw(some),
        "categories": data.draw(st.none() | some),
        "category_cap": data.draw(st.none() | st.integers(0, 3)),
        "highest_price": data.draw(st.none() | st.floats(-1, 13)),
        "relevance": data.draw(st.sampled_from([1.0, 0.5])),
    }
    k = data.draw(st.integers(1, 6))
    sources = data.draw(st.sampled_from([(), (Silent(),), (ByIndex(),), (Silent(), ByIndex())]))

    found = rows(shelf(k, catalogue=catalogue, sources=sources, vectors=np.eye(count), **rules))

    visible = set(range(count)) - set(rules["hidden"])
    assert bool(found) == bool(visible)
    assert len(found) == len(set(found)) <= k
    assert set(found) <= visible


def test_boosts_of_product_and_category_add_up_and_cancel():
    assert boosts(CATALOGUE, Rules(boosted={4: 0.5, 6: -1.0, 77: 1.0}, boosted_categories={2: 1.0})) == {
        4: 1.5,
        5: 1.0,
        7: 1.0,
    }


def test_uneven_columns_are_refused():
    with pytest.raises(EngineError, match="length"):
        CatalogueColumns(in_stock=np.ones(2, dtype=bool), price=np.ones(3), category=np.ones(2, dtype=np.int64))
