"""Which numbers of a table may leave the house: each must speak of at least k shoppers, and no total may give away another.

A number of fewer than k shoppers is withheld (primary suppression). In a table with row and column totals that is not
enough: a row's total minus its published cells is what was withheld. So more is withheld until

1. what is withheld of any row or column whose total is published or follows is, without what follows, together of at
   least k shoppers, and
2. no number of fewer than k shoppers follows from the totals: seen as edges between rows and columns, the withheld cells
   determine exactly those of them that are bridges (Gusfield 1988, "A graph theoretic approach to statistical data
   security", SIAM J. Computing 17). The totals themselves are one more row and column.

Cells without a shopper are published as what they are: nothing. Sound for single numbers and for what is left of one row or
column, against who knows the table alone; sums of withheld cells that follow from several rows and columns at once are not
looked at. Who knows most of a group from elsewhere, or compares tables from before and after an erasure, knows more, as with
any k-anonymous table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

#: The name of the row and the column that hold the totals.
TOTAL = "*total*"
Place = tuple[Hashable, Hashable]
#: A row (0, name) or a column (1, name).
Node = tuple[int, Hashable]
Lines = Mapping[Node, list[Place]]
#: Totals, and shoppers, that are lost.
Cost = tuple[int, int]


@dataclass
class Cell:
    """A number, and the shoppers that it is made of."""

    value: int = 0
    shoppers: set[int] = field(default_factory=set)

    def add(self, value: int, shopper: int) -> None:
        """Count ``value`` of a shopper."""
        self.value += value
        self.shoppers.add(shopper)

    def published(self, k: int) -> int | None:
        """The number where it stands alone, beside no total; None where it speaks of too few."""
        return None if 0 < len(self.shoppers) < k else self.value


def protect(cells: Mapping[Place, Cell], *, k: int) -> dict[Place, int | None]:
    """The table with its totals (row or column ``TOTAL``), as it may be published.

    Args:
        cells: by (row, column); a cell that is not there is 0. Values of cells add up to the totals.
        k: the fewest shoppers that a published number is made of.

    Returns:
        the value of each cell and total that is not 0, and None where it is withheld.
    """
    table = _with_totals(cells)
    withheld = {place for place, cell in table.items() if len(cell.shoppers) < k}
    small = frozenset(withheld)
    lines = _lines(table)
    while more := _for_lines(table, lines, withheld, k) or _for_a_bridge(table, lines, withheld, small):
        withheld |= more
    return {place: None if place in withheld else cell.value for place, cell in table.items()}


def _with_totals(cells: Mapping[Place, Cell]) -> dict[Place, Cell]:
    table = {place: cell for place, cell in cells.items() if cell.shoppers}
    totals: dict[Place, Cell] = defaultdict(Cell)
    for (row, column), cell in table.items():
        for place in ((row, TOTAL), (TOTAL, column), (TOTAL, TOTAL)):
            totals[place].value += cell.value
            totals[place].shoppers |= cell.shoppers
    return table | totals


def _lines(places: Iterable[Place]) -> Lines:
    """The places of each row (0, name) and each column (1, name); the total is the one whose other name is ``TOTAL``."""
    lines: dict[Node, list[Place]] = defaultdict(list)
    for place in sorted(places, key=repr):
        for axis in (0, 1):
            lines[axis, place[axis]].append(place)
    return lines


def _for_lines(table: Mapping[Place, Cell], lines: Lines, withheld: set[Place], k: int) -> set[Place]:
    """What to withhold besides, where a known total minus the known cells is of too few shoppers; bridges are known."""
    more: set[Place] = set()
    follow = _bridges(withheld)
    for (axis, _name), places in lines.items():
        parts = [place for place in places if place[1 - axis] != TOTAL]
        total = next(place for place in places if place[1 - axis] == TOTAL)
        hidden = [place for place in parts if place in more or (place in withheld and place not in follow)]
        if (total in withheld and total not in follow) or total in more or not hidden:
            continue
        if len(set().union(*(table[place].shoppers for place in hidden))) < k:
            others = [place for place in parts if place not in withheld and place not in more]
            if others or total not in withheld:
                more.add(min(others, key=lambda place: _cost(table, place), default=total))
            else:
                more |= _way_round(table, lines, withheld, total)
    return more


def _for_a_bridge(
    table: Mapping[Place, Cell], lines: Lines, withheld: set[Place], small: frozenset[Place]
) -> set[Place]:
    """What to withhold besides, where a small number follows from the totals: the cheapest way round."""
    bridges = _bridges(withheld) & small
    return _way_round(table, lines, withheld, min(bridges, key=repr)) if bridges else set()


def _way_round(table: Mapping[Place, Cell], lines: Lines, withheld: set[Place], bridge: Place) -> set[Place]:
    """The places on the cheapest path from the bridge's row to its column that are not withheld yet (Dijkstra 1959)."""
    start, goal = (0, bridge[0]), (1, bridge[1])
    turn = count()  # paths of the same cost in the order in which they were found
    waiting: list[tuple[Cost, int, Node, set[Place]]] = [((0, 0), next(turn), start, set())]
    done: set[Node] = set()
    while waiting:
        cost, _, node, path = heappop(waiting)
        if node == goal:
            return path
        if node in done:
            continue
        done.add(node)
        for place in lines[node]:
            axis = 1 - node[0]
            other = (axis, place[axis])
            more = (0, 0) if place in withheld else _cost(table, place)[:2]
            if place != bridge and other not in done:
                along = path if place in withheld else path | {place}
                heappush(waiting, ((cost[0] + more[0], cost[1] + more[1]), next(turn), other, along))
    raise AssertionError("every cell lies on a cycle through the totals")


def _cost(table: Mapping[Place, Cell], place: Place) -> tuple[int, int, str]:
    """Totals are dearer than cells, and many shoppers dearer than few; the name decides the rest."""
    return int(TOTAL in place), len(table[place].shoppers), repr(place)


def _bridges(edges: set[Place]) -> set[Place]:
    """The edges of the graph between rows and columns that lie on no cycle (Tarjan 1974)."""
    neighbours: dict[Node, list[tuple[Node, Place]]] = defaultdict(list)
    for place in edges:
        row, column = (0, place[0]), (1, place[1])
        neighbours[row].append((column, place))
        neighbours[column].append((row, place))
    order: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    found: set[Place] = set()
    for start in neighbours:
        if start in order:
            continue
        order[start] = lowest[start] = len(order)
        stack: list[tuple[Node, Place | None, Iterator[tuple[Node, Place]]]] = [(start, None, iter(neighbours[start]))]
        while stack:
            node, came_by, rest = stack[-1]
            for other, place in rest:
                if place == came_by:
                    continue
                if other in order:
                    lowest[node] = min(lowest[node], order[other])
                    continue
                order[other] = lowest[other] = len(order)
                stack.append((other, place, iter(neighbours[other])))
                break
            else:
                stack.pop()
                if stack:
                    parent = stack[-1][0]
                    lowest[parent] = min(lowest[parent], lowest[node])
                    if lowest[node] > order[parent] and came_by is not None:
                        found.add(came_by)
    return found
