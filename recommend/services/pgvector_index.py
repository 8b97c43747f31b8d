"""The search over products in PostgreSQL, by pgvector: for who wants the vectors beside the other data.

It stands behind the same interface as the exact index of the web processes (``engine.fitted.ItemIndex``) and gives the same
answers. It is slower (decision 0008), so ``STYLEREC_SEARCH`` must ask for it. A version's vectors are a table of their own:
made by the fit, dropped with the version's files, whatever becomes of the rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from recommend.engine.fitted import Found, ScanResult

PREFIX = "recommend_vectors_"
#: Rows that are fetched beyond the wanted ones: PostgreSQL adds up in single precision, and the last places are settled
#: here in double.
SLACK = 16
_NAME = re.compile(r"[a-z0-9_]{1,45}")


class _Copy(Protocol):
    def write_row(self, row: Sequence[Any]) -> None: ...


class PgVectorIndex:
    """Top k by inner product over a table of pgvector's, with filters and boosts; recall 1, since nothing is approximated."""

    def __init__(self, name: str, matrix: NDArray[np.float32]) -> None:
        """``name`` as given to ``build``; ``matrix``: N×D, the same rows (a memory map will do)."""
        self._table, self._matrix = _table(name), matrix

    @classmethod
    def build(cls, name: str, matrix: NDArray[np.float32]) -> PgVectorIndex:
        """Make the table; it appears whole or not at all. Replaces one of the same name."""
        table = _table(name)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
            cursor.execute(f"CREATE TABLE {table} (row integer PRIMARY KEY, vector vector({matrix.shape[1]}) NOT NULL)")
            with cursor.copy(f"COPY {table} (row, vector) FROM STDIN") as copy:
                lines = cast(_Copy, copy)
                for row, vector in enumerate(matrix):
                    lines.write_row((row, _text(vector)))
        return cls(name, matrix)

    @property
    def is_there(self) -> bool:
        """Whether the table holds every row: a restored database may lack it."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [self._table])
            if not cursor.fetchone()[0]:
                return False
            cursor.execute(f"SELECT count(*) FROM {self._table}")  # noqa: S608 - a checked name
            return bool(cursor.fetchone()[0] == len(self._matrix))

    def search(
        self,
        query: NDArray[np.floating],
        k: int,
        *,
        allow: NDArray[np.bool_] | None = None,
        exclude: Sequence[int] | NDArray[np.integer] = (),
        boosts: Mapping[int, float] | None = None,
    ) -> Found:
        """As ``engine.index.ExactIndex.search``. The mask travels as a bit a product, 12 kB for 100,000."""
        if k <= 0:
            return ScanResult(np.zeros(0, dtype=np.int64), np.zeros(0))
        boosts = boosts or {}
        closed = {int(row) for row in exclude}
        conditions, values = ["NOT row = ANY(%s)"], [sorted(closed | boosts.keys())]
        if allow is not None:
            conditions.append("get_bit(%s::bytea, row) = 1")
            values.append(np.packbits(allow, bitorder="little").tobytes())  # type: ignore[arg-type]
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT row FROM {self._table} WHERE {' AND '.join(conditions)} "  # noqa: S608 - a checked name
                "ORDER BY vector <#> %s::vector, row LIMIT %s",
                [*values, _text(query), k + SLACK],
            )
            found = [row for (row,) in cursor.fetchall()]
        found += [row for row in boosts if row not in closed and (allow is None or allow[row])]
        rows = np.array(found, dtype=np.int64)
        scores = (np.asarray(self._matrix[rows], dtype=np.float64) * np.asarray(query, dtype=np.float64)).sum(axis=1)
        scores += np.array([boosts.get(row, 0.0) for row in found])
        best = np.lexsort((rows, -scores))[:k]
        return ScanResult(rows[best], scores[best])


def drop(name: str) -> None:
    """Drop the table of a version, if there is one."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_table(name)}")


def _table(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} names no table of vectors")
    return PREFIX + name


def _text(vector: NDArray[np.floating]) -> str:
    return "[" + ",".join(f"{value:.9g}" for value in vector.tolist()) + "]"
