"""No published number speaks of fewer than k shoppers, and none that is withheld follows from those that are published."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest

from recommend.privacy.k_anonymity import TOTAL, Cell, Place, protect


def cell(count: int, *, first: int = 0, each: int = 1) -> Cell:
    """A cell of so many shoppers, ``each`` of whom counts for so much."""
    return Cell(count * each, set(range(first, first + count)))


def table(rows: Mapping[str, Mapping[str, int]]) -> dict[Place, Cell]:
    """A table of so many shoppers in each cell, nobody in two cells."""
    cells, first = {}, 0
    for row, columns in rows.items():
        for column, count in columns.items():
            cells[row, column] = cell(count, first=first, each=2)
            first += count
    return cells


def withheld(published: Mapping[Place, int | None]) -> set[Place]:
    return {place for place, value in published.items() if value is None}


def test_large_cells_and_their_totals_are_published():
    published = protect(table({"vases": {"ink": 10, "pop": 20}, "bowls": {"ink": 30, "pop": 40}}), k=10)
    assert published == {
        ("vases", "ink"): 20, ("vases", "pop"): 40, ("vases", TOTAL): 60,
        ("bowls", "ink"): 60, ("bowls", "pop"): 80, ("bowls", TOTAL): 140,
        (TOTAL, "ink"): 80, (TOTAL, "pop"): 120, (TOTAL, TOTAL): 200,
    }  # fmt: skip


def test_k_is_the_fewest_that_a_number_may_speak_of():
    assert protect(table({"vases": {"ink": 10}}), k=10)["vases", "ink"] == 20
    assert withheld(protect(table({"vases": {"ink": 9}}), k=10)) == {
        ("vases", "ink"), ("vases", TOTAL), (TOTAL, "ink"), (TOTAL, TOTAL)
    }  # fmt: skip


def test_one_small_cell_takes_the_cheapest_rectangle_with_it():
    """1 of 4 alone would follow from its row, and from its column: so 3 others must go too, the smallest."""
    rows = {"a": {"x": 4, "y": 30, "z": 20}, "b": {"x": 40, "y": 50, "z": 60}, "c": {"x": 70, "y": 80, "z": 90}}
    published = protect(table(rows), k=10)
    assert withheld(published) == {("a", "x"), ("a", "z"), ("b", "x"), ("b", "z")}
    assert published["a", TOTAL] == 2 * 54


def test_two_small_cells_whose_sum_is_small_need_a_third():
    """3 + 4 < 10: their row's total would tell what these seven did."""
    rows = {"a": {"x": 3, "y": 4, "z": 30}, "b": {"x": 5, "y": 5, "z": 40}, "c": {"x": 50, "y": 50, "z": 50}}
    hidden = withheld(protect(table(rows), k=10))
    assert {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")} < hidden
    assert ("a", "z") in hidden


def test_a_withheld_cell_that_follows_from_its_column_hides_nothing_in_its_row():
    """a-x is withheld for its row's sake, and its column gives it away: its row's total then tells what 3 + 4 did."""
    cells = {("a", "x"): cell(10, first=50), ("a", "y"): cell(3), ("a", "z"): cell(4), ("b", "x"): cell(40)}
    cells |= {("b", "y"): cell(5, first=20), ("b", "z"): cell(5, first=20), ("b", "w"): cell(30, first=20)}
    check(cells, 10)


def test_a_row_whose_only_cell_is_small_loses_its_total_too():
    published = protect(table({"a": {"x": 3}, "b": {"x": 40, "y": 50}}), k=10)
    assert published["a", TOTAL] is None
    assert published["a", "x"] is None


def test_the_same_shoppers_in_two_cells_are_not_more_shoppers():
    cells = {("a", "x"): cell(6), ("a", "y"): cell(6), ("b", "x"): cell(40), ("b", "y"): cell(40)}
    assert protect(cells, k=10)["a", TOTAL] is None


def test_nothing_at_all_is_an_empty_table():
    assert protect({}, k=10) == {}
    assert protect({("a", "x"): Cell()}, k=10) == {}


def determined(published: Mapping[Place, int | None]) -> set[Place]:
    """What an attacker who knows the published numbers can compute: unknowns that the sums of rows and columns fix."""
    unknown = sorted(withheld(published), key=repr)
    equations = []
    for axis in (0, 1):
        for name in {place[axis] for place in published}:
            line = [place for place in published if place[axis] == name]
            equations.append(
                [(-1.0 if place[1 - axis] == TOTAL else 1.0) if place in line else 0.0 for place in unknown]
            )
    if not unknown:
        return set()
    matrix = np.array(equations)
    rank = np.linalg.matrix_rank(matrix)
    return {
        place
        for number, place in enumerate(unknown)
        if np.linalg.matrix_rank(np.vstack([matrix, np.eye(len(unknown))[number]])) == rank
    }


def check(cells: dict[Place, Cell], k: int) -> int:
    """Prove one table safe; how many numbers were published."""
    published = protect(cells, k=k)
    small = set()
    lines: dict[Place, set[int]] = {}
    for (row, column), one in cells.items():
        for place in ((row, column), (row, TOTAL), (TOTAL, column), (TOTAL, TOTAL)):
            lines.setdefault(place, set()).update(one.shoppers)
    for place, shoppers in lines.items():
        if 0 < len(shoppers) < k:
            small.add(place)
            assert published[place] is None
    follow = determined(published)
    assert not follow & small
    for axis in (0, 1):
        for name in {place[axis] for place in cells}:
            total = (name, TOTAL) if axis == 0 else (TOTAL, name)
            hidden = [p for p in cells if p[axis] == name and cells[p].shoppers and published[p] is None]
            left = [p for p in hidden if p not in follow]
            if left and (published[total] is not None or total in follow):
                assert len(set().union(*(cells[p].shoppers for p in left))) >= k
    return sum(value is not None for value in published.values())


@pytest.mark.parametrize("seed", range(60))
def test_an_attacker_with_linear_algebra_learns_no_small_number(seed):
    chance = random.Random(seed)
    height, width, people = chance.randint(1, 6), chance.randint(1, 6), chance.choice([30, 80, 300])
    cells: dict[Place, Cell] = {}
    for row in range(height):
        for column in range(width):
            count = chance.choice([0, 0, 1, 2, 5, 9, 10, 12, 25])
            shoppers = set(chance.sample(range(people), count))
            cells[f"r{row}", f"c{column}"] = Cell(sum(1 + person % 3 for person in shoppers), shoppers)
    check(cells, chance.choice([3, 10]))


@pytest.mark.parametrize("seed", range(60))
def test_nor_what_few_did_in_several_cells_of_one_row_or_column(seed):
    """The same few shoppers in many cells, so that what is withheld of a row is often of too few."""
    chance = random.Random(seed)
    cells: dict[Place, Cell] = {}
    for row in range(4):
        for column in range(4):
            if chance.random() < 0.7:
                shoppers = set(chance.sample(range(6), chance.choice([1, 1, 2, 3, 4, 5])))
                cells[row, column] = Cell(sum(1 + person % 3 for person in shoppers), shoppers)
    check(cells, 3)


def test_the_attacker_can_compute_what_simple_suppression_leaves():
    cells = table({"a": {"x": 4, "y": 30}, "b": {"x": 40, "y": 50}})
    published = protect(cells, k=1)
    published["a", "x"] = None
    assert determined(published) == {("a", "x")}


def test_a_large_table_keeps_most_of_its_numbers():
    rows = {f"r{row}": {f"c{column}": 10 + (row * column) % 40 for column in range(8)} for row in range(20)}
    rows["r3"]["c3"] = 2
    assert check(table(rows), 10) >= 20 * 8 + 28 + 1 - 4
