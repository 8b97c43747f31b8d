"""Read interaction files: MovieLens ``u.data`` and plain CSV, both also gzipped."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import numpy as np

from recommend.engine.errors import EngineError
from recommend.engine.interactions import Interactions

REQUIRED = ("user", "item", "timestamp")
#: Without an ``event`` column, values up to this are read as ratings and larger ones as quantities.
HIGHEST_RATING = 5.0


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig", newline="") as file
        ):
            yield file
    except FileNotFoundError as error:
        raise EngineError("no-file", f"There is no file {path}.") from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise EngineError("bad-row", f"{path} cannot be read as text: {error}") from error


def read_movielens(path: Path | str) -> Interactions:
    """Read tab-separated ``user, item, rating, timestamp`` without a header (MovieLens 100K's ``u.data``)."""
    users: list[str] = []
    items: list[str] = []
    values: list[float] = []
    timestamps: list[float] = []
    with _open_text(Path(path)) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            fields = line.rstrip("\r\n").split("\t")
            if len(fields) == 1:
                fields = line.rstrip("\r\n").split("::")
            try:
                user, item, value, timestamp = fields[:4]
                values.append(float(value))
                timestamps.append(float(timestamp))
            except ValueError as error:
                raise EngineError(
                    "bad-row", f"{path} line {number}: expected user, item, rating and timestamp separated by tabs."
                ) from error
            users.append(user)
            items.append(item)
    return Interactions.from_columns(users, items, timestamps, "rating", values)


def read_csv(path: Path | str) -> Interactions:
    """Read a CSV with a header: ``user,item,timestamp[,value][,event]``, more columns are ignored.

    Timestamps are seconds since 1970 or ISO 8601 (UTC where no zone is given). Without an ``event`` column the rows
    are ratings if there is a ``value`` column whose values differ and stay within 0..5, else purchases.
    """
    users: list[str] = []
    items: list[str] = []
    timestamps: list[float] = []
    values: list[float] = []
    events: list[str] = []
    with _open_text(Path(path)) as file:
        rows = csv.reader(file)
        header = [name.strip().lower() for name in next(rows, [])]
        missing = [name for name in REQUIRED if name not in header]
        if missing:
            raise EngineError(
                "missing-column",
                f"{path}: no column {', '.join(missing)}; the header has {', '.join(header) or 'nothing'}.",
            )
        user_at, item_at, time_at = (header.index(name) for name in REQUIRED)
        value_at = header.index("value") if "value" in header else None
        event_at = header.index("event") if "event" in header else None
        for row in rows:
            if not row:
                continue
            try:
                users.append(row[user_at])
                items.append(row[item_at])
                timestamps.append(_seconds(row[time_at]))
                values.append(float(row[value_at]) if value_at is not None and row[value_at] else np.nan)
                if event_at is not None:
                    events.append(row[event_at].strip().lower())
            except (ValueError, IndexError) as error:
                raise EngineError("bad-row", f"{path} line {rows.line_num}: {error}.") from error
    if event_at is None:
        return Interactions.from_columns(users, items, timestamps, _kind_of(values), values)
    return Interactions.from_columns(users, items, timestamps, events, values)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _kind_of(values: list[float]) -> str:
    known = np.array([value for value in values if value == value])
    looks_rated = len(known) > 0 and 0 <= known.min() < known.max() <= HIGHEST_RATING
    return "rating" if looks_rated else "purchase"
