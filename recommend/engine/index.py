"""Exact maximum-inner-product search over the product matrix, fast because most of it is never read.

A product's score for a shopper is one inner product, ``[p_u, 1, λ·s_u] · [q_i, b_i, s_i]``. A scan reads the whole
``N×D`` matrix; this index reads only what can still reach the top k, by two upper bounds that hold for every item:

1. *Block bound* (Cauchy–Schwarz, LEMP: Teflioudi et al., SIGMOD 2015). No item scores above ``‖p‖·‖q‖ + w·b``: the
   bias ``b`` enters with its own value, not with its length. Its maximum over a block of items is a convex function
   of ``‖p‖/w``; it is tabulated, and the chord between two entries lies above it.
2. *Head bound* (FEXIPRO: Li et al., SIGMOD 2017). The matrix is rotated onto its principal axes; the few leading
   coordinates are multiplied out, the rest is bounded by the product of the two remaining lengths. The bound of an
   item is itself an inner product with a 16-column matrix, one cache line per item.

Both only ever skip items that cannot win, so recall is 1.0 by construction. Where lengths and directions are too flat
for bounds, the search notices within its second round and scans.

*What "exact" means here.* Single-precision sums depend on the order of summation, so the survivors (all items within
the rounding error of the k-th score) are scored again in double precision. The result is the top k by the double
precision inner product of the stored float32 vectors, ties broken by the lower row.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommend.engine.errors import EngineError
from recommend.engine.index_bounds import (
    HEAD,
    RATIOS,
    block_bounds,
    block_table,
    principal_axes,
    squares,
    typical_scale,
)
from recommend.engine.index_search import BLOCK, Doubles, Floats, Places, Search, TopItems

FORMAT = 1
#: An ``allow`` mask that leaves at most about one item in this many is scored directly.
SPARSE = 64
#: Entries of the mask that are looked at to tell: counting all of a million would cost a tenth of the search.
GLANCE = 1024


class ExactIndex:
    """Top-k by inner product over ``N×D`` float32 item vectors, with filters and boosts. Safe to share by threads."""

    def __init__(
        self,
        *,
        vectors: Floats,
        order: Places,
        place: Places,
        heads: Floats,
        blocks: Doubles,
        rotation: Doubles,
        scale: Doubles,
        bias_column: int | None,
    ) -> None:
        """Take the arrays as `build` or `load` made them; callers use those two.

        ``vectors`` N×D in search order, ``order`` search place → row, ``place`` row → search place, ``heads``
        N×(h+2) bound rows, ``blocks`` (3+G)×B (longest, highest bias,
        lowest bias, bounds at the G `RATIOS`), ``rotation`` D×h, zero in the bias row,
        ``scale`` D, see `build`.
        """
        # A plain view of a memory map: every slice of np.memmap itself pays for its subclass.
        self._vectors = np.asarray(vectors)
        self._order = np.asarray(order)
        self._place = np.asarray(place)
        self._heads = np.asarray(heads)
        self._blocks = np.array(blocks)
        self._rotation = np.array(rotation)
        self._scale = np.array(scale)
        self.bias_column = bias_column
        # No item is longer, its bias included.
        self._longest = np.hypot(self._blocks[0], np.abs(self._blocks[1:3]).max(axis=0)).max(initial=0.0)

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def columns(self) -> int:
        """The length D of an item vector and of a query."""
        return int(self._vectors.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, in memory or mapped."""
        return sum(array.nbytes for array in self._arrays().values())

    @classmethod
    def build(
        cls,
        matrix: NDArray[np.floating],
        *,
        bias_column: int | None = None,
        typical_queries: NDArray[np.floating] | None = None,
    ) -> ExactIndex:
        """Index the N×D ``matrix`` of item vectors, one row per item.

        ``bias_column`` holds the popularity or bias of the item. ``typical_queries`` (M×D, a hundred shoppers will do)
        say which columns count: an inner product stays the same when items are stretched by what queries are shrunk
        by, but the bounds are tight only where both are of one size in all columns. They decide speed, never answers.
        Raises `EngineError` (``bad-vectors``) for a matrix that is not two-dimensional or not finite.
        """
        matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] == 0:
            raise EngineError("bad-vectors", "The item matrix must have two dimensions and at least one column.")
        if not np.isfinite(matrix).all():
            raise EngineError("bad-vectors", "The item matrix holds values that are not finite.")
        count, columns = matrix.shape
        scale, query_length = typical_scale(typical_queries, columns, bias_column)
        bias = np.zeros(count) if bias_column is None else matrix[:, bias_column].astype(np.float64)
        factors = [column for column in range(columns) if column != bias_column]
        length = np.sqrt(squares(matrix[:, factors] * scale[factors].astype(np.float32)))

        order = np.argsort(-(query_length * length + bias), kind="stable").astype(np.int32)
        place = np.empty(count, dtype=np.int32)
        place[order] = np.arange(count, dtype=np.int32)
        vectors, length, bias = matrix[order], length[order], bias[order]

        scaled = vectors * scale.astype(np.float32)
        rotation = np.zeros((columns, min(HEAD, len(factors))))
        rotation[factors] = principal_axes(scaled[:, factors], rotation.shape[1])
        head = scaled @ rotation.astype(np.float32)
        rest = np.maximum(length**2 - squares(head), 0.0)
        heads = np.column_stack([head, np.sqrt(rest), bias]).astype(np.float32)
        return cls(
            vectors=vectors,
            order=order,
            place=place,
            heads=heads,
            blocks=block_table(length, bias),
            rotation=rotation,
            scale=scale,
            bias_column=bias_column,
        )

    def save(self, directory: Path) -> None:
        """Write the index as ``.npy`` files into a new ``directory``: all of it, or nothing.

        Raises `EngineError` (``artifact-exists``) where the directory is there already: versions are immutable.
        """
        directory = Path(directory)
        if directory.exists():
            raise EngineError("artifact-exists", f"{directory} exists already.")
        directory.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        try:
            for name, array in self._arrays().items():
                with (draft / f"{name}.npy").open("wb") as file:
                    np.save(file, array, allow_pickle=False)
                    file.flush()
                    os.fsync(file.fileno())
            config = {"format": FORMAT, "items": len(self), "columns": self.columns, "bias_column": self.bias_column}
            (draft / "index.json").write_text(json.dumps(config))
            draft.chmod(0o755)
            draft.replace(directory)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    @classmethod
    def load(cls, directory: Path, *, mapped: bool = True) -> ExactIndex:
        """Open a saved index; with ``mapped`` the pages are shared by every process that opens it.

        Raises `EngineError` (``artifact-corrupt``) where a file is missing, cut short or does not fit the others.
        """
        directory = Path(directory)
        names = ("vectors", "order", "place", "heads", "blocks", "rotation", "scale")
        try:
            config = json.loads((directory / "index.json").read_text())
            arrays = {
                name: np.load(directory / f"{name}.npy", mmap_mode="r" if mapped else None, allow_pickle=False)
                for name in names
            }
            count, columns, bias_column = config["items"], config["columns"], config["bias_column"]
            fits = (
                config["format"] == FORMAT
                and arrays["vectors"].shape == (count, columns)
                and arrays["order"].shape == arrays["place"].shape == (count,)
                and arrays["rotation"].shape[0] == columns
                and arrays["scale"].shape == (columns,)
                and arrays["heads"].shape == (count, arrays["rotation"].shape[1] + 2)
                and arrays["blocks"].shape == (3 + len(RATIOS), -(-count // BLOCK))
            )
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise EngineError("artifact-corrupt", f"The index in {directory} cannot be read: {error}") from error
        if not fits:
            raise EngineError("artifact-corrupt", f"The files of the index in {directory} do not fit one another.")
        return cls(**arrays, bias_column=bias_column)

    def search(
        self,
        query: NDArray[np.floating],
        k: int,
        *,
        allow: NDArray[np.bool_] | None = None,
        exclude: Sequence[int] | NDArray[np.integer] = (),
        boosts: Mapping[int, float] | None = None,
    ) -> TopItems:
        """The ``k`` best rows for ``query`` (D values), fewer where fewer are allowed.

        ``allow`` is a boolean mask over all N rows (stock, price, category), ``exclude`` a few rows (already bought).
        ``boosts`` maps rows to a number of any sign that is added to their score: item-to-item evidence, campaigns.
        Raises `EngineError` (``bad-query``) for a query or a mask of the wrong size, or values not finite.
        """
        exact_query = np.asarray(query, dtype=np.float64)
        if exact_query.shape != (self.columns,) or not np.isfinite(exact_query).all():
            raise EngineError("bad-query", f"A query has {self.columns} finite values.")
        if allow is not None and allow.shape != (len(self),):
            raise EngineError("bad-query", "The mask must have one entry per item.")
        if k <= 0 or not len(self):
            return TopItems(np.empty(0, np.int64), np.empty(0), 0)
        boosted, added = self._sorted_boosts(boosts or {})
        excluded = np.unique(np.asarray(exclude, dtype=np.int64))
        search = Search(
            vectors=self._vectors, order=self._order, place=self._place, query=exact_query, k=k,
            error=self._rounding_error(exact_query),
        )  # fmt: skip
        # Boosted rows are few and follow no bound: they are scored at once, and the scan passes over them.
        special = np.union1d(excluded, boosted)
        keep = ~np.isin(boosted, excluded) if allow is None else allow[boosted] & ~np.isin(boosted, excluded)
        search.offer(boosted[keep], added=added[keep])
        if allow is not None and _is_sparse(allow):
            search.offer(np.setdiff1d(np.flatnonzero(allow), special, assume_unique=True))
        else:
            search.scan(heads=self._heads, bounds=self._bounds(exact_query), skip=special, allow=allow)
        return search.result()

    def _bounds(self, query: Doubles) -> tuple[Floats, Doubles]:
        """The query as it multiplies a row of ``heads``, and the upper bound of every block."""
        factors = query / self._scale
        weight = 0.0
        if self.bias_column is not None:
            weight, factors[self.bias_column] = float(query[self.bias_column]), 0.0
        head = factors @ self._rotation
        square = float(factors @ factors)
        rest = np.sqrt(max(square - float(head @ head), 0.0))
        bounds = block_bounds(self._blocks, length=np.sqrt(square), weight=weight)
        return np.array([*head, rest, weight], dtype=np.float32), bounds

    def _rounding_error(self, query: Doubles) -> float:
        """How far a single precision score or bound may lie from the true one, for any item of the index.

        A sum of n products is off by at most n·2⁻²⁴·Σ|qᵢxᵢ| (Higham, Accuracy and Stability, §3.1), and that sum is at
        most the product of the lengths; doubled for the roundings of the stored bounds.
        """
        return float(2 * (self.columns + 4) * 2.0**-24 * self._longest * np.linalg.norm(query / self._scale))

    def _sorted_boosts(self, boosts: Mapping[int, float]) -> tuple[NDArray[np.int64], Doubles]:
        rows = np.fromiter(boosts.keys(), dtype=np.int64, count=len(boosts))
        added = np.fromiter(boosts.values(), dtype=np.float64, count=len(boosts))
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self) and np.isfinite(added).all()):
            raise EngineError("bad-query", "Boosts are finite numbers for rows of the index.")
        by_row = np.argsort(rows)
        return rows[by_row], added[by_row]

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {
            "vectors": self._vectors,
            "order": self._order,
            "place": self._place,
            "heads": self._heads,
            "blocks": self._blocks,
            "rotation": self._rotation,
            "scale": self._scale,
        }


def _is_sparse(allow: NDArray[np.bool_]) -> bool:
    glance = allow[:: max(1, len(allow) // GLANCE)]
    return bool(np.count_nonzero(glance) * SPARSE <= len(glance))
